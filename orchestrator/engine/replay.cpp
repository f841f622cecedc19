// Replay: history, event by event, through the same apply() as a live transition, with the code pumped once a row
// where it was pumped then: after the inbound events. Ends where the history ends, or at the first difference.
#include <algorithm>

#include "engine/state.hpp"

namespace skald::engine {
namespace {

/// A row that ends in a defect holds nothing of the code (it was dropped): the code is not pumped for it, so that a
/// retry with mended code starts from before.
bool is_defect_row(const HistoryEntry& entry) {
  for (const Event& event : entry.events)
    if (event.kind == EventKind::kStuck && !event.code_ran) return true;
  return false;
}

/// Somebody ended it as it stood: the code did not go on.
bool is_termination(const HistoryEntry& entry) {
  return !entry.events.empty() && entry.events.back().kind == EventKind::kEnded &&
         entry.events.back().reason == "terminated";
}

}  // namespace

bool is_of_step(EventKind kind) {
  switch (kind) {
    case EventKind::kSucceeded:
    case EventKind::kFailed:
    case EventKind::kAttempt:
    case EventKind::kHeartbeat:
    case EventKind::kDeferred:
    case EventKind::kLateSuccess:
    case EventKind::kCompensated:
    case EventKind::kCompensationFailed: return true;
    default: return false;
  }
}

std::optional<ReplayProblem> Instance::State::replay(const StoredSaga& stored) {
  std::optional<ReplayProblem> problem;
  resets_ = resets_of(stored);
  const std::vector<Leap> leaps = outermost(resets_);
  sequence_ = stored.row.run_from - 1;
  for (const HistoryRow& row : stored.history) {
    if (row.sequence < stored.row.run_from) continue;  // of a run before
    auto entry = read_entry(row.events);
    if (!entry || row.sequence != sequence_ + 1) {
      problem =
          ReplayProblem{true, row.sequence, entry ? "a gap before this row" : entry.error().message, build_};
      if (!entry && entry.error().kind == ErrorKind::kRefused) {  // whole, and of a newer build
        problem->corrupt = false;
        build_ = "newer";
      }
      break;
    }
    if (!entry->build.empty()) build_ = entry->build;
    if (!problem) {
      now_ = entry->at;
      Replay replay{&entry->events, 0, {}, false};
      replaying_ = &replay;
      const auto leap = std::find_if(leaps.begin(), leaps.end(), [&row](const Leap& one) {
        return row.sequence > one.to && row.sequence < one.at;
      });
      const bool fits = leap == leaps.end() ? replay_entry(*entry) : replay_facts(*entry, leap->to);
      if (!fits) problem = ReplayProblem{false, row.sequence, replay.divergence, build_};
      replaying_ = nullptr;
      deactivate_settled();
    }
    sequence_ = row.sequence;
    history_bytes_ += row.events.size();
  }
  if (problem) problem->build = build_;
  if (!problem && sequence_ != stored.row.sequence)
    problem = ReplayProblem{true, sequence_, "history ends before the saga's sequence", build_};
  if (!problem && status_ != stored.row.status)
    problem = ReplayProblem{true, sequence_,
                            "history ends " + std::string(skald::to_string(status_)) +
                                ", the saga's row says " + std::string(skald::to_string(stored.row.status)),
                            build_};
  if (problem) close_frame();
  sequence_ = stored.row.sequence;
  status_ = stored.row.status;
  stuck_reason_ = stored.row.stuck_reason;
  wake_at_ = stored.row.wake_at;
  broken_ = problem;
  return problem;
}

bool Instance::State::replay_entry(HistoryEntry& entry) {
  Replay& replay = *replaying_;
  auto& events = entry.events;
  while (replay.next < events.size() && origin_of(events[replay.next].kind) == EventOrigin::kInbound) {
    const Event& event = events[replay.next];
    const bool of_timer = event.kind == EventKind::kFired;
    if (of_timer && timer(event.ordinal) == nullptr) {
      replay.divergence =
          "history has timer #" + std::to_string(event.ordinal) + " fired, which the code never started";
      return false;
    }
    if (event.kind == EventKind::kParent && !parent_) {
      replay.divergence = "history has a parent's command, of a saga that was started without one";
      return false;
    }
    if (is_of_step(event.kind) && step(event.ordinal) == nullptr) {
      replay.divergence =
          "history names step #" + std::to_string(event.ordinal) + ", which the code never scheduled";
      return false;
    }
    apply(event);
    ++replay.next;
    if (!replay.divergence.empty()) return false;
  }
  pump_replayed(entry);
  if (!replay.divergence.empty()) return false;
  skip_patches();
  for (; replay.next < events.size(); ++replay.next) {
    const Event& event = events[replay.next];
    if (origin_of(event.kind) == EventOrigin::kCode) {
      replay.divergence = "history has " + describe(event) + ", which the code does not come to";
      return false;
    }
    if (event.kind == EventKind::kCompensating && step(event.ordinal) == nullptr) {
      replay.divergence =
          "history compensates step #" + std::to_string(event.ordinal) + ", which the code never scheduled";
      return false;
    }
    apply(event);
  }
  return true;
}

void Instance::State::pump_replayed(HistoryEntry& entry) {
  const bool nothing_reached_it = replaying_->next == 0;  // live the code goes on by inbound events alone
  if (nothing_reached_it || is_defect_row(entry) || is_termination(entry)) return;
  pump();
  if (!defect_) return;
  replaying_->divergence = defect_->message;
  defect_.reset();
}

}  // namespace skald::engine
