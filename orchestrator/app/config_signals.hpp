// Signals from ordinary topics, as `signals.*` configures them: so that a saga can await what others publish with nobody
// changing the producer. Values, made once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/config_text.hpp"
#include "app/config_values.hpp"
#include "skald/registry.hpp"

namespace skald::app {

struct SignalConfig {
  std::string key;  ///< under which the configuration describes it
  std::string topic;
  std::string saga;
  std::string name;
  Source id;
  std::optional<Source> message_id;  ///< nullopt: the CloudEvent's, else the record's place
  Source data;
  std::optional<Filter> filter;
  bool ignore_absent = false;
};

/// All of them, each of a saga of this binary that takes a signal of that name, with a topic.
[[nodiscard]] Result<std::vector<SignalConfig>> signals_of(const ConfigValues& values,
                                                           const Registry& registry);

/// Does any saga of this binary take signals? Then it reads the signal topic.
[[nodiscard]] bool takes_signals(const Registry& registry);

}  // namespace skald::app
