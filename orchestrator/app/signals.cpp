// Records as signals; see signals.hpp. What is missing is an Error with its code, and the record becomes a dead letter.
#include "app/signals.hpp"

#include "app/source_reader.hpp"
#include "wire/command_id.hpp"
#include "wire/dead_letter.hpp"
#include "wire/signal.hpp"

namespace skald::app {
namespace {

using runtime::AddressedSignal;
using Read = Result<std::optional<AddressedSignal>>;

constexpr const char* kCodeId =
    "SKALD-924";  ///< no saga id, message id or value where the configuration says

Read read_own(const Record& record) {
  auto signal = wire::signal_from(record);
  if (!signal) return signal.error();
  AddressedSignal addressed;
  addressed.address = {std::move(signal->definition), std::move(signal->saga_id)};
  addressed.input.name = std::move(signal->name);
  addressed.input.source = std::move(signal->source);
  addressed.input.id = std::move(signal->id);
  addressed.input.data = std::move(signal->data);
  return std::optional(std::move(addressed));
}

Error missing(const SignalConfig& config, const std::string& what, const Source& source) {
  return {ErrorKind::kInvalid, kCodeId,
          "signal " + config.key + " finds no " + what + " in " + described(source)};
}

/// By what a second delivery is told: what the configuration says, the CloudEvent's id and source, or the record's place.
Result<void> identify(const SignalConfig& config, const Record& record, SourceReader& reader,
                      engine::SignalInput& input) {
  input.source = config.topic;
  if (config.message_id) {
    auto id = reader.text(*config.message_id);
    if (!id) return id.error();
    if (!*id || (*id)->empty()) return missing(config, "message id", *config.message_id);
    input.id = std::move(**id);
    return {};
  }
  const auto id = record.header("ce_id");
  const auto source = record.header("ce_source");
  if (id && source && wire::is_valid_id(*id) && wire::is_valid_id(*source)) {
    input.id = *id;
    input.source = *source;
    return {};
  }
  const auto origin = record.header(wire::kOriginHeader);
  input.id = origin && wire::is_valid_id(*origin)
                 ? std::string(*origin)
                 : std::to_string(record.partition) + "@" + std::to_string(record.offset);
  return {};
}

Read read_configured(const SignalConfig& config, const Record& record) {
  SourceReader reader(record);
  const auto passes = reader.passes(config.filter);
  if (!passes) return passes.error();
  if (!*passes) return std::optional<AddressedSignal>();
  auto id = reader.text(config.id);
  if (!id) return id.error();
  if (!*id || (*id)->empty()) return missing(config, "saga id", config.id);
  auto data = reader.json(config.data);
  if (!data) return data.error();
  if (!*data) return missing(config, "value", config.data);
  AddressedSignal addressed;
  addressed.address = {config.saga, std::move(**id)};
  addressed.input.name = config.name;
  addressed.input.data = std::move(**data);
  addressed.input.may_be_for_nobody = config.ignore_absent;
  if (auto done = identify(config, record, reader, addressed.input); !done) return done.error();
  if (addressed.input.id.size() > wire::kMaximumIdBytes)
    return Error{ErrorKind::kInvalid, kCodeId,
                 "signal " + config.key + ": the message id has " +
                     std::to_string(addressed.input.id.size()) + " bytes; the limit is " +
                     std::to_string(wire::kMaximumIdBytes)};
  return std::optional(std::move(addressed));
}

}  // namespace

runtime::SignalRoute configured_signal(const SignalConfig& config) {
  return {config.topic, [config](const Record& record) { return read_configured(config, record); }};
}

std::vector<runtime::SignalRoute> signal_routes(const Config& config) {
  std::vector<runtime::SignalRoute> routes;
  if (!config.topics.signals.empty()) routes.push_back({config.topics.signals, read_own});
  for (const SignalConfig& signal : config.signals) routes.push_back(configured_signal(signal));
  return routes;
}

}  // namespace skald::app
