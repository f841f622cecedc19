// An attempt of a local step returned, in the process that ran it. Success settles the step; a refusal is certain;
// anything else leaves the outcome unknown until another attempt says more.
#include "engine/state.hpp"

namespace skald::engine {
namespace {

using Kind = LocalOutcome::Kind;

Ruling compensation_returned(Instance::State& state, StepState& step, const LocalResult& input) {
  if (step.undo == StepState::Undo::kDone) return {Judgement::kDuplicate, "the step is compensated"};
  if (!step.undo_open()) return {Judgement::kUnknown, "the step is not being compensated"};
  if (input.outcome.kind == Kind::succeeded) {
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
  state.record_failure(step, Phase::kCompensation, input.outcome.failure);
  return {};
}

}  // namespace

Ruling judge(Instance::State& state, const LocalResult& input) {
  StepState* step = state.step(input.id.ordinal);
  if (step == nullptr || !step->local()) return {Judgement::kUnknown, "no such local step"};
  if (input.id.phase == Phase::kCompensation) return compensation_returned(state, *step, input);
  if (step->stage == StepState::Stage::kSucceeded) return {Judgement::kDuplicate, "the step has succeeded"};
  if (!step->open()) return {Judgement::kLate, "the step was given up"};
  if (input.outcome.kind == Kind::later) {
    if (!step->runs_here() || input.id.attempt != step->attempt)
      return {Judgement::kLate, "not the current attempt"};
    Event event;
    event.kind = EventKind::kDeferred;
    event.ordinal = step->slot.ordinal;
    event.step = step->slot.step->name;
    event.attempt = input.id.attempt;
    state.record(std::move(event));
    return {};
  }
  if (input.outcome.kind == Kind::succeeded) {
    Event event;
    event.kind = EventKind::kSucceeded;
    event.ordinal = step->slot.ordinal;
    event.step = step->slot.step->name;
    event.attempt = input.id.attempt;
    event.data = input.outcome.output;
    state.record(std::move(event));
    return {};
  }
  if (step->stage != StepState::Stage::kAttempting || input.id.attempt != step->attempt)
    return {Judgement::kLate, "not the current attempt"};
  Failure failure = input.outcome.failure;
  failure.unknown = step->unknown || input.outcome.kind == Kind::unknown;
  state.record_failure(*step, Phase::kAction, std::move(failure));
  return {};
}

}  // namespace skald::engine
