// Configured triggers: where the saga id and the input come from, record by record; see triggers.hpp. What is
// missing is an Error with its code, and the record becomes a dead letter.
#include "app/triggers.hpp"

#include "app/source_reader.hpp"
#include "wire/cloud_events.hpp"

namespace skald::app {
namespace {

constexpr const char* kCodeId = "SKALD-920";     ///< the record has no saga id where the configuration says
constexpr const char* kCodeInput = "SKALD-921";  ///< likewise no input

Result<std::optional<TriggeredStart>> apply(const TriggerConfig& config, const Record& given) {
  auto record = wire::to_binary_mode(given);
  if (!record) return record.error();
  SourceReader reader(*record);
  const auto passes = reader.passes(config.filter);
  if (!passes) return passes.error();
  if (!*passes) return std::optional<TriggeredStart>();
  const auto id = reader.text(config.id);
  if (!id) return id.error();
  if (!*id || (*id)->empty())
    return Error{ErrorKind::kInvalid, kCodeId,
                 "trigger " + config.name + " finds no saga id in " + described(config.id)};
  const auto input = reader.json(config.input);
  if (!input) return input.error();
  if (!*input)
    return Error{ErrorKind::kInvalid, kCodeInput,
                 "trigger " + config.name + " finds no input in " + described(config.input)};
  return std::optional(TriggeredStart{**id, **input});
}

}  // namespace

TriggerDefinition configured_trigger(const TriggerConfig& config) {
  return {config.name, config.saga, [config](const Record& record) { return apply(config, record); }};
}

std::vector<runtime::TriggerRoute> trigger_routes(const Config& config, const Registry& registry) {
  std::vector<runtime::TriggerRoute> routes;
  for (const TriggerConfig& trigger : config.triggers) {
    if (!trigger.in_code) {
      routes.push_back({trigger.topic, configured_trigger(trigger)});
      continue;
    }
    for (const TriggerDefinition& definition : registry.triggers())
      if (definition.name == trigger.name) routes.push_back({trigger.topic, definition});
  }
  return routes;
}

}  // namespace skald::app
