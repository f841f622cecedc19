// A parent's command to this saga, its child. The action started it; its compensation rolls it back: a saga that runs is
// cancelled (a shield of its code decides when), one that has completed goes back, one past its pivot cannot. The parent
// is answered when the saga has ended.
//
//   action        the same attempt      duplicate
//                 another attempt       the answer goes to that one; of an ended saga at once
//                 of somebody else      answered: this saga is not theirs
//   compensation  open                  cancelled; answered at the end
//                 completed             rolled back, unless it may stay or its pivot took effect: answered at once
//                 ended otherwise       answered at once
#include "engine/state.hpp"
#include "wire/command_id.hpp"

namespace skald::engine {
namespace {

/// Two commands of one step of one saga.
bool same_step(const ParentCommand& one, const ParentCommand& other) {
  const auto left = wire::parse_command_id(one.id);
  const auto right = wire::parse_command_id(other.id);
  return left && right && left->ns == right->ns && left->definition == right->definition &&
         left->saga_id == right->saga_id && left->ordinal == right->ordinal;
}

bool is_parent(const Instance::State& state, const ParentCommand& input) {
  return state.parent_ && same_step(*state.parent_, input);
}

bool came_before(const Instance::State& state, const ParentCommand& input) {
  const auto& last = input.phase == Phase::kAction ? state.parent_ : state.undo_;
  return last && last->id == input.id;
}

Message answer(const Environment& environment, const SagaAddress& address, const ParentCommand& command,
               const std::string* output, const Failure& failure) {
  wire::Reply reply;
  reply.id = command.id + "/answer";
  reply.step = command.step;
  reply.source = wire::source_of(environment.name_space, address.definition);
  if (auto id = wire::parse_command_id(command.id)) reply.saga_id = std::move(id->saga_id);
  reply.causation_id = command.id;
  reply.succeeded = output != nullptr;
  if (output != nullptr) reply.data = *output;
  const bool named = wire::is_valid_name(failure.code);
  reply.failure.code = named ? failure.code : "failed";
  reply.failure.message = named ? failure.message : failure.what();
  return wire::to_message(reply, command.reply_to);
}

Verdict answered(const Instance::State& state, Judgement judgement, std::string reason, Message message) {
  Transition transition;
  transition.status = state.status_;
  transition.stuck_reason = state.stuck_reason_;
  transition.stuck_step = state.stuck_step();
  transition.wake_at = state.wake_at_;
  transition.messages.push_back(std::move(message));
  return {judgement, std::move(reason), {}, std::move(transition)};
}

}  // namespace

Message refusal_of_child(const Environment& environment, const SagaAddress& address,
                         const ParentCommand& command, std::string reason) {
  // Nothing of the parent's took effect: there is nothing to undo.
  const std::string nothing = "{}";
  const bool undo = command.phase == Phase::kCompensation;
  return answer(environment, address, command, undo ? &nothing : nullptr,
                {std::string(failure_code::kChildRefused), std::move(reason), Retry::never, false});
}

Message Instance::State::answer_to(const ParentCommand& command) const {
  const std::string nothing = "{}";
  const bool undone = status_ == SagaStatus::kCompensated || status_ == SagaStatus::kCancelled;
  const std::string* output = nullptr;
  Failure failure = rollback_failure_;
  if (status_ == SagaStatus::kTerminated)
    failure = {std::string(failure_code::kTerminated), "the child saga was ended as it stood", Retry::never,
               false};
  if (command.phase == Phase::kAction) {
    if (status_ == SagaStatus::kCompleted) output = &output_;
  } else if (undone || (status_ == SagaStatus::kCompleted && command.keeps_completed)) {
    output = &nothing;
  } else if (status_ == SagaStatus::kCompleted) {
    failure = {std::string(failure_code::kPastPivot),
               "the child saga's pivot took effect: it only goes forward", Retry::never, false};
  }
  return answer(environment_, address_, command, output, failure);
}

std::optional<Verdict> answered_at_once(const Instance::State& state, const ParentCommand& input) {
  if (!is_parent(state, input)) {
    const std::string why = "a saga of this id exists that is no child of this step";
    return answered(state, Judgement::kRefused, why,
                    refusal_of_child(state.environment_, state.address_, input, why));
  }
  if (!is_ended(state.status_)) return std::nullopt;
  const bool undo = input.phase == Phase::kCompensation;
  const bool stays = state.forward_only_ || input.keeps_completed;
  if (undo && state.status_ == SagaStatus::kCompleted && !stays) return std::nullopt;
  return answered(state, Judgement::kDuplicate, "its parent is told what became of it",
                  state.answer_to(input));
}

Ruling judge(Instance::State& state, const ParentCommand& input) {
  if (came_before(state, input)) return {Judgement::kDuplicate, "the parent's command came before"};
  Event event;
  event.kind = EventKind::kParent;
  event.phase = input.phase;
  event.id = input.id;
  event.step = input.step;
  event.reply_to = input.reply_to;
  event.keeps_completed = input.keeps_completed;
  if (input.phase == Phase::kCompensation)
    event.failure = {std::string(failure_code::kCancelled), "the parent saga rolls back", Retry::never,
                     false};
  state.record(std::move(event));
  return {};
}

}  // namespace skald::engine
