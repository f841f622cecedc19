// When a failed attempt is tried again. Pure; the draw for jitter is given, and the result is recorded in history, so
// that replay never computes it again and configuration may change any time.
#pragma once

#include <chrono>
#include <cstdint>

#include "skald/options.hpp"

namespace skald::engine {

/// The pause after attempt `attempt` (from 1): exponential, capped, moved by ± jitter of itself as `draw` says.
/// Wrong numbers in a policy are taken as the nearest right ones; never negative, never above a year.
[[nodiscard]] std::chrono::milliseconds retry_delay(const RetryPolicy& policy, int attempt,
                                                    std::uint64_t draw);

}  // namespace skald::engine
