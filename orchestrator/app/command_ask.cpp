// start and the operator's actions: through the HTTP port of a running orchestrator, which checks them against its
// code and answers when they are durable.
#include "app/asking.hpp"
#include "app/commands.hpp"
#include "skald/json.hpp"

namespace skald::app {

int run_ready(const Program& program, const ReadyOptions& options) {
  const auto config = program.config({});
  if (!config) return program.fail(config.error());
  const auto answer = api::ask({url_of(*config, options.url), "GET", "/readyz", "", ""});
  if (!answer) return program.fail(answer.error());
  print(answer->body);
  return answer->status == 200 ? kExitOk : kExitNo;
}

int run_start(const Program& program, const StartOptions& options) {
  const auto config = program.config({});
  if (!config) return program.fail(config.error());
  const auto input = read_argument(options.input, "--input");
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
  return refused(program, *answer);
}

namespace {

/// What the action is about: the saga as it stands, which the orchestrator compares.
Result<void> write_place(json::Writer& writer, const std::string& body, const ActionOptions& options) {
  const auto saga = json::Document::parse(body, {.maximum_bytes = 256 << 20, .maximum_members = 10'000'000});
  if (!saga) return saga.error();
  const auto current = saga->root().find("sequence");
  writer.key("sequence");
  writer.integer(options.sequence ? *options.sequence : current ? current->as_int64().value_or(0) : 0);
  const auto stuck = saga->root().find("stuck_ordinal");
  if (options.ordinal || stuck) {
    writer.key("ordinal");
    writer.integer(options.ordinal ? *options.ordinal : stuck->as_int64().value_or(0));
  }
  return {};
}

/// What a reset does with the steps after its target, a line each; empty for other actions.
std::string plan_text(const std::string& body) {
  const auto plan = json::Document::parse(body);
  const auto steps = plan ? plan->root().find("steps") : std::nullopt;
  if (!steps) return {};
  std::string text;
  for (std::size_t index = 0; index < steps->size(); ++index) {
    const auto step = steps->element(index);
    const auto text_of = [&step](const char* name) {
      const auto member = step.find(name);
      return std::string(member ? member->as_string() : std::string_view());
    };
    const std::string effect = text_of("effect");
    const auto ordinal = step.find("ordinal");
    text += "  step " + std::to_string(ordinal ? ordinal->as_int64().value_or(0) : 0) + " " +
            printable(text_of("step")) + ": " +
            (effect == "stays"         ? "stays: it took effect or may have, and has no compensation"
             : effect == "kept"        ? "kept: it counts as done if the code comes to it with the same input"
             : effect == "compensated" ? "is compensated before the saga goes on"
                                       : "took no effect") +
            "\n";
  }
  return text.empty() ? "  no step was begun after it\n" : text;
}

}  // namespace

int act(const Program& program, const Config& config, const ActionOptions& options) {
  const std::string url = url_of(config, options.url);
  const std::string path =
      "/api/v1/sagas/" + api::percent_encoded(options.saga) + "/" + api::percent_encoded(options.id);
  const auto seen = api::ask({url, "GET", path, "", config.http.token});
  if (!seen) return program.fail(seen.error());
  if (seen->status != 200) return refused(program, *seen);
  json::Writer writer;
  writer.begin_object();
  const auto member = [&](const char* name, const std::string& text) {
    writer.key(name);
    writer.string(text);
  };
  member("action", options.verb);
  const bool wherever = options.verb == "cancel" || options.verb == "terminate" || options.verb == "pause" ||
                        options.verb == "resume";
  if (!wherever || options.sequence)
    if (auto place = write_place(writer, seen->body, options); !place) return program.fail(place.error());
  member("who", options.who);
  member("why", options.why);
  if (options.to) {
    writer.key("to");
    writer.integer(*options.to);
    member("effects", options.effects);
    writer.key("dry_run");
    writer.boolean(options.dry_run);
  }
  if (!options.result.empty()) {
    const auto result = read_argument(options.result, "--result");
    if (!result) return program.fail(result.error());
    writer.key("result");
    writer.raw(*result);
  }
  writer.end_object();
  const auto answer = api::ask({url, "POST", path + "/actions", writer.take(), config.http.token});
  if (!answer) return program.fail(answer.error());
  if (answer->status == 200) {
    print(options.saga + " " + printable(options.id, 255) + ": " + options.verb +
          (options.dry_run ? " would do this:\n" : " applied\n") + plan_text(answer->body));
    return kExitOk;
  }
  return refused(program, *answer);
}

int run_action(const Program& program, const ActionOptions& options) {
  const auto config = program.config({});
  if (!config) return program.fail(config.error());
  return act(program, *config, options);
}

int run_complete(const Program& program, const CompleteOptions& options) {
  const auto config = program.config({});
  if (!config) return program.fail(config.error());
  json::Writer writer;
  writer.begin_object();
  writer.key("token");
  writer.string(options.token);
  if (options.code.empty()) {
    const auto output = read_argument(options.output, "--output");
    if (!output) return program.fail(output.error());
    writer.key("output");
    writer.raw(*output);
  } else {
    writer.key("failure");
    writer.begin_object();
    writer.key("code");
    writer.string(options.code);
    writer.key("message");
    writer.string(options.message);
    writer.key("retryable");
    writer.boolean(options.retry);
    writer.end_object();
  }
  writer.end_object();
  const auto answer = api::ask(
      {url_of(*config, options.url), "POST", "/api/v1/completions", writer.take(), config->http.token});
  if (!answer) return program.fail(answer.error());
  if (answer->status != 200) return refused(program, *answer);
  const bool before = answer->body.find("duplicate") != std::string::npos;
  print(printable(options.token, 512) + (before ? " was completed before\n" : " completed\n"));
  return kExitOk;
}

}  // namespace skald::app
