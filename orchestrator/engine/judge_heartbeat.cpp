// An attempt says that it lives and how far it has come. Kept in history, since the next attempt, in whatever process,
// begins where this one was.
#include "engine/state.hpp"

namespace skald::engine {

Ruling judge(Instance::State& state, const HeartbeatInput& input) {
  StepState* step = state.step(input.id.ordinal);
  const std::string which = "step #" + std::to_string(input.id.ordinal);
  if (step == nullptr && input.id.ordinal >= 1 && input.id.ordinal <= state.steps_before_)
    return {Judgement::kLate, "the step is of a run before this one"};
  if (step == nullptr) return {Judgement::kUnknown, which + " was never scheduled"};
  if (!input.step.empty() && step->slot.step->name != input.step)
    return {Judgement::kMismatch,
            which + " is " + std::string(step->slot.step->name) + ", the heartbeat is of " + input.step};
  if (input.id.phase == Phase::kCompensation)
    return {Judgement::kMismatch, "a compensation has no heartbeat"};
  if (input.id.attempt > step->attempt) return {Judgement::kUnknown, "an attempt that was never made"};
  if (step->stage != StepState::Stage::kAttempting || input.id.attempt != step->attempt)
    return {Judgement::kLate, "not the current attempt"};
  const std::size_t maximum = state.environment_.limits.maximum_heartbeat_bytes;
  if (input.details.size() > maximum)
    return {Judgement::kMismatch, "the heartbeat's details have " + std::to_string(input.details.size()) +
                                      " bytes; the limit is " + std::to_string(maximum)};
  Event event;
  event.kind = EventKind::kHeartbeat;
  event.ordinal = input.id.ordinal;
  event.step = step->slot.step->name;
  event.attempt = input.id.attempt;
  event.data = input.details;
  const auto& limit = step->settings->options.heartbeat;
  if (limit && !step->runs_here())
    event.until = state.now_ + *limit;  // a local attempt is watched by who runs it
  state.record(std::move(event));
  return {};
}

}  // namespace skald::engine
