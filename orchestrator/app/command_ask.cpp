// start and the operator's actions: through the HTTP port of a running orchestrator, which checks them against its
// code and answers when they are durable.
#include <unistd.h>

#include "api/http_client.hpp"
#include "app/commands.hpp"
#include "skald/json.hpp"

namespace skald::app {
namespace {

Error usage(const std::string& message) { return {ErrorKind::kInvalid, kCodeUsage, message}; }

std::string url_of(const Config& config, const std::string& given) {
  if (!given.empty()) return given;
  std::string host = config.http.listen.host;
  if (host == "0.0.0.0" || host == "::") host = "127.0.0.1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return "http://" + host + ":" + std::to_string(config.http.listen.port);
}

/// The message and code of an answer that was no success.
Error error_of(const api::ClientAnswer& answer) {
  Error error{ErrorKind::kRefused, "", "the orchestrator answered " + std::to_string(answer.status)};
  if (const auto body = json::Document::parse(answer.body)) {
    if (const auto code = body->root().find("code")) error.code = std::string(code->as_string());
    if (const auto message = body->root().find("message"))
      error.message = printable(message->as_string(), 500);
  }
  if (answer.status >= 500) error.kind = ErrorKind::kUnavailable;
  return error;
}

/// JSON from the command line: itself, @FILE, or - for standard input.
Result<std::string> read_argument(const std::string& argument) {
  std::string text = argument;
  if (argument == "-" || argument.starts_with('@')) {
    const std::string path = argument == "-" ? "/dev/stdin" : argument.substr(1);
    auto read = read_file(path);
    if (!read) return usage(path + ": " + read.error().message);
    text = std::move(*read);
  }
  auto document = json::Document::parse(text);
  if (!document)
    return Error{ErrorKind::kInvalid, document.error().code, "--input: " + document.error().message};
  return document->root().text();
}

}  // namespace

int run_start(const Program& program, const StartOptions& options) {
  const auto config = program.config({});
  if (!config) return program.fail(config.error());
  const auto input = read_argument(options.input);
  if (!input) return program.fail(input.error());
  json::Writer writer;
  writer.begin_object();
  writer.key("id");
  writer.string(options.id);
  writer.key("input");
  writer.raw(*input);
  writer.end_object();
  const auto answer =
      api::ask({url_of(*config, options.url), "POST", "/api/v1/sagas/" + api::percent_encoded(options.saga),
                writer.take(), config->http.token});
  if (!answer) return program.fail(answer.error());
  if (answer->status == 201 || answer->status == 200) {
    print(options.saga + " " + printable(options.id, 255) +
          (answer->status == 201 ? " started\n" : " exists already, with this input\n"));
    return kExitOk;
  }
  const Error error = error_of(*answer);
  program.complain(error);
  return error.kind == ErrorKind::kUnavailable ? kExitUnavailable : kExitNo;
}

int run_action(const Program& program, const ActionOptions& options) {
  const auto config = program.config({});
  if (!config) return program.fail(config.error());
  const std::string url = url_of(*config, options.url);
  const std::string path =
      "/api/v1/sagas/" + api::percent_encoded(options.saga) + "/" + api::percent_encoded(options.id);
  const auto seen = api::ask({url, "GET", path, "", config->http.token});
  if (!seen) return program.fail(seen.error());
  const auto saga =
      json::Document::parse(seen->body, {.maximum_bytes = 256 << 20, .maximum_members = 10'000'000});
  if (seen->status != 200 || !saga) {
    program.complain(error_of(*seen));
    return kExitNo;
  }
  json::Writer writer;
  writer.begin_object();
  const auto member = [&](const char* name, const std::string& text) {
    writer.key(name);
    writer.string(text);
  };
  member("action", options.verb);
  const auto current = saga->root().find("sequence");
  writer.key("sequence");
  writer.integer(options.sequence ? *options.sequence : current ? current->as_int64().value_or(0) : 0);
  if (const auto stuck = saga->root().find("stuck_ordinal")) {
    writer.key("ordinal");
    writer.integer(stuck->as_int64().value_or(0));
  }
  member("who", options.who);
  member("why", options.why);
  if (!options.result.empty()) {
    const auto result = read_argument(options.result);
    if (!result) return program.fail(result.error());
    writer.key("result");
    writer.raw(*result);
  }
  writer.end_object();
  const auto answer = api::ask({url, "POST", path + "/actions", writer.take(), config->http.token});
  if (!answer) return program.fail(answer.error());
  if (answer->status == 200) {
    print(options.saga + " " + printable(options.id, 255) + ": " + options.verb + " applied\n");
    return kExitOk;
  }
  const Error error = error_of(*answer);
  program.complain(error);
  return error.kind == ErrorKind::kUnavailable ? kExitUnavailable : kExitNo;
}

}  // namespace skald::app
