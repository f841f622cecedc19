// Which event may be recorded in which status of a saga: with status_table.hpp the whole transition table. Tests hold every
// transition they make against it, and prove that each of its entries is taken.
#pragma once

#include <array>

#include "engine/event.hpp"

namespace skald::engine {

/// The statuses in which it may happen: as the saga stands before the event. A saga's first event finds it running.
struct EventRow {
  EventKind kind;
  bool running = false;
  bool rolling_back = false;
  bool stuck = false;
  bool completed = false;
};

inline constexpr bool kYes = true, kNo = false;

inline constexpr std::array kEventTable{
    //                                        running rolling stuck completed
    EventRow{EventKind::kStarted, kYes, kNo, kNo, kNo},
    EventRow{EventKind::kSucceeded, kYes, kYes, kYes, kNo},
    EventRow{EventKind::kFailed, kYes, kYes, kYes, kNo},
    EventRow{EventKind::kAttempt, kYes, kYes, kNo, kNo},
    EventRow{EventKind::kLateSuccess, kYes, kYes, kYes, kNo},
    EventRow{EventKind::kCompensated, kYes, kYes, kYes, kNo},
    EventRow{EventKind::kCompensationFailed, kYes, kYes, kYes, kNo},
    EventRow{EventKind::kHeartbeat, kYes, kYes, kYes, kNo},
    EventRow{EventKind::kDeferred, kYes, kYes, kYes, kNo},
    EventRow{EventKind::kFired, kYes, kNo, kNo, kNo},
    EventRow{EventKind::kCarried, kYes, kNo, kNo, kNo},
    EventRow{EventKind::kSignal, kYes, kNo, kYes, kNo},
    EventRow{EventKind::kUpdate, kYes, kNo, kNo, kNo},
    EventRow{EventKind::kAnswered, kYes, kNo, kNo, kNo},
    EventRow{EventKind::kParent, kYes, kYes, kYes, kYes},
    EventRow{EventKind::kCancel, kYes, kNo, kNo, kNo},
    EventRow{EventKind::kResumed, kYes, kNo, kNo, kNo},
    EventRow{EventKind::kOperator, kYes, kYes, kYes, kNo},
    EventRow{EventKind::kStep, kYes, kNo, kNo, kNo},
    EventRow{EventKind::kTimer, kYes, kNo, kNo, kNo},
    EventRow{EventKind::kRecorded, kYes, kNo, kNo, kNo},
    EventRow{EventKind::kPatched, kYes, kNo, kNo, kNo},
    EventRow{EventKind::kAbandoned, kYes, kNo, kNo, kNo},
    EventRow{EventKind::kReturned, kYes, kNo, kNo, kNo},
    EventRow{EventKind::kContinued, kYes, kNo, kNo, kNo},
    EventRow{EventKind::kThrew, kYes, kNo, kNo, kNo},
    EventRow{EventKind::kRollback, kYes, kNo, kNo, kNo},
    EventRow{EventKind::kCompensating, kYes, kYes, kNo, kNo},
    EventRow{EventKind::kStuck, kYes, kYes, kYes, kNo},
    EventRow{EventKind::kEnded, kYes, kYes, kYes, kNo},
};

[[nodiscard]] constexpr bool may_happen(SagaStatus status, EventKind kind) {
  for (const EventRow& row : kEventTable) {
    if (row.kind != kind) continue;
    switch (status) {
      case SagaStatus::kRunning: return row.running;
      case SagaStatus::kRollingBack: return row.rolling_back;
      case SagaStatus::kStuck: return row.stuck;
      case SagaStatus::kCompleted: return row.completed;
      default: return false;
    }
  }
  return false;
}

}  // namespace skald::engine
