// Limits put together, and checked.
#include "limits/step_limiter.hpp"

#include <algorithm>
#include <cmath>

namespace skald::limits {
namespace {

constexpr int kMaximumConcurrent = 100'000;
constexpr double kLowestRate = 0.001, kHighestRate = 1'000'000;
constexpr int kMaximumAttempts = 1000;
constexpr std::chrono::milliseconds kLongestOpen = std::chrono::hours(24);

}  // namespace

std::optional<Nanoseconds> StepLimiter::next_start(Nanoseconds now) const {
  if (!has_place()) return std::nullopt;
  Nanoseconds at = std::max(now, bucket_.next(now));
  if (breaker_.state(now) == CircuitBreaker::State::kClosed) return at;
  const auto half_open_at = breaker_.half_open_at();
  if (!half_open_at) return std::nullopt;
  return std::max(at, *half_open_at);
}

StepLimiter::Ticket StepLimiter::start(Nanoseconds now) {
  ++running_;
  bucket_.take(now);
  return {breaker_.begin(now)};
}

void StepLimiter::end(Ticket ticket, bool executed) {
  --running_;
  if (!executed) bucket_.give_back();
  breaker_.end(ticket.epoch);
}

bool is_limited(const StepLimits& limits) {
  return limits.maximum_concurrent > 0 || limits.maximum_starts_per_second > 0 || limits.breaker.failures > 0;
}

std::optional<LimitProblem> problem_of(const StepLimits& limits) {
  if (limits.maximum_concurrent < 0 || limits.maximum_concurrent > kMaximumConcurrent)
    return LimitProblem{"maximum_concurrent", "takes a whole number from 0 to 100000; 0 is no limit"};
  const double rate = limits.maximum_starts_per_second;
  if (rate != 0 && !(rate >= kLowestRate && rate <= kHighestRate))
    return LimitProblem{"maximum_starts_per_second", "takes a number from 0.001 to 1000000, or 0: no limit"};
  const BreakerOptions& breaker = limits.breaker;
  if (breaker.failures < 0 || breaker.failures > kMaximumAttempts)
    return LimitProblem{"breaker.failures", "takes a whole number from 0 to 1000; 0 is no breaker"};
  if (breaker.attempts < 0 || breaker.attempts > kMaximumAttempts)
    return LimitProblem{"breaker.attempts", "takes a whole number from 0 to 1000; 0: as many as failures"};
  if (breaker.attempts != 0 && breaker.attempts < breaker.failures)
    return LimitProblem{"breaker.attempts", "(" + std::to_string(breaker.attempts) +
                                                ") has to be at least breaker.failures (" +
                                                std::to_string(breaker.failures) + ")"};
  if (breaker.open_for < std::chrono::milliseconds(1) || breaker.open_for > kLongestOpen)
    return LimitProblem{"breaker.open_for", "takes a duration from 1ms to 1d"};
  return std::nullopt;
}

}  // namespace skald::limits
