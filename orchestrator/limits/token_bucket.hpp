// TokenBucket: so many starts per second, and no more. Within any span of T seconds it lets through at most
// rate × T starts and what it keeps for a quiet moment: a tenth of a second's worth, at least one. Kept as the time at
// which the bucket is full again, in whole nanoseconds, so nothing drifts. A value without a clock or a lock.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace skald::limits {

using Nanoseconds = std::chrono::nanoseconds;

class TokenBucket {
 public:
  /// Zero: no limit.
  explicit TokenBucket(double starts_per_second) {
    if (starts_per_second <= 0) return;
    interval_ = Nanoseconds(static_cast<std::int64_t>(std::ceil(1e9 / starts_per_second)));
    kept_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(starts_per_second / 10));
  }

  [[nodiscard]] bool limited() const noexcept { return interval_.count() > 0; }
  /// May one more start?
  [[nodiscard]] bool available(Nanoseconds now) const { return !limited() || next(now) <= now; }
  /// When the next may start; `now` or earlier: at once.
  [[nodiscard]] Nanoseconds next(Nanoseconds now) const {
    return limited() && full_at_ ? *full_at_ - (kept_ - 1) * interval_ : now;
  }
  /// Of an available one.
  void take(Nanoseconds now) {
    if (limited()) full_at_ = std::max(full_at_.value_or(now), now) + interval_;
  }
  /// What was taken for it was not used.
  void give_back() {
    if (limited() && full_at_) *full_at_ -= interval_;
  }

 private:
  Nanoseconds interval_{0};  ///< between two starts at full rate
  std::int64_t kept_ = 1;    ///< starts of a full bucket
  std::optional<Nanoseconds> full_at_;
};

}  // namespace skald::limits
