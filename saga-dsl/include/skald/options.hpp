// Options of steps and sagas: literal types with named fields, so that they stand in the step's own class and
// can be overridden by configuration (`steps.<name>.…`, `sagas.<name>.…`), number by number.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace skald {

/// Up to 16 failure codes, usable in constant expressions.
class Codes {
 public:
  static constexpr std::size_t kMaximum = 16;
  constexpr Codes() = default;
  constexpr Codes(std::initializer_list<std::string_view> codes) {
    for (const auto code : codes) add(code);
  }
  /// `code` outlives the list.
  constexpr void add(std::string_view code) { codes_.at(size_++) = code; }
  [[nodiscard]] constexpr bool contains(std::string_view code) const {
    for (std::size_t index = 0; index < size_; ++index)
      if (codes_.at(index) == code) return true;
    return false;
  }
  [[nodiscard]] constexpr const std::string_view* begin() const { return codes_.data(); }
  [[nodiscard]] constexpr const std::string_view* end() const { return codes_.data() + size_; }

 private:
  std::array<std::string_view, kMaximum> codes_{};
  std::size_t size_ = 0;
};

/// When a failed attempt is tried again: after initial_interval × coefficient^(attempt − 1), at most
/// maximum_interval, moved by up to ± jitter of itself.
struct RetryPolicy {
  std::chrono::milliseconds initial_interval{1000};
  double coefficient = 2.0;  ///< at least 1
  std::chrono::milliseconds maximum_interval{60'000};
  int maximum_attempts = 0;  ///< 0: as often as the timeouts allow
  double jitter = 0.2;       ///< 0 to 1
  Codes non_retryable{};     ///< codes that end the step at once
};

/// Leaves alone what keeps failing. When `failures` of the last `attempts` attempts have failed the breaker opens: none
/// begins for `open_for`, then one is let through, whose success closes it and whose failure opens it again. A failure
/// is an unknown outcome or one that may be tried again; a final refusal is an answer like any other.
struct BreakerOptions {
  int failures = 0;  ///< 1 to 1000; 0: no breaker
  int attempts = 0;  ///< failures to 1000; 0: as many as failures, that is, in a row
  std::chrono::milliseconds open_for{10'000};  ///< 1 ms to a day
};

/// What one process may do of one step type, action and compensation together; what may not begin yet waits.
/// docs/limits.md says what follows for all processes.
struct StepLimits {
  int maximum_concurrent = 0;            ///< attempts under way at once, up to 100'000; 0: any number
  double maximum_starts_per_second = 0;  ///< 0.001 to 1'000'000; 0: any number
  BreakerOptions breaker{};
};

struct StepOptions {
  /// For one attempt. A command step has none by default: Kafka keeps the command until it is read.
  std::optional<std::chrono::milliseconds> start_to_close{};
  /// For all attempts together. When it passes, the step has failed with code `timeout` and unknown outcome.
  std::optional<std::chrono::milliseconds> schedule_to_close{};
  /// From the sending of an attempt until a participant begins it: one that is read later is not executed (the command's
  /// `ce_expirytime`), and the step has failed with code `expired`, certainly without effect. Of command steps only; not
  /// of a pivot. It is noticed when the command is read: without any participant schedule_to_close ends the wait.
  std::optional<std::chrono::milliseconds> schedule_to_start{};
  /// Between two heartbeats of an attempt, from its first one on: a command step whose participant falls silent is tried
  /// again, its outcome unknown; a local step is told to stop. None: heartbeats keep their details and no watch.
  std::optional<std::chrono::milliseconds> heartbeat{};
  RetryPolicy retry{};
  /// A compensation is tried again for ever by default; after a final refusal the saga is stuck.
  RetryPolicy compensation_retry{};
  /// Of local steps only: a command step's limits stand at the participant that does the work.
  StepLimits limits{};
};

struct SagaOptions {
  /// From the start of the saga. When it passes, the saga rolls back, unless its pivot took effect.
  std::optional<std::chrono::milliseconds> deadline{};
};

/// Stated in the place of a compensation: why there is none. Shown when the saga rolls back past this step.
struct NoCompensation {
  std::string_view reason;
};

}  // namespace skald
