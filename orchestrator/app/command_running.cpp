// signal, update and query: what is said to and asked of a running saga, through the HTTP port of an orchestrator.
#include "app/asking.hpp"
#include "app/commands.hpp"
#include "skald/json.hpp"

namespace skald::app {
namespace {

std::string path_of(const RunningOptions& options, const char* what) {
  return "/api/v1/sagas/" + api::percent_encoded(options.saga) + "/" + api::percent_encoded(options.id) +
         "/" + what + "/" + api::percent_encoded(options.name);
}

/// An id for who gave none: 128 random bits.
std::string made_id() {
  constexpr std::string_view kHex = "0123456789abcdef";
  SystemRandom random;
  std::string id;
  for (int word = 0; word < 2; ++word)
    for (std::uint64_t bits = random.next(), digit = 0; digit < 16; ++digit, bits >>= 4)
      id += kHex[bits & 15];
  return id;
}

/// The body of a signal or an update.
Result<std::string> body_of(const RunningOptions& options) {
  const auto data = read_argument(options.data, "--data");
  if (!data) return data.error();
  json::Writer writer;
  writer.begin_object();
  writer.key("id");
  writer.string(options.message_id.empty() ? made_id() : options.message_id);
  writer.key("data");
  writer.raw(*data);
  if (!options.start_input.empty()) {
    const auto input = read_argument(options.start_input, "--start-input");
    if (!input) return input.error();
    writer.key("start");
    writer.begin_object();
    writer.key("input");
    writer.raw(*input);
    writer.end_object();
  }
  writer.end_object();
  return writer.take();
}

/// The member of an answer, as text; empty if it has none.
std::string member_of(const api::ClientAnswer& answer, const char* name) {
  const auto body = json::Document::parse(answer.body);
  if (!body) return {};
  const auto found = body->root().find(name);
  if (!found) return {};
  return found->kind() == json::Kind::kString ? std::string(found->as_string()) : found->text();
}

/// Posts the body; says what came of it, or prints the `answer` there is.
int post(const Program& program, const Config& config, const RunningOptions& options, const char* what,
         std::string body) {
  const auto answer = api::ask(
      {url_of(config, options.url), "POST", path_of(options, what), std::move(body), config.http.token});
  if (!answer) return program.fail(answer.error());
  if (answer->status != 200) return refused(program, *answer);
  const std::string given = member_of(*answer, "answer");
  if (!given.empty())
    print(given + "\n");
  else
    print(options.saga + " " + printable(options.id, 255) + ": " + options.name +
          (member_of(*answer, "result") == "duplicate" ? " was there before\n" : " taken\n"));
  return kExitOk;
}

int send(const Program& program, const RunningOptions& options, const char* what) {
  const auto config = program.config({});
  if (!config) return program.fail(config.error());
  auto body = body_of(options);
  return body ? post(program, *config, options, what, std::move(*body)) : program.fail(body.error());
}

}  // namespace

int run_signal(const Program& program, const RunningOptions& options) {
  return send(program, options, "signals");
}

int run_update(const Program& program, const RunningOptions& options) {
  return send(program, options, "updates");
}

int run_query(const Program& program, const RunningOptions& options) {
  const auto config = program.config({});
  if (!config) return program.fail(config.error());
  const auto input = read_argument(options.data, "--input");
  if (!input) return program.fail(input.error());
  json::Writer writer;
  writer.begin_object();
  writer.key("input");
  writer.raw(*input);
  writer.end_object();
  return post(program, *config, options, "queries", writer.take());
}

}  // namespace skald::app
