// Exponential backoff with bounded jitter.
#include "engine/retry.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace skald::engine {

std::chrono::milliseconds retry_delay(const RetryPolicy& policy, int attempt, std::uint64_t draw) {
  constexpr double kYear_ms = 365.0 * 24 * 3600 * 1000;
  const double initial = std::clamp(static_cast<double>(policy.initial_interval.count()), 0.0, kYear_ms);
  const double maximum = std::clamp(static_cast<double>(policy.maximum_interval.count()), 0.0, kYear_ms);
  const double coefficient = std::clamp(policy.coefficient, 1.0, 1000.0);
  const double exponent = std::clamp(attempt - 1, 0, 1000);
  const double grown = std::min(initial * std::pow(coefficient, exponent), maximum);
  const double unit =
      static_cast<double>(draw) / static_cast<double>(std::numeric_limits<std::uint64_t>::max());
  const double factor = 1.0 + std::clamp(policy.jitter, 0.0, 1.0) * (2.0 * unit - 1.0);
  return std::chrono::milliseconds{static_cast<std::int64_t>(grown * factor)};
}

}  // namespace skald::engine
