// What follows by rule from the state a transition has reached: debts (a step given up with unknown outcome is
// compensated before the saga ends, whether the saga caught the failure or not), rollback in reverse order, the end.
#include <algorithm>

#include "engine/state.hpp"

namespace skald::engine {

void Instance::State::follow_rules() {
  if (spent_) return;
  if (status_ == SagaStatus::kRunning && !paused_) reset_to_ == 0 ? rules_forward() : rules_resetting();
  if (status_ == SagaStatus::kRollingBack && !paused_) rules_rolling_back();
  const std::int64_t transitions = sequence_ + 2 - run_from_;
  const bool over = transitions >= environment_.limits.maximum_transitions ||
                    history_bytes_ > environment_.limits.maximum_history_bytes;
  if (over && !is_ended(status_) && status_ != SagaStatus::kStuck)
    record_stuck("history-limit", 0,
                 "history has " + std::to_string(transitions) + " transitions and " +
                     std::to_string(history_bytes_) + " bytes");
  deactivate_settled();
}

bool Instance::State::pivot_open() const {
  for (const int ordinal : active_) {
    const StepState& active = *step(ordinal);
    if (active.pivot && active.open()) return true;
  }
  return false;
}

bool Instance::State::cancel_takes_effect() const {
  const bool in_force = cancel_ && (cancel_due_ || shields_ <= 0) && reset_to_ == 0;
  return in_force && !forward_only_ && code_may_go_on() && !pivot_open();
}

/// What only an operator settles, and a later reason to be stuck has covered, is told again.
bool Instance::State::stuck_again() {
  for (const int ordinal : active_) {
    if (!step(ordinal)->unreadable) continue;
    record_stuck("unreadable-reply", ordinal, "its reply could not be read, and no other will come");
    return true;
  }
  for (const int ordinal : failed_) {
    if (step(ordinal)->undo != StepState::Undo::kRefused) continue;
    record_stuck("compensation-refused", ordinal, "its compensation was refused for good",
                 Phase::kCompensation);
    return true;
  }
  return false;
}

/// Debts of failures that the code has seen and caught, the latest first; what it has not seen may yet roll back the
/// whole saga, in order. False: the saga is stuck.
bool Instance::State::pay_debts() {
  std::vector<int> failed = failed_;
  std::sort(failed.rbegin(), failed.rend());
  for (const int ordinal : failed) {
    StepState& step = *this->step(ordinal);
    const bool owed = step.is_debt() && step.slot.observed && step.undo == StepState::Undo::kNone;
    if (owed && !owe_compensation(step)) return false;
  }
  return true;
}

void Instance::State::rules_forward() {
  if (stuck_again()) return;
  for (const int ordinal : failed_) {
    const StepState& step = *this->step(ordinal);
    if (step.pivot && step.stage == StepState::Stage::kFailed && step.unknown &&
        step.undo == StepState::Undo::kNone)
      return record_stuck("pivot-unknown", ordinal, "the pivot's outcome stays unknown");
  }
  if (threw_) {
    if (pivot_open()) return;  // nothing is decided about the saga before its pivot is
    if (forward_only_) return record_stuck("failed-after-pivot", 0, threw_->what());
    return record_rollback(*threw_, "failure");
  }
  if (!pay_debts() || pivot_open()) return;
  if (returned_ || continued_) return rules_of_ended_code();
  if (cancel_takes_effect())
    record_rollback(*cancel_, cancel_->code == failure_code::kDeadline ? "deadline" : "cancel");
  else if (deadline_ && *deadline_ <= now_ && !forward_only_ && shields_ <= 0)
    record_rollback({std::string(failure_code::kDeadline), "the saga's deadline passed", Retry::never, false},
                    "deadline");
}

/// What is open is awaited, and a failure nobody looked at rolls back.
void Instance::State::rules_of_ended_code() {
  for (const StepState& step : steps_) {
    if (step.open() && !step.left_alone()) return;
    if (step.stage != StepState::Stage::kFailed || step.slot.observed) continue;
    if (forward_only_) return record_stuck("failed-after-pivot", step.slot.ordinal, step.slot.failure.what());
    return record_rollback(step.slot.failure, "failure");
  }
  if (continued_ || !debts_settled()) return;  // the next run begins with a wake-up
  if (undo_ && !undo_->keeps_completed && !forward_only_) return record_rollback(*cancel_, "cancel");
  record_end("completed", output_, {});
}

bool Instance::State::debts_settled() const {
  for (const int ordinal : failed_) {
    const StepState& step = *this->step(ordinal);
    if ((step.stage == StepState::Stage::kFailed || step.abandoned) && !step.undo_settled()) return false;
  }
  return true;
}

void Instance::State::record_rollback(Failure failure, std::string why) {
  Event event;
  event.kind = EventKind::kRollback;
  event.failure = std::move(failure);
  event.reason = std::move(why);
  record(std::move(event));
}

void Instance::State::rules_rolling_back() {
  if (undo_in_order(0)) record_end(rollback_is_cancel_ ? "cancelled" : "compensated", {}, rollback_failure_);
}

/// Of the steps scheduled after a transition, the latest first, those of a group beside each other. True: none is left.
bool Instance::State::undo_in_order(std::int64_t after) {
  const auto stays = [after](const StepState& step) {
    return step.scheduled_in <= after || (after > 0 && step.kept);
  };
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    if (stays(*step) || roll_back(*step)) continue;
    const int group = step->group;
    for (++step; group != 0 && step != steps_.rend() && step->group == group; ++step)
      if (status_ != SagaStatus::kStuck && !stays(*step)) static_cast<void>(roll_back(*step));
    return false;
  }
  return true;
}

/// True: nothing of it is left to undo.
bool Instance::State::roll_back(StepState& step) {
  if (step.open()) return false;  // a local step that still runs: it has to return first
  const bool took_effect = step.stage == StepState::Stage::kSucceeded || step.unknown;
  if (!took_effect || step.undo_settled()) return true;
  switch (step.undo) {
    case StepState::Undo::kNone: owe_compensation(step); break;
    case StepState::Undo::kOwedAgain: record_attempt(step, Phase::kCompensation); break;
    case StepState::Undo::kRefused:
      record_stuck("compensation-refused", step.slot.ordinal, "its compensation was refused for good",
                   Phase::kCompensation);
      break;
    default: break;  // under way
  }
  return false;
}

bool Instance::State::owe_compensation(StepState& step) {
  const StepDefinition& definition = *step.slot.step;
  if (!definition.has_compensation) return true;
  Event event;
  event.kind = EventKind::kCompensating;
  event.ordinal = step.slot.ordinal;
  event.step = definition.name;
  if (definition.compensation != nullptr) {
    auto data = definition.compensation(step.input, step.has_output ? &step.output : nullptr);
    if (!data) {
      record_stuck("compensation-defect", step.slot.ordinal, data.error().message, Phase::kCompensation);
      return false;
    }
    event.data = std::move(data).value();
  }
  event.held = holds(step);
  if (event.held) {
    event.retry_at = next_look(now_);
  } else {
    if (step.settings->options.start_to_close) event.until = now_ + *step.settings->options.start_to_close;
    if (step.local()) event.runner = incarnation_;
  }
  record(std::move(event));
  return true;
}

void Instance::State::record_end(std::string_view outcome, std::string data, Failure failure) {
  Event event;
  event.kind = EventKind::kEnded;
  event.reason = outcome;
  event.data = std::move(data);
  event.failure = std::move(failure);
  record(std::move(event));
}

}  // namespace skald::engine
