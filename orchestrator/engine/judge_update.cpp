// An update: tried on a copy of the saga's object, so that what its handler refuses has not happened; then made.
#include "engine/state.hpp"

namespace skald::engine {

std::optional<Ruling> applied_before(const Instance::State& state, const UpdateInput& input) {
  const auto before = state.answers_.find(Mailbox::key(input.source, input.id));
  if (before == state.answers_.end()) return std::nullopt;
  return Ruling{Judgement::kDuplicate, "the update was made before", before->second.text};
}

Ruling judge(Instance::State& state, const UpdateInput& input) {
  if (auto before = applied_before(state, input)) return std::move(*before);
  if (state.status_ == SagaStatus::kStuck)
    return {Judgement::kRefused, "the saga is stuck and takes no updates until an operator has decided"};
  if (!state.code_may_go_on() || state.execution() == nullptr)
    return {Judgement::kRefused, "the saga's code has ended and takes no updates"};
  const auto answer = state.execution()->try_update(input.name, input.data);
  if (!answer) return {Judgement::kRefused, answer.error().message};
  if (answer->size() > state.environment_.limits.maximum_payload_bytes)
    return {Judgement::kRefused, "the update's answer has " + std::to_string(answer->size()) +
                                     " bytes; the limit is " +
                                     std::to_string(state.environment_.limits.maximum_payload_bytes)};
  state.make_update(input.name, input.data);
  Event event;
  event.kind = EventKind::kUpdate;
  event.name = input.name;
  event.who = input.source;
  event.id = input.id;
  event.data = input.data;
  state.record(std::move(event));
  Event answered;
  answered.kind = EventKind::kAnswered;
  answered.data = *answer;
  state.record(std::move(answered));
  return {Judgement::kApplied, {}, *answer};
}

}  // namespace skald::engine
