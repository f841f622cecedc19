// KeyMaker: time-ordered 63-bit keys for sagas, outbox rows and parked inputs:
// (milliseconds since 2024) << 22 | incarnation % 1024 << 12 | counter. A process never makes a key twice and
// its keys only grow, also when its clock goes back. Two processes could only meet with incarnations 1024
// apart in one millisecond; the database's primary key would refuse the second. Thread-safe, lock-free.
#pragma once

#include <atomic>
#include <cstdint>

#include "ports/clock.hpp"
#include "ports/identity.hpp"

namespace skald::runtime {

class KeyMaker {
 public:
  explicit KeyMaker(const Clock& clock) : clock_(clock) {}

  /// Used by keys made from now on.
  void set_incarnation(Incarnation incarnation) noexcept { incarnation_.store(incarnation % 1024); }

  /// When more than 4096 keys are asked for in a millisecond, the keys run ahead of the clock.
  [[nodiscard]] std::int64_t next() noexcept;

  /// No key made before this time is as large, by a clock that goes right.
  [[nodiscard]] static std::int64_t first_of(Time time) noexcept;

 private:
  const Clock& clock_;
  std::atomic<Incarnation> incarnation_{0};
  std::atomic<std::int64_t> last_{0};  ///< milliseconds << 12 | counter
};

}  // namespace skald::runtime
