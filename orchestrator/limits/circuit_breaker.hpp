// CircuitBreaker: stops attempts of what keeps failing and lets one through from time to time, to see. A value without
// a clock or a lock.
//
//   | state     | when                                              | then      |
//   |-----------|---------------------------------------------------|-----------|
//   | closed    | so many of the last attempts failed               | open      |
//   | open      | open_for has passed                               | half-open |
//   | half-open | the one attempt let through succeeded             | closed    |
//   | half-open | it failed                                         | open      |
//   | half-open | it ended without having been executed             | half-open: the next one is let through |
//   | any       | an attempt ends that began under an earlier state | unchanged: it says nothing of now |
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "limits/token_bucket.hpp"
#include "skald/options.hpp"

namespace skald::limits {

/// What became of the breaker: for logs and metrics.
enum class BreakerChange { kNone, kOpened, kReopened, kClosed };

class CircuitBreaker {
 public:
  enum class State { kClosed, kOpen, kHalfOpen };
  /// Under which state an attempt began. Each change of state begins a new one.
  using Epoch = std::uint32_t;

  explicit CircuitBreaker(const BreakerOptions& options);

  [[nodiscard]] State state(Nanoseconds now) const;
  /// May an attempt begin?
  [[nodiscard]] bool lets_through(Nanoseconds now) const;
  /// When an open one becomes half-open.
  [[nodiscard]] std::optional<Nanoseconds> half_open_at() const;
  /// An attempt begins, which is let through.
  Epoch begin(Nanoseconds now);
  /// Is an attempt of this epoch still let through, if it has not been executed yet?
  [[nodiscard]] bool still_lets_through(Epoch epoch) const { return !enabled() || epoch == epoch_; }
  /// An attempt was executed.
  BreakerChange tell(Epoch epoch, bool failed, Nanoseconds now);
  /// An attempt is over, executed or not.
  void end(Epoch epoch);

 private:
  [[nodiscard]] bool enabled() const { return !outcomes_.empty(); }
  BreakerChange open(Nanoseconds now);
  void close();

  BreakerOptions options_;
  std::vector<bool> outcomes_;  ///< of the last attempts, a ring: failed?
  std::size_t place_ = 0;       ///< of the oldest
  int failures_ = 0;            ///< among them
  Epoch epoch_ = 0;
  std::optional<Nanoseconds> open_until_;  ///< none: closed
  bool trying_ = false;                    ///< half-open, and the one attempt is under way
};

}  // namespace skald::limits
