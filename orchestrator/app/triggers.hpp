// Triggers as the runtime takes them: those written in code with their topic, and those that the configuration
// describes, made into the same function. Called once at start; the functions are pure and thread-safe.
#pragma once

#include <vector>

#include "app/config.hpp"
#include "runtime/decoder.hpp"
#include "skald/registry.hpp"

namespace skald::app {

[[nodiscard]] std::vector<runtime::TriggerRoute> trigger_routes(const Config& config,
                                                                const Registry& registry);

/// A trigger by configuration.
[[nodiscard]] TriggerDefinition configured_trigger(const TriggerConfig& config);

}  // namespace skald::app
