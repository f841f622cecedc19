// Time has passed. Whatever fell due is recorded; nothing due means that only the wake-up bound moves. The runtime
// sends a Wake only after the replies that were in Kafka when it fell due have been judged.
#include <algorithm>

#include "engine/state.hpp"

namespace skald::engine {
namespace {

/// A runner newer than all that were known then registered after they were asked for: nobody knows it dead.
bool alive(const Wake& wake, Incarnation runner) {
  if (wake.live.empty()) return false;
  return std::find(wake.live.begin(), wake.live.end(), runner) != wake.live.end() ||
         runner > *std::max_element(wake.live.begin(), wake.live.end());
}

void wake_local(Instance::State& state, StepState& step, Phase phase, const Wake& wake) {
  const Incarnation runner = phase == Phase::kCompensation ? step.undo_runner : step.runner;
  if (alive(wake, runner)) {
    step.check_runner_at = state.now_ + kRunnerCheckInterval;
    return;
  }
  Failure failure{std::string(failure_code::kInterrupted), "the process that ran it is gone", Retry::allowed,
                  true};
  state.record_failure(step, phase, std::move(failure));
}

void wake_action(Instance::State& state, StepState& step) {
  const Time now = state.now_;
  const bool attempting = step.stage == StepState::Stage::kAttempting;
  if (step.close && *step.close <= now) {
    const bool unknown = step.unanswered();
    const Retry retry = step.pivot && unknown ? Retry::allowed : Retry::never;
    state.record_failure(step, Phase::kAction,
                         {std::string(failure_code::kTimeout), "schedule_to_close passed", retry, unknown});
  } else if (attempting && step.until && *step.until <= now) {
    state.record_failure(step, Phase::kAction,
                         {std::string(failure_code::kAttemptTimeout),
                          "start_to_close passed without an answer", Retry::allowed, true});
  } else if (attempting && step.beat_until && *step.beat_until <= now) {
    state.record_failure(
        step, Phase::kAction,
        {std::string(failure_code::kHeartbeatTimeout), "no heartbeat came any more", Retry::allowed, true});
  } else if (!attempting && step.retry_at && *step.retry_at <= now) {
    if (state.holds(step))
      step.retry_at = state.next_look(step.scheduled_at);
    else
      state.record_attempt(step, Phase::kAction);
  }
}

void wake_compensation(Instance::State& state, StepState& step) {
  if (step.undo == StepState::Undo::kAttempting && step.undo_until && *step.undo_until <= state.now_)
    state.record_failure(step, Phase::kCompensation,
                         {std::string(failure_code::kAttemptTimeout),
                          "start_to_close passed without an answer", Retry::allowed, true});
  else if (step.undo == StepState::Undo::kWaiting && step.undo_retry_at &&
           *step.undo_retry_at <= state.now_) {
    if (state.holds(step))
      step.undo_retry_at = state.next_look(step.undo_scheduled_at);
    else
      state.record_attempt(step, Phase::kCompensation);
  }
}

}  // namespace

Ruling judge(Instance::State& state, const Wake& input) {
  if (state.status_ == SagaStatus::kStuck || state.paused_) return {};
  if (state.begins_anew()) return state.record_next_run(), Ruling{};
  if (state.may_resume()) {
    Event event;
    event.kind = EventKind::kResumed;
    event.to = state.reset_to_;
    state.record(std::move(event));
    return {};
  }
  state.record_fired();
  if (state.deadline_waits()) {
    Event event;
    event.kind = EventKind::kCancel;
    event.failure = {std::string(failure_code::kDeadline), "the saga's deadline passed", Retry::never, false};
    state.record(std::move(event));
  }
  const std::vector<int> active = state.active_;
  for (const int ordinal : active) {
    if (state.status_ == SagaStatus::kStuck) break;
    StepState& step = *state.step(ordinal);
    if (step.open()) {
      if (step.runs_here())
        wake_local(state, step, Phase::kAction, input);
      else
        wake_action(state, step);
    } else if (step.undo_open()) {
      if (step.local() && step.undo == StepState::Undo::kAttempting)
        wake_local(state, step, Phase::kCompensation, input);
      else
        wake_compensation(state, step);
    }
  }
  return {};
}

}  // namespace skald::engine
