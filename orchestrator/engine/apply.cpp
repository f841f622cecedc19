// What each event changes in the state: the one place, for live transitions and replay alike.
#include <algorithm>

#include "engine/state.hpp"
#include "skald/assert.hpp"

namespace skald::engine {

void Instance::State::apply(const Event& event) {
  switch (event.kind) {
    case EventKind::kStarted: return apply_started(event);
    case EventKind::kStep: return apply_step(event);
    case EventKind::kTimer: return apply_timer(event);
    case EventKind::kFired:
      timers_[static_cast<std::size_t>(event.ordinal - timers_before_) - 1]->fired = true;
      return;
    case EventKind::kCarried: return apply_carried(event);
    case EventKind::kContinued:
      continued_ = true;
      code_ended_in_ = sequence_ + 1;
      next_input_ = event.data;
      return;
    case EventKind::kSignal:
      return mailbox_.deliver(Mailbox::key(event.who, event.id), event.name, event.data);
    case EventKind::kUpdate: return apply_update(event);
    case EventKind::kAnswered: answers_[update_key_] = {answers_.size(), event.data}; return;
    case EventKind::kParent: return apply_parent(event);
    case EventKind::kCancel: cancel_ = event.failure; return;
    case EventKind::kResumed: reset_to_ = 0; return;
    case EventKind::kRecorded:
    case EventKind::kPatched: return;  // the code has what it asked for
    case EventKind::kReturned:
      returned_ = true;
      code_ended_in_ = sequence_ + 1;
      output_ = event.data;
      return;
    case EventKind::kThrew:
      threw_ = event.failure;
      code_ended_in_ = sequence_ + 1;
      return;
    case EventKind::kRollback: return apply_rollback(event);
    case EventKind::kStuck: return apply_stuck(event);
    case EventKind::kEnded: return apply_ended(event);
    case EventKind::kOperator: return apply_operator(event);
    default: return apply_to_step(event);
  }
}

void Instance::State::apply_to_step(const Event& event) {
  StepState* found = step(event.ordinal);
  SKALD_ASSERT(found != nullptr, address_.saga_id.c_str());
  switch (event.kind) {
    case EventKind::kSucceeded: return apply_succeeded(*found, event);
    case EventKind::kFailed: return apply_failed(*found, event);
    case EventKind::kAttempt: return apply_attempt(*found, event);
    case EventKind::kCompensating: return apply_compensating(*found, event);
    case EventKind::kAbandoned: return apply_abandoned(*found, event);
    case EventKind::kHeartbeat:
      found->checkpoint = event.data;
      found->beat_until = event.until;
      return;
    case EventKind::kDeferred: return apply_deferred(*found);
    case EventKind::kLateSuccess:
      found->has_output = true;
      found->output = event.data;
      return;
    case EventKind::kCompensated:
      found->undo = StepState::Undo::kDone;
      found->undo_until = found->undo_retry_at = std::nullopt;
      return;
    case EventKind::kCompensationFailed:
      found->undo = event.retry_at ? StepState::Undo::kWaiting : StepState::Undo::kRefused;
      found->undo_retry_at = event.retry_at;
      found->undo_until = std::nullopt;
      return;
    default: SKALD_ASSERT(false, "an event that is of no step");
  }
}

void Instance::State::apply_started(const Event& event) {
  forget_run();
  run_from_ = sequence_ + 1;
  input_ = event.data;
  trace_ = event.trace;
  deadline_ = event.close;
  started_at_ = now_;
  frame_ = Frame::kReady;
  if (!event.id.empty())
    parent_ =
        ParentCommand{event.id, event.step, event.reply_to, Phase::kAction, event.root, event.depth, false};
}

void Instance::State::apply_step(const Event& event) {
  StepState& step = *this->step(event.ordinal);
  step.scheduled_in = sequence_ + 1;
  if (event.again) {
    step.kept = step.slot.observed = false;
    step.group = event.group;
    forward_only_ = forward_only_ || step.pivot;
    return;
  }
  step.pivot = event.pivot;
  step.input = event.data;
  step.child_id = event.id;
  step.group = event.group;
  step.until = event.until;
  step.close = event.close;
  step.runner = event.runner;
  step.scheduled_at = now_;
  step.check_runner_at = now_ + kRunnerCheckInterval;
  if (event.held) {
    step.stage = StepState::Stage::kWaiting;
    step.attempt = 0;
    step.retry_at = event.retry_at;
  }
  activate(step.slot.ordinal);
}

void Instance::State::apply_timer(const Event& event) {
  Timer& timer = *timers_.back();
  timer.started_in = sequence_ + 1;
  timer.due = event.until.value_or(now_);
  timer.fired = timer.due <= now_;
}

void Instance::State::apply_parent(const Event& event) {
  const bool undo = event.phase == Phase::kCompensation;
  (undo ? undo_ : parent_) = ParentCommand{event.id,      event.step,     event.reply_to,       event.phase,
                                           parent_->root, parent_->depth, event.keeps_completed};
  if (!undo) return;
  if (status_ == SagaStatus::kCompleted) {
    move(Cause::kReopened);
    rollback_failure_ = event.failure;
  } else if (!cancel_) {
    cancel_ = event.failure;
  }
}

/// Live the handler has run already: judge has its answer.
void Instance::State::apply_update(const Event& event) {
  update_key_ = Mailbox::key(event.who, event.id);
  if (replaying_ == nullptr || !execution_) return;
  const auto answer = execution_->update(event.name, event.data);
  if (!answer && !replaying_->facts_only)
    replaying_->divergence =
        "history has " + describe(event) + ", which the code refuses: " + answer.error().message;
}

/// A local attempt that runs is not interrupted: what it returns is judged, and nobody waits for it.
void Instance::State::apply_abandoned(StepState& step, const Event& event) {
  step.abandoned = true;
  step.abandoned_in = sequence_ + 1;
  note_failed(step.slot.ordinal);
  if (!step.runs_here()) {
    step.unknown = step.unanswered();
    return settle(step, false, {event.failure.code, event.failure.message, Retry::never, step.unknown});
  }
  step.slot.settled = true;
  step.slot.failure = event.failure;
}

/// Where nobody waits for the step any more, nobody waits for its completion either: it may have taken effect.
void Instance::State::apply_deferred(StepState& step) {
  step.deferred = true;
  const bool rolls_back = status_ == SagaStatus::kRollingBack ||
                          (status_ == SagaStatus::kStuck && status_before_stuck_ == SagaStatus::kRollingBack);
  if (!rolls_back && !step.abandoned) return;
  step.unknown = true;
  settle(step, false,
         {std::string(failure_code::kAbandoned), "nobody waits for its completion", Retry::never, true});
}

void Instance::State::settle(StepState& step, bool succeeded, Failure failure) {
  step.stage = succeeded ? StepState::Stage::kSucceeded : StepState::Stage::kFailed;
  step.until = step.close = step.retry_at = step.beat_until = std::nullopt;
  step.unreadable = false;
  if (!succeeded) note_failed(step.slot.ordinal);
  if (step.slot.settled) return;
  step.slot.settled = true;
  step.slot.succeeded = succeeded;
  step.slot.output = step.output;
  step.slot.failure = std::move(failure);
}

void Instance::State::apply_succeeded(StepState& step, const Event& event) {
  step.output = event.data;
  step.has_output = true;
  step.unknown = false;
  if (step.pivot) forward_only_ = true;
  settle(step, true, {});
}

void Instance::State::apply_failed(StepState& step, const Event& event) {
  step.unknown = event.failure.unknown;
  step.until = step.beat_until = std::nullopt;
  if (step.pivot && step.unknown)
    step.close = std::nullopt;  // tried under its key until the outcome is known
  if (event.retry_at) {
    step.stage = StepState::Stage::kWaiting;
    step.retry_at = event.retry_at;
    return;
  }
  if (step.pivot && step.unknown && status_ == SagaStatus::kRunning) {
    step.stage = StepState::Stage::kFailed;  // the code must not decide on an outcome nobody knows: stuck
    note_failed(step.slot.ordinal);
    return;
  }
  settle(step, false, event.failure);
}

void Instance::State::apply_attempt(StepState& step, const Event& event) {
  step.check_runner_at = now_ + kRunnerCheckInterval;
  if (event.phase == Phase::kCompensation) {
    step.undo = StepState::Undo::kAttempting;
    step.undo_attempt = event.attempt;
    step.undo_until = event.until;
    step.undo_retry_at = std::nullopt;
    step.undo_runner = event.runner;
  } else {
    step.stage = StepState::Stage::kAttempting;
    step.unreadable = step.deferred = false;
    step.attempt = event.attempt;
    step.until = event.until;
    step.retry_at = std::nullopt;
    step.runner = event.runner;
  }
  activate(step.slot.ordinal);
}

void Instance::State::apply_rollback(const Event& event) {
  move(Cause::kRollback);
  reset_to_ = 0;
  rollback_is_cancel_ = event.reason == "cancel";
  rollback_failure_ = event.failure;
  close_frame();
  for (StepState& step : steps_) {
    if (!step.open()) continue;
    if (step.runs_here()) continue;  // it runs: its return is awaited
    const bool unknown = step.unanswered();
    step.unknown = unknown;
    settle(step, false, Failure{"abandoned", "the saga rolled back", Retry::never, unknown});
  }
}

void Instance::State::apply_compensating(StepState& step, const Event& event) {
  step.undo = event.held ? StepState::Undo::kWaiting : StepState::Undo::kAttempting;
  step.undo_attempt = event.held ? 0 : 1;
  step.undo_retry_at = event.retry_at;
  step.undo_input = event.data;
  step.undo_until = event.until;
  step.undo_runner = event.runner;
  step.undo_scheduled_at = now_;
  step.check_runner_at = now_ + kRunnerCheckInterval;
  activate(step.slot.ordinal);
}

void Instance::State::apply_stuck(const Event& event) {
  if (status_ != SagaStatus::kStuck) status_before_stuck_ = status_;
  move(Cause::kStuck);
  stuck_reason_ = event.reason;
  stuck_ordinal_ = event.ordinal;
  stuck_phase_ = event.phase;
  if (StepState* stuck = step(event.ordinal); stuck != nullptr && event.reason == "unreadable-reply")
    stuck->unreadable = true;
}

void Instance::State::apply_ended(const Event& event) {
  if (event.reason == "completed")
    move(Cause::kCompleted);
  else if (event.reason == "compensated")
    move(Cause::kCompensated);
  else if (event.reason == "cancelled")
    move(Cause::kCancelled);
  else
    move(Cause::kTerminated);
  ++endings_;
  close_frame();
  active_.clear();
}

void Instance::State::apply_operator(const Event& event) {
  stuck_reason_.clear();
  StepState* target = step(event.ordinal);
  if (event.reason == "end" || event.reason == "terminate") return;  // the kEnded that follows moves it
  if (event.reason == "pause" || event.reason == "resume") {
    paused_ = event.reason == "pause";
    return;
  }
  if (event.reason == "reset") return apply_reset(event);
  if (event.reason == "retry" && status_ != SagaStatus::kStuck)
    return;  // the attempts that follow are all of it
  if (event.reason == "compensate") {
    move(Cause::kCompensate);
    reset_to_ = 0;
    rollback_failure_ = event.failure;
    forward_only_ = false;
    close_frame();
    for (StepState& step : steps_) {
      if (step.undo == StepState::Undo::kRefused) step.undo = StepState::Undo::kOwedAgain;
      if (!step.open() || step.runs_here()) continue;
      step.unknown = step.unanswered();
      settle(step, false,
             Failure{"abandoned", "an operator rolled the saga back", Retry::never, step.unknown});
    }
    return;
  }
  if (status_ == SagaStatus::kStuck)
    move(status_before_stuck_ == SagaStatus::kRollingBack ? Cause::kResumedRollingBack
                                                          : Cause::kResumedForward);
  if (target == nullptr) return;
  if (event.reason == "skip") {
    if (event.phase == Phase::kCompensation) {
      target->undo = StepState::Undo::kDone;
    } else {
      target->output = event.data;
      target->has_output = true;
      if (target->pivot) forward_only_ = true;
      target->slot.settled = target->slot.observed = false;
      settle(*target, true, {});
      target->unknown = true;
    }
  } else if (event.phase == Phase::kAction && target->stage == StepState::Stage::kFailed) {
    if (!target->unknown) ++target->key_generation;  // a final refusal is final for its key
    target->slot.settled = false;
    target->slot.observed = false;
  }
}

void Instance::State::move(Cause cause) {
  const auto next = next_status(status_, cause);
  SKALD_ASSERT(next.has_value(), address_.saga_id.c_str());
  status_ = *next;
}

void Instance::State::activate(int ordinal) {
  if (std::find(active_.begin(), active_.end(), ordinal) == active_.end()) active_.push_back(ordinal);
}

void Instance::State::note_failed(int ordinal) {
  if (std::find(failed_.begin(), failed_.end(), ordinal) == failed_.end()) failed_.push_back(ordinal);
}

void Instance::State::deactivate_settled() {
  std::erase_if(active_, [this](int ordinal) {
    const StepState* active = step(ordinal);
    return !active->open() && !active->undo_open();
  });
}

void Instance::State::close_frame() {
  waiter_ = nullptr;
  closing_ = true;
  if (!keep_code_) execution_.reset();
  closing_ = false;
  frame_ = Frame::kNone;
}

}  // namespace skald::engine
