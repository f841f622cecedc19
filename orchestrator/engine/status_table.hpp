// The states of a saga instance and every way between them: the one table. A status changes nowhere else but by a
// row of it (State::move), and a test proves that each row is taken.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "ports/identity.hpp"

namespace skald::engine {

/// What moves a saga from one status to another.
enum class Cause {
  kRollback,            ///< a failure the saga did not catch, or its deadline
  kCompleted,           ///< run returned and nothing is owed
  kCompensated,         ///< everything that took effect, or may have, was undone
  kCancelled,           ///< the same, because somebody cancelled the saga
  kStuck,               ///< cannot go on without an operator
  kResumedForward,      ///< operator: retry or skip, going on where it was
  kResumedRollingBack,  ///< operator: retry or skip, going on where it was
  kCompensate,          ///< operator: roll back from here
  kTerminated,          ///< operator: end or terminate: as it is
  kReopened,            ///< the parent of this child saga rolls back
};

struct StatusChange {
  SagaStatus from;
  Cause cause;
  SagaStatus to;
  std::string_view meaning;
};

inline constexpr std::array kStatusTable{
    StatusChange{SagaStatus::kRunning, Cause::kRollback, SagaStatus::kRollingBack,
                 "a failure was not caught"},
    StatusChange{SagaStatus::kRunning, Cause::kCompleted, SagaStatus::kCompleted, "run returned"},
    StatusChange{SagaStatus::kRunning, Cause::kStuck, SagaStatus::kStuck,
                 "a defect, or a failure after the pivot"},
    StatusChange{SagaStatus::kRollingBack, Cause::kCompensated, SagaStatus::kCompensated, "all is undone"},
    StatusChange{SagaStatus::kRollingBack, Cause::kCancelled, SagaStatus::kCancelled,
                 "all is undone after a cancellation"},
    StatusChange{SagaStatus::kRollingBack, Cause::kStuck, SagaStatus::kStuck, "a compensation was refused"},
    StatusChange{SagaStatus::kRunning, Cause::kTerminated, SagaStatus::kTerminated, "terminated by somebody"},
    StatusChange{SagaStatus::kRollingBack, Cause::kTerminated, SagaStatus::kTerminated,
                 "terminated by somebody"},
    StatusChange{SagaStatus::kCompleted, Cause::kReopened, SagaStatus::kRollingBack,
                 "a child saga whose parent rolls back"},
    StatusChange{SagaStatus::kStuck, Cause::kStuck, SagaStatus::kStuck,
                 "another reason came while it was stuck"},
    StatusChange{SagaStatus::kStuck, Cause::kResumedForward, SagaStatus::kRunning, "operator: retry or skip"},
    StatusChange{SagaStatus::kStuck, Cause::kResumedRollingBack, SagaStatus::kRollingBack,
                 "operator: retry or skip"},
    StatusChange{SagaStatus::kStuck, Cause::kCompensate, SagaStatus::kRollingBack, "operator: compensate"},
    StatusChange{SagaStatus::kStuck, Cause::kTerminated, SagaStatus::kTerminated,
                 "operator: end or terminate"},
};

/// nullopt: there is no such way.
[[nodiscard]] constexpr std::optional<SagaStatus> next_status(SagaStatus from, Cause cause) {
  for (const StatusChange& change : kStatusTable)
    if (change.from == from && change.cause == cause) return change.to;
  return std::nullopt;
}

}  // namespace skald::engine
