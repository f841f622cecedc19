// What a recorded event causes outside: commands, local attempts, the outcome event, and observations for metrics.
#include <algorithm>

#include "engine/state.hpp"
#include "skald/json.hpp"

namespace skald::engine {
namespace {

std::string outcome_data(const SagaAddress& address, const Event& ended) {
  json::Writer writer;
  writer.begin_object();
  writer.key("saga_id");
  writer.string(address.saga_id);
  writer.key("definition");
  writer.string(address.definition);
  writer.key("outcome");
  writer.string(ended.reason);
  if (!ended.failure.code.empty()) {
    writer.key("code");
    writer.string(ended.failure.code);
    writer.key("message");
    writer.string(ended.failure.message);
  }
  if (!ended.data.empty()) {
    writer.key("output");
    writer.raw(ended.data);
  }
  writer.end_object();
  return writer.take();
}

}  // namespace

void Instance::State::effects(const Event& event, Transition& transition) {
  switch (event.kind) {
    case EventKind::kStep:
      if (!event.held && !event.again) send_attempt(event, Phase::kAction, 1, transition);
      return;
    case EventKind::kAttempt: return send_attempt(event, event.phase, event.attempt, transition);
    case EventKind::kCompensating:
      if (!event.held) send_attempt(event, Phase::kCompensation, 1, transition);
      return;
    case EventKind::kEnded: return tell_outcome(event, transition);
    default: return;
  }
}

void Instance::State::tell_outcome(const Event& event, Transition& transition) {
  if (undo_)
    transition.messages.push_back(answer_to(*undo_));
  else if (parent_)
    transition.messages.push_back(answer_to(*parent_));
  if (environment_.lifecycle_topic.empty()) return;
  wire::OutcomeEvent outcome;
  outcome.source = wire::source_of(environment_.name_space, address_.definition);
  outcome.id = environment_.name_space + '/' + address_.definition + '/' + address_.saga_id + "/outcome";
  if (endings_ > 1) outcome.id += '/' + std::to_string(endings_);
  if (parent_) outcome.root = parent_->root;
  outcome.type = "saga." + event.reason;
  outcome.saga_id = address_.saga_id;
  outcome.time = now_;
  outcome.trace = trace_;
  outcome.data = outcome_data(address_, event);
  transition.messages.push_back(wire::to_message(outcome, environment_.lifecycle_topic));
}

void Instance::State::send_attempt(const Event& event, Phase phase, int attempt, Transition& transition) {
  const StepState& step = *this->step(event.ordinal);
  const bool undo = phase == Phase::kCompensation;
  if (step.local()) {
    LocalAttempt local{
        step.slot.step, {event.ordinal, phase, attempt}, step.input, {}, idempotency_key(step), {}, {}, {}};
    if (!undo) {
      local.checkpoint = step.checkpoint;
      local.heartbeat = step.settings->options.heartbeat;
    }
    if (undo && step.has_output) local.output = step.output;
    local.deadline = event.until;
    if (!undo && step.close && (!local.deadline || *step.close < *local.deadline))
      local.deadline = step.close;
    transition.local_attempts.push_back(std::move(local));
    return;
  }
  wire::Command command;
  command.id = wire::format(wire::CommandId{environment_.name_space, address_.definition, address_.saga_id,
                                            event.ordinal, phase, attempt});
  command.step = step.slot.step->name;
  command.source = wire::source_of(environment_.name_space, address_.definition);
  command.saga_id = address_.saga_id;
  command.idempotency_key = idempotency_key(step);
  command.phase = phase;
  command.attempt = attempt;
  if (!undo && !step.pivot) {
    command.expiry = event.kind == EventKind::kStep ? event.close : step.close;
    if (const auto limit = step.settings->options.schedule_to_start)
      command.expiry = std::min(command.expiry.value_or(kNever), now_ + *limit);
  }
  command.reply_to = environment_.reply_topic;
  command.trace = trace_;
  command.data = undo && !step.child() ? step.undo_input : step.input;
  if (!undo) command.checkpoint = step.checkpoint;
  if (step.child()) command.child = child_target(step);
  transition.messages.push_back(wire::to_message(command, step.settings->topic));
}

wire::ChildTarget Instance::State::child_target(const StepState& step) const {
  wire::ChildTarget target;
  target.definition = step.slot.step->child;
  target.saga_id = step.child_id;
  if (step.key_generation > 0) target.saga_id += "/retry-" + std::to_string(step.key_generation);
  const bool has_root = parent_ && !parent_->root.empty();
  if (!step.left_alone())
    target.root = has_root ? parent_->root
                           : environment_.name_space + '/' + address_.definition + '/' + address_.saga_id;
  target.depth = parent_ ? parent_->depth + 1 : 1;
  target.keeps_completed = step.slot.step->parent_close == ParentClose::cancel;
  return target;
}

void Instance::State::observe(const Event& event, Transition& transition) {
  const bool done = event.kind == EventKind::kSucceeded || event.kind == EventKind::kCompensated;
  const bool failed = event.kind == EventKind::kFailed || event.kind == EventKind::kCompensationFailed;
  if (!done && (!failed || event.retry_at)) return;
  const StepState& step = *this->step(event.ordinal);
  const bool undo = event.kind == EventKind::kCompensated || event.kind == EventKind::kCompensationFailed;
  StepObservation observation;
  observation.step = step.slot.step->name;
  observation.phase = undo ? Phase::kCompensation : Phase::kAction;
  observation.succeeded = done;
  observation.unknown = event.failure.unknown;
  observation.attempts = undo ? step.undo_attempt : step.attempt;
  observation.duration = now_ - (undo ? step.undo_scheduled_at : step.scheduled_at);
  transition.observations.push_back(observation);
}

}  // namespace skald::engine
