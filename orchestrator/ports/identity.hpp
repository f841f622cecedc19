// The words by which everything below speaks of a saga: its key, its address and its status. Plain values.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace skald {

/// Key of a saga's row: a time-ordered number made by the process that started it (runtime/key_maker.hpp).
using SagaKey = std::int64_t;

/// A process incarnation: one life of one process, numbered by the store.
using Incarnation = std::int64_t;

/// How the outside names a saga: unique inside a namespace, which the store session is bound to.
struct SagaAddress {
  std::string definition;
  std::string saga_id;
  auto operator<=>(const SagaAddress&) const = default;
};

/// Values are stored in the saga row: append only.
enum class SagaStatus : std::int16_t {
  kRunning = 0,      ///< the saga's code is going forward
  kRollingBack = 1,  ///< compensations are under way
  kStuck = 2,        ///< waits for an operator; the reason is in the history and on the row
  kCompleted = 10,
  kCompensated = 11,
  kCancelled = 12,
  kTerminated = 13,
};

[[nodiscard]] constexpr bool is_ended(SagaStatus status) { return status >= SagaStatus::kCompleted; }

[[nodiscard]] constexpr std::string_view to_string(SagaStatus status) {
  switch (status) {
    case SagaStatus::kRunning: return "running";
    case SagaStatus::kRollingBack: return "rolling_back";
    case SagaStatus::kStuck: return "stuck";
    case SagaStatus::kCompleted: return "completed";
    case SagaStatus::kCompensated: return "compensated";
    case SagaStatus::kCancelled: return "cancelled";
    case SagaStatus::kTerminated: return "terminated";
  }
  return "unknown";
}

}  // namespace skald

template <>
struct std::hash<skald::SagaAddress> {
  std::size_t operator()(const skald::SagaAddress& address) const noexcept {
    // Most processes have few definitions and many sagas: their ids alone spread well.
    return std::hash<std::string>{}(address.saga_id);
  }
};
