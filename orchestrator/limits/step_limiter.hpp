// StepLimiter: the limits of one step type in one process, put together: how many attempts are under way, how often one
// may begin, and the breaker. Whoever runs attempts asks before each; what may not begin yet waits with them, in their
// order. A value without a clock or a lock.
#pragma once

#include <optional>
#include <string>

#include "limits/circuit_breaker.hpp"
#include "limits/token_bucket.hpp"
#include "skald/options.hpp"

namespace skald::limits {

class StepLimiter {
 public:
  /// Of an attempt that was let through; to be given to end().
  struct Ticket {
    CircuitBreaker::Epoch epoch = 0;
  };

  explicit StepLimiter(const StepLimits& limits)
      : maximum_concurrent_(limits.maximum_concurrent),
        bucket_(limits.maximum_starts_per_second),
        breaker_(limits.breaker) {}

  [[nodiscard]] bool may_start(Nanoseconds now) const {
    return has_place() && breaker_.lets_through(now) && bucket_.available(now);
  }
  /// When time alone lets the next attempt start, `now` at the earliest; nullopt: only the end of another one does.
  [[nodiscard]] std::optional<Nanoseconds> next_start(Nanoseconds now) const;
  /// Of one that may start.
  Ticket start(Nanoseconds now);
  /// Has the breaker stayed as it was? One that has not been executed yet had better not be if not.
  [[nodiscard]] bool still_lets_through(Ticket ticket) const {
    return breaker_.still_lets_through(ticket.epoch);
  }
  /// The attempt was executed; more than once if its transaction had to be done again.
  BreakerChange tell(Ticket ticket, bool failed, Nanoseconds now) {
    return breaker_.tell(ticket.epoch, failed, now);
  }
  /// The attempt is over. One that was not executed does not count against the rate.
  void end(Ticket ticket, bool executed);
  [[nodiscard]] CircuitBreaker::State breaker(Nanoseconds now) const { return breaker_.state(now); }

 private:
  [[nodiscard]] bool has_place() const { return maximum_concurrent_ == 0 || running_ < maximum_concurrent_; }

  int maximum_concurrent_;
  int running_ = 0;
  TokenBucket bucket_;
  CircuitBreaker breaker_;
};

[[nodiscard]] bool is_limited(const StepLimits& limits);

/// A limit that makes no sense: which, as it is configured ("breaker.attempts"), and why.
struct LimitProblem {
  std::string key;
  std::string what;
};
[[nodiscard]] std::optional<LimitProblem> problem_of(const StepLimits& limits);

}  // namespace skald::limits
