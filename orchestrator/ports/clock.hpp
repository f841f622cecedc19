// The seams for time and randomness. Production gives the system's; simulation gives a virtual clock and a
// seed. Nothing else in the tree reads a clock or draws a number.
#pragma once

#include <chrono>
#include <cstdint>

#include "skald/record.hpp"

namespace skald {

/// Thread-safe. `monotonic` is for measuring spans inside the process, `wall` only for log lines and message
/// keys: deadlines, leases and a saga's `now` are the store's time.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual std::chrono::nanoseconds monotonic() const = 0;
  [[nodiscard]] virtual Time wall() const = 0;
};

/// Thread-safe source of uniformly distributed numbers; for jitter, never for ids of messages.
class Random {
 public:
  virtual ~Random() = default;
  [[nodiscard]] virtual std::uint64_t next() = 0;
};

}  // namespace skald
