// The keys `runtime.*`: one row for each field of runtime::Settings that can be configured. The defaults in the table
// of keys are those of Settings; a test compares.
#include <array>
#include <variant>

#include "app/config.hpp"

namespace skald::app {
namespace {

using runtime::Settings;
using Milliseconds = std::chrono::milliseconds;
using Field =
    std::variant<std::size_t Settings::*, Milliseconds Settings::*, std::optional<Milliseconds> Settings::*>;

struct Row {
  std::string_view key;
  Field field;
};
constexpr Row kRows[] = {
    {"lanes", &Settings::lanes},
    {"maximum_batch", &Settings::maximum_batch},
    {"maximum_batch_bytes", &Settings::maximum_batch_bytes},
    {"cache_bytes", &Settings::cache_bytes},
    {"queue_high", &Settings::queue_high},
    {"queue_low", &Settings::queue_low},
    {"queue_urgent_high", &Settings::queue_urgent_high},
    {"queue_bytes_high", &Settings::queue_bytes_high},
    {"outbox_high", &Settings::outbox_high},
    {"outbox_low", &Settings::outbox_low},
    {"outbox_bytes_high", &Settings::outbox_bytes_high},
    {"local_high", &Settings::local_high},
    {"local_bytes_high", &Settings::local_bytes_high},
    {"open_records_high", &Settings::open_records_high},
    {"maximum_poll", &Settings::maximum_poll},
    {"poll_timeout", &Settings::poll_timeout},
    {"save_positions_interval", &Settings::save_positions_interval},
    {"broker_timeout", &Settings::broker_timeout},
    {"stopped_recheck", &Settings::stopped_recheck},
    {"heartbeat_interval", &Settings::heartbeat_interval},
    {"incarnation_lease", &Settings::incarnation_lease},
    {"claim_interval", &Settings::claim_interval},
    {"maximum_claim", &Settings::maximum_claim},
    {"claim_lease", &Settings::claim_lease},
    {"foreign_grace", &Settings::foreign_grace},
    {"reply_wait", &Settings::reply_wait},
    {"parked_interval", &Settings::parked_interval},
    {"parked_lease", &Settings::parked_lease},
    {"parked_saga_absent_after", &Settings::parked_saga_absent_after},
    {"parked_divergence_after", &Settings::parked_divergence_after},
    {"adopt_interval", &Settings::adopt_interval},
    {"gauges_interval", &Settings::gauges_interval},
    {"history_warning_transitions", &Settings::history_warning_transitions},
    {"history_warning_bytes", &Settings::history_warning_bytes},
    {"history_retention", &Settings::history_retention},
    {"saga_retention", &Settings::saga_retention},
    {"retention_interval", &Settings::retention_interval},
    {"outbox_delete_after", &Settings::outbox_delete_after},
    {"backoff_initial", &Settings::backoff_initial},
    {"backoff_maximum", &Settings::backoff_maximum},
    {"doubt_period", &Settings::doubt_period},
    {"doubt_interval", &Settings::doubt_interval},
    {"local_threads", &Settings::local_threads},
    {"local_overrun_exit", &Settings::local_overrun_exit},
    {"shutdown_grace", &Settings::shutdown_grace},
    {"liveness_limit", &Settings::liveness_limit},
};

void set(Settings& settings, const Field& field, const std::string& text) {
  if (const auto* count = std::get_if<std::size_t Settings::*>(&field))
    settings.*(*count) = static_cast<std::size_t>(parse_bytes(text).value_or(0));  // plain numbers as well
  else if (const auto* duration = std::get_if<Milliseconds Settings::*>(&field))
    settings.*(*duration) = parse_duration(text).value_or(Milliseconds(0));
  else
    settings.*std::get<std::optional<Milliseconds> Settings::*>(field) = parse_duration(text);
}

template <class Value>
Error contradiction(const ConfigValues& values, const std::string& low, const Value& low_value,
                    const std::string& high, const Value& high_value) {
  std::string origin;
  for (const std::string& key : {low, high})
    if (const Setting* setting = values.find("runtime." + key)) origin = setting->origin + ": ";
  const auto text = [](const Value& value) {
    if constexpr (std::is_same_v<Value, Milliseconds>)
      return format_duration(value);
    else
      return std::to_string(value);
  };
  return {ErrorKind::kInvalid, kCodeValue,
          origin + "runtime." + low + " (" + text(low_value) + ") has to be less than runtime." + high +
              " (" + text(high_value) + ")"};
}

}  // namespace

Result<void> apply_runtime(const ConfigValues& values, Settings& settings) {
  for (const Row& row : kRows)
    if (const Setting* setting = values.find("runtime." + std::string(row.key)))
      set(settings, row.field, setting->text);
  if (settings.queue_low >= settings.queue_high)
    return contradiction(values, "queue_low", settings.queue_low, "queue_high", settings.queue_high);
  if (settings.outbox_low >= settings.outbox_high)
    return contradiction(values, "outbox_low", settings.outbox_low, "outbox_high", settings.outbox_high);
  if (settings.heartbeat_interval >= settings.incarnation_lease)
    return contradiction(values, "heartbeat_interval", settings.heartbeat_interval, "incarnation_lease",
                         settings.incarnation_lease);
  if (settings.saga_retention &&
      settings.saga_retention < settings.history_retention.value_or(Milliseconds::max()))
    return Error{
        ErrorKind::kInvalid, kCodeValue,
        values.find("runtime.saga_retention")->origin +
            ": runtime.saga_retention needs runtime.history_retention, and may not be less: a saga's history "
            "goes first"};
  if (settings.backoff_initial > settings.backoff_maximum)
    return contradiction(values, "backoff_initial", settings.backoff_initial, "backoff_maximum",
                         settings.backoff_maximum);
  return {};
}

}  // namespace skald::app
