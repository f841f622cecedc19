// Signals as the runtime reads them: those on Skald's own signal topic, and those the configuration finds on others. Called
// once at start; the functions are pure and thread-safe.
#pragma once

#include <vector>

#include "app/config.hpp"
#include "runtime/decoder.hpp"

namespace skald::app {

[[nodiscard]] std::vector<runtime::SignalRoute> signal_routes(const Config& config);

/// A signal by configuration.
[[nodiscard]] runtime::SignalRoute configured_signal(const SignalConfig& config);

}  // namespace skald::app
