// Configured triggers: where the saga id and the input come from, record by record; see triggers.hpp. What is
// missing is an Error with its code, and the record becomes a dead letter.
#include "app/triggers.hpp"

#include "skald/json.hpp"
#include "wire/cloud_events.hpp"

namespace skald::app {
namespace {

constexpr const char* kCodeId = "SKALD-920";     ///< the record has no saga id where the configuration says
constexpr const char* kCodeInput = "SKALD-921";  ///< likewise no input

/// A record whose value is parsed when first needed.
class Reader {
 public:
  explicit Reader(const Record& record) : record_(record) {}

  /// The text at `source`; nullopt: nothing there. An error: the value is not JSON.
  Result<std::optional<std::string>> text(const Source& source) {
    const auto owned = [](std::optional<std::string_view> view) -> std::optional<std::string> {
      if (!view) return std::nullopt;
      return std::string(*view);
    };
    switch (source.kind) {
      case Source::Kind::kKey: return record_.key;
      case Source::Kind::kAttribute: return owned(record_.header("ce_" + source.name));
      case Source::Kind::kHeader: return owned(record_.header(source.name));
      case Source::Kind::kPointer: break;
    }
    const auto value = at(source);
    if (!value) return value.error();
    if (!*value || (*value)->is_null()) return std::optional<std::string>();
    const json::Value& found = **value;
    return std::optional(found.kind() == json::Kind::kString ? std::string(found.as_string()) : found.text());
  }

  /// The JSON at `source`.
  Result<std::optional<std::string>> json(const Source& source) {
    if (source.kind != Source::Kind::kPointer) {
      // A header or a key that is to be the input holds JSON itself.
      auto found = text(source);
      if (!found || !*found) return found;
      auto document = json::Document::parse(**found);
      if (!document) return document.error();
      return found;
    }
    const auto value = at(source);
    if (!value) return value.error();
    if (!*value) return std::optional<std::string>();
    return std::optional((*value)->text());
  }

 private:
  Result<std::optional<json::Value>> at(const Source& source) {
    if (!document_) {
      if (!record_.value)
        return Error{ErrorKind::kInvalid, "SKALD-405", "the record has no value (a tombstone)"};
      auto parsed = json::Document::parse(*record_.value);
      if (!parsed) return parsed.error();
      document_.emplace(std::move(*parsed));
    }
    return document_->root().at_pointer(source.name);
  }

  const Record& record_;
  std::optional<json::Document> document_;
};

std::string described(const Source& source) {
  switch (source.kind) {
    case Source::Kind::kKey: return "its key";
    case Source::Kind::kAttribute: return "ce:" + source.name;
    case Source::Kind::kHeader: return "header " + source.name;
    case Source::Kind::kPointer: break;
  }
  return source.name.empty() ? "its value" : source.name;
}

Result<std::optional<TriggeredStart>> apply(const TriggerConfig& config, const Record& given) {
  auto record = wire::to_binary_mode(given);
  if (!record) return record.error();
  Reader reader(*record);
  if (config.filter) {
    const auto found = reader.text(config.filter->source);
    if (!found) return found.error();
    if (!*found || **found != config.filter->value) return std::optional<TriggeredStart>();
  }
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
