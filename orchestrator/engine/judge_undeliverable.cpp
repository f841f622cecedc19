// Kafka refused a command for good: that attempt certainly had no effect, and the same command would be refused
// again. An action fails with code `undeliverable`; a compensation makes the saga stuck.
#include "engine/state.hpp"

namespace skald::engine {

Ruling judge(Instance::State& state, const Undeliverable& input) {
  StepState* step = state.step(input.id.ordinal);
  if (step == nullptr || step->local()) return {Judgement::kUnknown, "no such command step"};
  Failure failure{std::string(failure_code::kUndeliverable), input.reason, Retry::never, false};
  if (input.id.phase == Phase::kCompensation) {
    if (step->undo != StepState::Undo::kAttempting || step->undo_attempt != input.id.attempt)
      return {Judgement::kLate, "not the current attempt"};
    state.record_failure(*step, Phase::kCompensation, std::move(failure));
    return {};
  }
  if (step->stage != StepState::Stage::kAttempting || step->attempt != input.id.attempt)
    return {Judgement::kLate, "not the current attempt"};
  failure.unknown = step->unknown;
  state.record_failure(*step, Phase::kAction, std::move(failure));
  return {};
}

}  // namespace skald::engine
