// Reading and checking `signals.*`; see config_signals.hpp.
#include "app/config_signals.hpp"

#include <algorithm>
#include <map>

namespace skald::app {
namespace {

std::string text(const ConfigValues& values, std::string_view key, const std::string& name,
                 const std::string& fallback) {
  const Setting* setting = values.find(key, name);
  return setting == nullptr ? fallback : setting->text;
}

/// Every name by which some revision of a saga takes signals.
std::vector<std::string> names_taken(const Registry& registry, const std::string& saga) {
  std::vector<std::string> names;
  for (const SagaDefinition& definition : registry.sagas())
    if (definition.name == saga)
      for (const SignalDefinition& signal : definition.signals) names.emplace_back(signal.name);
  return names;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

Result<SignalConfig> signal(const ConfigValues& values, const Registry& registry, const std::string& key,
                            const std::string& origin) {
  const std::string front = (origin.empty() ? "" : origin + ": ") + "signals." + key;
  const auto refuse = [&front](const char* code, const std::string& message) {
    return Error{ErrorKind::kInvalid, code, front + message};
  };
  SignalConfig config;
  config.key = key;
  config.topic = text(values, "signals.<signal>.topic", key, "");
  config.saga = text(values, "signals.<signal>.saga", key, "");
  config.name = text(values, "signals.<signal>.name", key, key);
  if (config.topic.empty()) return refuse(kCodeMissing, ".topic is not set: whose records are the signals");
  if (config.saga.empty()) return refuse(kCodeMissing, ".saga is not set: the saga the signals are for");
  if (registry.saga(config.saga) == nullptr)
    return refuse(kCodeUnknown, ".saga: this binary has no saga named " + config.saga);
  const auto taken = names_taken(registry, config.saga);
  if (std::find(taken.begin(), taken.end(), config.name) == taken.end())
    return refuse(kCodeUnknown, ".name: saga " + config.saga + " takes no signal named " + config.name +
                                    "; it takes " + listed(taken));
  config.id = parse_source(text(values, "signals.<signal>.id", key, "key")).value_or(Source{});
  if (config.id.kind == Source::Kind::kPointer && config.id.name.empty())
    return refuse(kCodeValue,
                  ".id cannot be the whole value; it takes key, ce:ATTRIBUTE, header:NAME or a JSON pointer");
  if (const Setting* given = values.find("signals.<signal>.message_id", key))
    config.message_id = parse_source(given->text);
  config.data = parse_source(text(values, "signals.<signal>.data", key, "value")).value_or(Source{});
  config.filter = parse_filter(text(values, "signals.<signal>.filter", key, ""));
  config.ignore_absent = text(values, "signals.<signal>.absent", key, "wait") == "ignore";
  return config;
}

/// No record is for both: they look at the same place and want another value there.
bool exclude_each_other(const SignalConfig& a, const SignalConfig& b) {
  if (!a.filter || !b.filter) return false;
  const Source& first = a.filter->source;
  const Source& second = b.filter->source;
  return first.kind == second.kind && first.name == second.name && a.filter->value != b.filter->value;
}

/// A record that made two signals for one saga could tell neither from a second delivery of the other.
Result<void> check_apart(const std::vector<SignalConfig>& all) {
  for (std::size_t one = 0; one < all.size(); ++one)
    for (std::size_t other = one + 1; other < all.size(); ++other)
      if (all[one].topic == all[other].topic && all[one].saga == all[other].saga &&
          !exclude_each_other(all[one], all[other]))
        return Error{ErrorKind::kInvalid, kCodeWiring,
                     "signals." + all[one].key + " and signals." + all[other].key + " both read topic " +
                         all[one].topic + " for saga " + all[one].saga +
                         ": give each a filter on the same place, with a value of its own"};
  return {};
}

}  // namespace

Result<std::vector<SignalConfig>> signals_of(const ConfigValues& values, const Registry& registry) {
  std::map<std::string, std::string> origins;  // by name
  for (const auto& [key, setting] : values.settings)
    if (key.schema->key.starts_with("signals.")) origins.emplace(key.name, setting.origin);
  std::vector<SignalConfig> all;
  for (const auto& [name, origin] : origins) {
    auto one = signal(values, registry, name, origin);
    if (!one) return one.error();
    all.push_back(std::move(*one));
  }
  if (auto apart = check_apart(all); !apart) return apart.error();
  return all;
}

bool takes_signals(const Registry& registry) {
  const auto& sagas = registry.sagas();
  return std::any_of(sagas.begin(), sagas.end(), [](const auto& saga) { return !saga.signals.empty(); });
}

}  // namespace skald::app
