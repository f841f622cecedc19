// A participant's reply. Any attempt's success settles a step; only the current attempt's failure does. A late
// success of a step that was given up is known to its compensation, or has been answered by it already.
//
//   action       open        success -> succeeded          failure -> tried again, or failed
//                succeeded   success -> duplicate          failure -> late
//                failed      success -> late_success while its compensation is not yet sent, else late
//   compensation open        success -> compensated        failure -> tried again, or stuck
//                done        success -> duplicate          failure -> late
#include "engine/state.hpp"

namespace skald::engine {
namespace {

Ruling action_succeeded(Instance::State& state, StepState& step, const ReplyInput& input) {
  if (step.stage == StepState::Stage::kSucceeded) return {Judgement::kDuplicate, "the step has succeeded"};
  const auto fits = step.slot.step->check_output(input.data);
  if (!fits) {
    if (!step.open()) return {Judgement::kMismatch, fits.error().message};
    if (input.step.empty())  // somebody who is told, and can say it again
      return {Judgement::kRefused, "the output does not fit the step's: " + fits.error().message};
    state.record_stuck("unreadable-reply", step.slot.ordinal,
                       "reply of " + std::string(step.slot.step->name) +
                           " does not fit its output: " + fits.error().message);
    return {};
  }
  Event event;
  event.ordinal = step.slot.ordinal;
  event.step = step.slot.step->name;
  event.attempt = input.id.attempt;
  event.data = input.data;
  if (step.open()) {
    event.kind = EventKind::kSucceeded;
    state.record(std::move(event));
    return {};
  }
  const bool undo_unsent = step.unknown && !step.has_output && step.undo == StepState::Undo::kNone;
  if (!undo_unsent) return {Judgement::kLate, "the step was given up and is compensated"};
  event.kind = EventKind::kLateSuccess;
  state.record(std::move(event));
  return {};
}

Ruling action_failed(Instance::State& state, StepState& step, const ReplyInput& input) {
  if (step.stage != StepState::Stage::kAttempting) return {Judgement::kLate, "the step is not attempting"};
  if (input.id.attempt != step.attempt) return {Judgement::kLate, "not the current attempt"};
  Failure failure = input.failure;
  // An inbox answers a final refusal only if no attempt under this key took effect; other failures speak for their
  // own attempt.
  failure.unknown = failure.retry == Retry::allowed && step.unknown;
  state.record_failure(step, Phase::kAction, std::move(failure));
  return {};
}

Ruling compensation_answered(Instance::State& state, StepState& step, const ReplyInput& input) {
  if (step.undo == StepState::Undo::kNone) return {Judgement::kUnknown, "the step is not being compensated"};
  if (step.undo == StepState::Undo::kDone)
    return {input.succeeded ? Judgement::kDuplicate : Judgement::kLate, "the step is compensated"};
  if (input.id.attempt > step.undo_attempt) return {Judgement::kUnknown, "an attempt that was never made"};
  if (input.succeeded) {
    Event event;
    event.kind = EventKind::kCompensated;
    event.ordinal = step.slot.ordinal;
    event.step = step.slot.step->name;
    event.attempt = input.id.attempt;
    state.record(std::move(event));
    return {};
  }
  if (step.undo != StepState::Undo::kAttempting || input.id.attempt != step.undo_attempt)
    return {Judgement::kLate, "not the current attempt"};
  state.record_failure(step, Phase::kCompensation, input.failure);
  return {};
}

}  // namespace

Ruling judge(Instance::State& state, const ReplyInput& input) {
  StepState* step = state.step(input.id.ordinal);
  if (step == nullptr && input.id.ordinal >= 1 && input.id.ordinal <= state.steps_before_)
    return {Judgement::kLate, "the step is of a run before this one"};
  if (step == nullptr)
    return {Judgement::kUnknown, "step #" + std::to_string(input.id.ordinal) + " was never scheduled"};
  if (step->runs_here())
    return {Judgement::kMismatch,
            "step #" + std::to_string(input.id.ordinal) +
                " runs in this very process: it has not been left to be completed later"};
  if (!input.step.empty() && step->slot.step->name != input.step)
    return {Judgement::kMismatch, "step #" + std::to_string(input.id.ordinal) + " is " +
                                      std::string(step->slot.step->name) + ", the reply is of " + input.step};
  if (input.id.phase == Phase::kCompensation) return compensation_answered(state, *step, input);
  if (input.id.attempt > step->attempt) return {Judgement::kUnknown, "an attempt that was never made"};
  return input.succeeded ? action_succeeded(state, *step, input) : action_failed(state, *step, input);
}

}  // namespace skald::engine
