// pauses show, begin and end: straight in the database, so that they work when no orchestrator runs.
#include <algorithm>

#include "app/commands.hpp"
#include "app/open_database.hpp"
#include "wire/cloud_events.hpp"

namespace skald::app {
namespace {

struct Target {
  PauseKind kind = PauseKind::definition;
  std::string name;
};

Result<Target> target_of(const Program& program, const Config& config, const PausesOptions& options) {
  const bool step = !options.step.empty();
  const Target target{step ? PauseKind::step : PauseKind::definition,
                      step ? options.step : options.definition};
  std::vector<std::string> known;
  if (step)
    for (const auto& [name, settings] : config.steps) known.push_back(name);
  else
    for (const SagaDefinition& saga : program.registry.sagas()) known.emplace_back(saga.name);
  if (std::find(known.begin(), known.end(), target.name) != known.end()) return target;
  const std::string near = nearest(target.name, known);
  return Error{ErrorKind::kInvalid, kCodeUsage,
               "this binary has no " + std::string(to_string(target.kind)) + " " + printable(target.name) +
                   (near.empty() ? "" : "; did you mean " + near + "?")};
}

}  // namespace

int run_pauses_show(const Program& program) {
  const auto config = program.config({.database = true});
  if (!config) return program.fail(config.error());
  std::string text;
  const auto done = in_each(*config, [&](const DatabaseConfig& one, Session& session) -> Result<void> {
    const auto pauses = session.pauses();
    if (!pauses) return pauses.error();
    for (const Pause& pause : *pauses)
      text += (one.name.empty() ? "" : one.name + ": ") + std::string(to_string(pause.kind)) + " " +
              printable(pause.name) + " since " + wire::format_time(pause.since) + " by " +
              printable(pause.who) + ", because " + printable(pause.why, 300) + "\n";
    return {};
  });
  if (!done) return program.fail(done.error());
  print(text.empty() ? "nothing is paused\n" : text);
  return kExitOk;
}

int run_pauses_change(const Program& program, const PausesOptions& options) {
  const auto config = program.config({.database = true});
  if (!config) return program.fail(config.error());
  const auto target = target_of(program, *config, options);
  if (!target) return program.fail(target.error());
  bool changed = false;
  const auto done = in_each(*config, [&](const DatabaseConfig&, Session& session) -> Result<void> {
    const auto now = options.end ? session.resume(target->kind, target->name, options.who, options.why)
                                 : session.pause({target->kind, target->name, options.who, options.why, {}});
    if (!now) return now.error();
    changed = changed || *now;
    return {};
  });
  if (!done) return program.fail(done.error());
  const std::string what = std::string(to_string(target->kind)) + " " + target->name;
  if (changed)
    print(what + (options.end ? " goes on: running orchestrators take it up within seconds\n"
                              : " is paused: running orchestrators heed it within a second\n"));
  else
    print(what + (options.end ? " was not paused\n" : " was paused already\n"));
  return kExitOk;
}

}  // namespace skald::app
