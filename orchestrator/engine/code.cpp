// The saga's code at work: letting it go on, and taking what it does as events. While history lasts an event is
// consumed and compared, then it is appended.
#include <algorithm>
#include <utility>

#include "engine/state.hpp"
#include "skald/assert.hpp"
#include "wire/cloud_events.hpp"

namespace skald::engine {

std::string describe(const Event& event) {
  std::string text = "`" + std::string(to_string(event.kind));
  if (!event.step.empty()) text += " " + std::string(event.pivot ? "(pivot) " : "") + event.step;
  if (!event.name.empty()) text += " " + event.name;
  if (event.ordinal > 0) text += " #" + std::to_string(event.ordinal);
  if (event.kind == EventKind::kTimer && event.until) text += " until " + wire::format_time(*event.until);
  if (!event.failure.code.empty()) text += " " + event.failure.what();
  return text + "`";
}

namespace {

/// Where two payloads part, for the reader of a divergence.
std::string difference(const std::string& had, const std::string& wants) {
  constexpr std::size_t kShown = 60;
  std::size_t at = 0;
  while (at < had.size() && at < wants.size() && had[at] == wants[at]) ++at;
  const std::size_t from = at < 20 ? 0 : at - 20;
  return "history has …" + had.substr(from, kShown) + "… and the code gives …" + wants.substr(from, kShown) +
         "… (byte " + std::to_string(at) + ")";
}

}  // namespace

void Instance::State::pump() {
  pending_before_code_ = pending_.size();
  records_ = 0;
  steps_before_code_ = steps_.size();
  timers_before_code_ = timers_.size();
  waits_before_code_ = mailbox_.waits();
  failed_before_code_ = failed_.size();
  given_up_.clear();
  const bool waits = paused_ || spent_ || reset_to_ != 0;
  if (status_ != SagaStatus::kRunning || waits || continued_ || cancel_takes_effect()) return;
  run_code();
  if (continued_) close_frame();
  if (frame_ == Frame::kSuspended && execution_ && execution_->done()) end_of_code();
  if (replaying_ != nullptr) return;
  code_ran_ = !defect_;
  if (!defect_) return given_up_.clear();
  drop_code_events();
  const Defect defect = std::move(*defect_);
  defect_.reset();
  record_stuck(defect.reason, defect.ordinal, defect.message);
}

bool Instance::State::is_void() const {
  return closing_ || defect_ || (replaying_ != nullptr && !replaying_->divergence.empty());
}

void Instance::State::run_code() {
  if (frame_ == Frame::kReady) {
    auto execution = definition_.execution(*this, input_);
    if (!execution) return defect("unreadable-input", execution.error().message);
    execution_ = std::move(execution).value();
    frame_ = Frame::kSuspended;
    execution_->start();
  }
  while (frame_ == Frame::kSuspended && waiter_ != nullptr && waiter_->ready() && !is_void())
    std::exchange(waiter_, nullptr)->handle.resume();
}

void Instance::State::end_of_code() {
  detail::RunResult result = execution_->result();
  if (is_void()) return;
  Event event;
  switch (result.kind) {
    case detail::RunResult::Kind::defect:
      return defect("exception",
                    "run threw " + result.failure.message +
                        ": only StepFailed and SagaFailed roll back, anything else is taken as a defect");
    case detail::RunResult::Kind::failed:
      if (forward_only_) {
        const StepState* failed = step(result.ordinal);
        const bool may_retry = failed != nullptr && failed->undo == StepState::Undo::kNone;
        return defect("failed-after-pivot", result.failure.what(), may_retry ? result.ordinal : 0);
      }
      frame_ = Frame::kThrew;
      event.kind = EventKind::kThrew;
      event.failure = std::move(result.failure);
      break;
    case detail::RunResult::Kind::returned:
      if (result.output.size() > environment_.limits.maximum_payload_bytes)
        return defect("payload-limit", "the saga's output has " + std::to_string(result.output.size()) +
                                           " bytes; the limit is " +
                                           std::to_string(environment_.limits.maximum_payload_bytes));
      frame_ = Frame::kReturned;
      event.kind = EventKind::kReturned;
      event.data = std::move(result.output);
      break;
  }
  code_event(std::move(event));
}

detail::Slot& Instance::State::schedule(const StepDefinition& definition, std::string input, bool pivot) {
  if (takes_nothing()) return dead_slot(definition);
  if (input.size() > environment_.limits.maximum_payload_bytes) {
    defect("payload-limit", "input of step " + std::string(definition.name) + " has " +
                                std::to_string(input.size()) + " bytes; the limit is " +
                                std::to_string(environment_.limits.maximum_payload_bytes));
    return dead_slot(definition);
  }
  if (starts_too_much()) return dead_slot(definition);
  const auto settings = environment_.steps.find(definition.name);
  if (settings == environment_.steps.end()) {
    defect("unknown-step", "step " + std::string(definition.name) + " has no settings in this process");
    return dead_slot(definition);
  }
  if (StepState* kept = kept_step(definition, input, pivot); kept != nullptr) return take_over(*kept);
  auto child = child_id(definition, input);
  if (!child) return dead_slot(definition);
  StepState& step = steps_.emplace_back();
  step.slot.step = &definition;
  step.slot.ordinal = steps_before_ + static_cast<int>(steps_.size());
  step.settings = &settings->second;

  Event event;
  event.kind = EventKind::kStep;
  event.ordinal = step.slot.ordinal;
  event.step = definition.name;
  event.id = std::move(*child);
  event.group = open_groups_ > 0 ? groups_ : 0;
  event.pivot = pivot;
  event.data = std::move(input);
  const StepOptions& options = settings->second.options;
  if (options.schedule_to_close) event.close = now_ + *options.schedule_to_close;
  event.held = holds(step);
  if (event.held) {
    event.retry_at = next_look(now_);
  } else {
    if (options.start_to_close) event.until = now_ + *options.start_to_close;
    if (step.local()) event.runner = incarnation_;
  }
  code_event(std::move(event));
  return is_void() ? dead_slot(definition) : step.slot;
}

detail::Slot& Instance::State::dead_slot(const StepDefinition& definition) {
  detail::Slot& slot = dead_slots_.emplace_back();
  slot.step = &definition;
  return slot;
}

bool Instance::State::starts_too_much() {
  const std::size_t started = steps_.size() - steps_before_code_ + timers_.size() - timers_before_code_ +
                              mailbox_.waits() - waits_before_code_ + records_;
  const int maximum = environment_.limits.maximum_steps_per_transition;
  if (started < static_cast<std::size_t>(maximum)) return false;
  defect("step-limit", "the code started more than " + std::to_string(maximum) +
                           " steps, timers, waits and records without waiting for any");
  return true;
}

detail::TimerSlot& Instance::State::start_timer(Time due) {
  if (takes_nothing() || starts_too_much()) return dead_timer_;
  const int ordinal = timers_before_ + static_cast<int>(timers_.size()) + 1;
  if (due > std::min(now_ + environment_.limits.maximum_sleep, kNever - std::chrono::milliseconds(1))) {
    defect("timer-limit", "timer #" + std::to_string(ordinal) + " is due in more than " +
                              std::to_string(environment_.limits.maximum_sleep.count()) + " days");
    return dead_timer_;
  }
  auto timer = std::make_unique<Timer>();
  timer->ordinal = ordinal;
  timers_.push_back(std::move(timer));
  Event event;
  event.kind = EventKind::kTimer;
  event.ordinal = ordinal;
  event.until = std::max(due, now_);  // the past is now: history says when it returned
  code_event(std::move(event));
  return is_void() ? dead_timer_ : *timers_.back();
}

void Instance::State::code_event(Event event) {
  if (replaying_ == nullptr) return record(std::move(event));
  if (!consume(event)) return;
  apply((*replaying_->events)[replaying_->next++]);
}

/// Patches that the code does not ask for any more stand for nothing.
void Instance::State::skip_patches() {
  Replay& replay = *replaying_;
  while (replay.next < replay.events->size() && (*replay.events)[replay.next].kind == EventKind::kPatched)
    ++replay.next;
}

bool Instance::State::consume(const Event& event) {
  Replay& replay = *replaying_;
  skip_patches();
  if (replay.next >= replay.events->size() ||
      origin_of((*replay.events)[replay.next].kind) != EventOrigin::kCode) {
    replay.divergence = "the code goes on with " + describe(event) + ", where history has nothing more of it";
    return false;
  }
  const Event& had = (*replay.events)[replay.next];
  if (had.kind != event.kind || had.step != event.step || had.name != event.name ||
      had.ordinal != event.ordinal || had.pivot != event.pivot || had.failure.code != event.failure.code ||
      (event.kind == EventKind::kTimer && had.until != event.until)) {
    replay.divergence = "history has " + describe(had) + ", the code gives " + describe(event);
    return false;
  }
  if (had.data != event.data) {
    replay.divergence = describe(event) + ": " + difference(had.data, event.data);
    return false;
  }
  return true;
}

void Instance::State::defect(std::string reason, std::string message, int ordinal) {
  if (!defect_) defect_ = Defect{std::move(reason), std::move(message), ordinal};
}

/// What a defective run did in this transition never happened: the row holds the inbound events and the reason, so
/// that a retry with mended code starts before the defect.
void Instance::State::drop_code_events() {
  close_frame();
  pending_.resize(pending_before_code_);
  while (steps_.size() > steps_before_code_) {
    std::erase(active_, steps_before_ + static_cast<int>(steps_.size()));
    steps_.pop_back();
  }
  for (const StepState& before : given_up_)
    if (StepState* given_up = step(before.slot.ordinal); given_up != nullptr) *given_up = before;
  given_up_.clear();
  failed_.resize(std::min(failed_.size(), failed_before_code_));
  timers_.resize(std::min(timers_.size(), timers_before_code_));
  mailbox_.forget_waits(waits_before_code_);
  fired_ = std::min(fired_, timers_.size());
  returned_ = continued_ = false;
  threw_.reset();
}

}  // namespace skald::engine
