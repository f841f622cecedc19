// StoreClock: the database's time between two answers of it: the newest time it told plus what has passed here
// since. Never ahead of the database (an answer is older than its arrival), so no timer judged by it fires
// early. Thread-safe, lock-free.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>

#include "ports/clock.hpp"

namespace skald::runtime {

class StoreClock {
 public:
  explicit StoreClock(const Clock& clock) : clock_(clock) {}

  /// The database said so just now.
  void tell(Time now) noexcept {
    offset_ns_.store(std::chrono::nanoseconds(now.time_since_epoch()).count() - clock_.monotonic().count());
    known_.store(true);
  }
  [[nodiscard]] bool known() const noexcept { return known_.load(); }
  /// Once known.
  [[nodiscard]] Time now() const noexcept {
    const auto since = clock_.monotonic() + std::chrono::nanoseconds(offset_ns_.load());
    return Time(std::chrono::duration_cast<std::chrono::milliseconds>(since));
  }
  /// When Clock::monotonic will show what the database's clock calls `time`.
  [[nodiscard]] std::chrono::nanoseconds monotonic_at(Time time) const noexcept {
    return std::chrono::nanoseconds(time.time_since_epoch()) - std::chrono::nanoseconds(offset_ns_.load());
  }

 private:
  const Clock& clock_;
  std::atomic<std::int64_t> offset_ns_{0};
  std::atomic<bool> known_{false};
};

}  // namespace skald::runtime
