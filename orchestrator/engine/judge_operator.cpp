// An operator's decision about a stuck saga, refused if the saga moved since the operator looked. History says who
// and why; a result given for a skipped step is data in history, so that replay accepts it.
//
//   retry       goes on: the stuck step or compensation gets another attempt (a new key after a final refusal)
//   skip        the stuck step counts as done with the given result (of unknown outcome: a rollback compensates it),
//               the stuck compensation as done
//   compensate  rolls back from here, also past a pivot
//   end         terminated, nothing undone
//
// On a saga that is not stuck, retry sends at once what waits for its next attempt, and skip gives an open step its result.
//
// Four are for open sagas, whatever their sequence:
//
//   cancel      rolls back as a deadline does: after an open pivot, and unless a shield of the code decides otherwise
//   terminate   terminated, nothing undone
//   pause       nothing is sent and the code does not go on; what comes in is kept
//   resume      all of that happens now
//
// And reset, of a saga that runs or is stuck on its way forward: see reset.cpp.
#include "engine/state.hpp"

namespace skald::engine {
namespace {

std::string_view to_string(OperatorVerb verb) {
  switch (verb) {
    case OperatorVerb::retry: return "retry";
    case OperatorVerb::skip: return "skip";
    case OperatorVerb::compensate: return "compensate";
    case OperatorVerb::end: return "end";
    case OperatorVerb::cancel: return "cancel";
    case OperatorVerb::terminate: return "terminate";
    case OperatorVerb::pause: return "pause";
    case OperatorVerb::resume: return "resume";
    case OperatorVerb::reset: return "reset";
  }
  return "";
}

Event operator_event(const OperatorAction& input) {
  Event event;
  event.kind = EventKind::kOperator;
  event.reason = to_string(input.verb);
  event.ordinal = input.ordinal;
  event.who = input.who;
  event.why = input.why;
  return event;
}

Ruling retry(Instance::State& state, StepState* step, Event event) {
  if (step == nullptr) return state.record(std::move(event)), Ruling{};
  const Phase phase = state.stuck_phase_;
  if (phase == Phase::kAction && step->undo != StepState::Undo::kNone)
    return {Judgement::kRefused, "the step is compensated: compensate or end the saga"};
  // A compensation that could not even be built is built anew by the rules.
  const bool attempt = phase == Phase::kAction || step->undo == StepState::Undo::kRefused;
  event.phase = phase;
  state.record(std::move(event));
  if (attempt) state.record_attempt(*step, phase);
  return {};
}

Ruling skip_step(Instance::State& state, const StepState* step, Event event, const std::string& result) {
  if (result.empty()) return {Judgement::kRefused, "skip takes the result the step is to have"};
  const auto fits = step->slot.step->check_output(result);
  if (!fits)
    return {Judgement::kRefused, "the result does not fit the step's output: " + fits.error().message};
  event.data = result;
  return state.record(std::move(event)), Ruling{};
}

Ruling skip(Instance::State& state, StepState* step, Event event, const std::string& result) {
  if (step == nullptr) return {Judgement::kRefused, "no step is stuck: there is nothing to skip"};
  if (state.stuck_phase_ == Phase::kCompensation) {
    event.phase = Phase::kCompensation;
    return state.record(std::move(event)), Ruling{};
  }
  return skip_step(state, step, std::move(event), result);
}

/// An open step of a saga that is not stuck gets the result it is to have; what its attempts still answer is late.
Ruling skip_now(Instance::State& state, const OperatorAction& input) {
  if (input.sequence != state.sequence_)
    return {Judgement::kRefused,
            "the saga moved since you looked: it is at sequence " + std::to_string(state.sequence_)};
  StepState* step = state.step(input.ordinal);
  if (step == nullptr || !step->open())
    return {Judgement::kRefused,
            "skip names an open step by its ordinal; step #" + std::to_string(input.ordinal) + " is none"};
  if (step->runs_here())
    return {Judgement::kRefused,
            "step #" + std::to_string(input.ordinal) + " runs in a process now: it cannot be skipped"};
  if (state.status_ != SagaStatus::kRunning)
    return {Judgement::kRefused, "the saga rolls back: a compensation is skipped once it is stuck"};
  return skip_step(state, step, operator_event(input), input.result);
}

/// `input.ordinal`: that step, or every one that waits.
Ruling retry_now(Instance::State& state, const OperatorAction& input) {
  if (input.sequence != state.sequence_)
    return {Judgement::kRefused,
            "the saga moved since you looked: it is at sequence " + std::to_string(state.sequence_)};
  std::vector<std::pair<int, Phase>> waiting;
  for (const int ordinal : state.active_) {
    const StepState& step = *state.step(ordinal);
    if (input.ordinal != 0 && input.ordinal != ordinal) continue;
    if (step.stage == StepState::Stage::kWaiting) waiting.emplace_back(ordinal, Phase::kAction);
    if (step.undo == StepState::Undo::kWaiting) waiting.emplace_back(ordinal, Phase::kCompensation);
  }
  if (state.paused_) return {Judgement::kRefused, "the saga is paused: resume it"};
  if (waiting.empty())
    return {Judgement::kRefused, "no step waits for its next attempt: there is nothing to retry now"};
  state.record(operator_event(input));
  for (const auto& [ordinal, phase] : waiting) state.record_attempt(*state.step(ordinal), phase);
  return {};
}

Ruling cancel(Instance::State& state, const OperatorAction& input) {
  if (state.broken_) return {Judgement::kRefused, "history and code differ: " + state.broken_->message};
  if (state.status_ == SagaStatus::kStuck)
    return {Judgement::kRefused, "the saga is stuck: compensate rolls it back"};
  if (state.status_ == SagaStatus::kRollingBack) return {Judgement::kRefused, "the saga rolls back already"};
  if (state.cancel_)
    return {Judgement::kDuplicate, "the saga was cancelled before: " + state.cancel_->message};
  if (state.forward_only_)
    return {Judgement::kRefused, "the saga's pivot took effect: from there it only goes forward"};
  if (!state.code_may_go_on() && !state.continued_)
    return {Judgement::kRefused, "the saga's code has ended: what is under way is its end"};
  Event event;
  event.kind = EventKind::kCancel;
  event.who = input.who;
  event.why = input.why;
  event.failure = {std::string(failure_code::kCancelled), input.who + ": " + input.why, Retry::never, false};
  state.record(std::move(event));
  return {};
}

Ruling pause(Instance::State& state, const OperatorAction& input) {
  if (state.status_ == SagaStatus::kStuck)
    return {Judgement::kRefused, "the saga is stuck: nothing moves it"};
  if (state.paused_) return {Judgement::kDuplicate, "the saga is paused already"};
  return state.record(operator_event(input)), Ruling{};
}

Ruling resume(Instance::State& state, const OperatorAction& input) {
  if (!state.paused_) return {Judgement::kRefused, "the saga is not paused"};
  return state.record(operator_event(input)), Ruling{};
}

Ruling end(Instance::State& state, Event event) {
  state.record(std::move(event));
  Event ended;
  ended.kind = EventKind::kEnded;
  ended.reason = "terminated";
  state.record(std::move(ended));
  return {};
}

Ruling judge_wherever(Instance::State& state, const OperatorAction& input) {
  if (input.sequence != 0 && input.sequence != state.sequence_)
    return {Judgement::kRefused,
            "the saga moved since you looked: it is at sequence " + std::to_string(state.sequence_)};
  switch (input.verb) {
    case OperatorVerb::cancel: return cancel(state, input);
    case OperatorVerb::pause: return pause(state, input);
    case OperatorVerb::resume: return resume(state, input);
    default: return end(state, operator_event(input));
  }
}

Ruling judge_unstuck(Instance::State& state, const OperatorAction& input) {
  if (!state.broken_ && input.verb == OperatorVerb::retry) return retry_now(state, input);
  if (!state.broken_ && input.verb == OperatorVerb::skip) return skip_now(state, input);
  return {Judgement::kRefused, "the saga is not stuck"};
}

}  // namespace

Ruling judge(Instance::State& state, const OperatorAction& input) {
  if (is_wherever(input.verb)) return judge_wherever(state, input);
  if (input.verb == OperatorVerb::reset) return judge_reset(state, input, operator_event(input));
  if (state.status_ != SagaStatus::kStuck) return judge_unstuck(state, input);
  if (input.sequence != state.sequence_ || input.ordinal != state.stuck_ordinal_)
    return {Judgement::kRefused, "the saga moved since you looked: it is stuck at sequence " +
                                     std::to_string(state.sequence_) + ", step #" +
                                     std::to_string(state.stuck_ordinal_)};
  if (state.broken_ && input.verb != OperatorVerb::end)
    return {Judgement::kRefused, "history and code still differ: " + state.broken_->message};
  StepState* step = state.step(input.ordinal);
  Event event = operator_event(input);
  switch (input.verb) {
    case OperatorVerb::retry: return retry(state, step, std::move(event));
    case OperatorVerb::skip: return skip(state, step, std::move(event), input.result);
    case OperatorVerb::compensate:
      event.failure = {"operator", input.who + ": " + input.why, Retry::never, false};
      state.record(std::move(event));
      return {};
    default: return end(state, std::move(event));
  }
}

}  // namespace skald::engine
