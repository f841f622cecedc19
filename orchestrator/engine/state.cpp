// The building of a transition: begin, record, finish; and what the judges share: retry decisions and deadlines.
#include "engine/state.hpp"

#include <algorithm>
#include <utility>

#include "engine/retry.hpp"
#include "ports/footprint.hpp"
#include "skald/assert.hpp"
#include "wire/cloud_events.hpp"

namespace skald::engine {

Instance::State::State(const Environment& environment, const SagaDefinition& definition, SagaAddress address,
                       SagaKey key)
    : environment_(environment), definition_(definition), address_(std::move(address)), key_(key) {}

/// The frame first: what it holds may name steps, timers and waits.
Instance::State::~State() {
  closing_ = true;
  execution_.reset();
}

StepState* Instance::State::step(int ordinal) {
  return const_cast<StepState*>(std::as_const(*this).step(ordinal));
}

const StepState* Instance::State::step(int ordinal) const {
  const int place = ordinal - steps_before_;
  if (place < 1 || static_cast<std::size_t>(place) > steps_.size()) return nullptr;
  return &steps_[static_cast<std::size_t>(place) - 1];
}

void Instance::State::begin(const Moment& moment) {
  now_ = std::max(now_, moment.now);
  incarnation_ = moment.incarnation;
  pauses_ = moment.pauses;
  pending_.clear();
  code_ran_ = false;
}

namespace {

/// A sequence of UTF-8 that begins here: its length, 0 if it is none.
std::size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80                   ? 1
                             : lead >= 0xc2 && lead < 0xe0 ? 2
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                                                           : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t at = 1; at < length; ++at)
    if ((static_cast<unsigned char>(text[at]) & 0xc0) != 0x80) return 0;
  const auto second = static_cast<unsigned char>(length > 1 ? text[1] : 0);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool outside = (lead == 0xed && second > 0x9f) || (lead == 0xf4 && second > 0x8f);
  return overlong || outside ? 0 : length;
}

/// What exceptions say goes into history, which has to stay readable: no more than a reply may say, text only.
std::string storable(std::string_view message) {
  std::string text;
  while (!message.empty() && text.size() < wire::kMaximumFailureMessageBytes - 4) {
    const std::size_t length = message.front() == '\0' ? 0 : character_length(message);
    text += length == 0 ? "?" : message.substr(0, length);
    message.remove_prefix(std::max<std::size_t>(length, 1));
  }
  if (!message.empty()) text += "…";
  return text;
}

}  // namespace

void Instance::State::record(Event event) {
  if (!event.failure.message.empty()) event.failure.message = storable(event.failure.message);
  pending_.push_back(std::move(event));
  apply(pending_.back());
}

void Instance::State::record_stuck(std::string reason, int ordinal, std::string message, Phase phase) {
  Event event;
  event.kind = EventKind::kStuck;
  event.phase = phase;
  event.reason = std::move(reason);
  event.ordinal = ordinal;
  event.code_ran = code_ran_;
  event.failure.message = std::move(message);
  record(std::move(event));
}

void Instance::State::record_failure(StepState& step, Phase phase, Failure failure) {
  const bool undo = phase == Phase::kCompensation;
  const StepOptions& options = step.settings->options;
  const RetryPolicy& policy = undo ? options.compensation_retry : options.retry;
  const int attempt = undo ? step.undo_attempt : step.attempt;

  Event event;
  event.kind = undo ? EventKind::kCompensationFailed : EventKind::kFailed;
  event.ordinal = step.slot.ordinal;
  event.attempt = attempt;
  event.step = step.slot.step->name;

  const bool exhausted = policy.maximum_attempts > 0 && attempt >= policy.maximum_attempts;
  const bool late_start = !undo && options.schedule_to_start && failure.code == failure_code::kExpired;
  const bool may_retry = failure.retry == Retry::allowed && (undo || !step.abandoned) && !late_start &&
                         !policy.non_retryable.contains(failure.code) && !exhausted;
  const auto own_pause = retry_delay(policy, attempt, environment_.random->next());
  constexpr std::chrono::milliseconds kShortest{0}, kLongest{std::chrono::hours{24 * 366}};
  const Time retry_at = now_ + std::clamp(failure.retry_after.value_or(own_pause), kShortest, kLongest);
  if (undo) {
    if (may_retry) event.retry_at = retry_at;
  } else {
    const bool in_time = !step.close || retry_at < *step.close || (step.pivot && failure.unknown);
    if (may_retry && in_time && status_ != SagaStatus::kRollingBack) event.retry_at = retry_at;
  }
  if (!event.retry_at) failure.retry = Retry::never;
  event.failure = std::move(failure);
  const std::string what = event.failure.what();
  const bool refused = undo && !event.retry_at;
  record(std::move(event));
  if (refused) record_stuck("compensation-refused", step.slot.ordinal, what, Phase::kCompensation);
}

void Instance::State::record_attempt(StepState& step, Phase phase) {
  const StepOptions& options = step.settings->options;
  Event event;
  event.kind = EventKind::kAttempt;
  event.ordinal = step.slot.ordinal;
  event.step = step.slot.step->name;
  event.phase = phase;
  event.attempt = (phase == Phase::kCompensation ? step.undo_attempt : step.attempt) + 1;
  if (options.start_to_close)
    event.until = now_ + *options.start_to_close;
  else if (step.pivot && phase == Phase::kAction && options.schedule_to_close)
    event.until = now_ + *options.schedule_to_close;
  if (step.local()) event.runner = incarnation_;
  record(std::move(event));
}

bool Instance::State::holds(const StepState& step) const {
  return pauses_ != nullptr && pauses_->steps.contains(step.slot.step->name);
}

/// Nobody tells held steps that they may go: those held for long are looked at rarely.
Time Instance::State::next_look(Time scheduled_at) const {
  constexpr std::chrono::milliseconds kSoonest{5'000}, kLatest{60'000};
  const auto held_for = std::chrono::duration_cast<std::chrono::milliseconds>(now_ - scheduled_at);
  return now_ + std::clamp(held_for / 4, kSoonest, kLatest);
}

std::string Instance::State::idempotency_key(const StepState& step) const {
  std::string key = environment_.name_space + '/' + address_.definition + '/' + address_.saga_id + '/' +
                    std::to_string(step.slot.ordinal);
  if (step.key_generation > 0) key += "/retry-" + std::to_string(step.key_generation);
  return key;
}

bool Instance::State::code_may_go_on() const {
  return status_ == SagaStatus::kRunning && !returned_ && !continued_ && !threw_;
}

const detail::TimerSlot* Instance::State::timer(int ordinal) const {
  const int place = ordinal - timers_before_;
  if (place < 1 || static_cast<std::size_t>(place) > timers_.size()) return nullptr;
  return timers_[static_cast<std::size_t>(place) - 1].get();
}

void Instance::State::record_fired() {
  if (!code_may_go_on()) return;
  while (fired_ < timers_.size() && (timers_[fired_]->fired || timers_[fired_]->cancelled)) ++fired_;
  for (std::size_t index = fired_; index < timers_.size(); ++index) {
    const detail::TimerSlot& timer = *timers_[index];
    if (timer.fired || timer.cancelled || timer.due > now_) continue;
    Event event;
    event.kind = EventKind::kFired;
    event.ordinal = timer.ordinal;
    record(std::move(event));
  }
}

/// It has passed, and only a shield keeps it from rolling the saga back.
bool Instance::State::deadline_waits() const {
  return deadline_ && *deadline_ <= now_ && shields_ > 0 && !cancel_ && !forward_only_ && code_may_go_on();
}

Time Instance::State::next_timer() const {
  Time next = kNever;
  if (!code_may_go_on()) return next;
  for (std::size_t index = fired_; index < timers_.size(); ++index)
    if (!timers_[index]->fired && !timers_[index]->cancelled) next = std::min(next, timers_[index]->due);
  return next;
}

bool Instance::State::asleep() const { return status_ == SagaStatus::kRunning && active_.empty(); }

Time Instance::State::next_deadline() const {
  if (is_ended(status_) || status_ == SagaStatus::kStuck || paused_) return kNever;
  if (begins_anew() || spent_ || reset_is_due()) return now_;
  bool pivot_is_open = false;
  Time next = std::min(next_step_deadline(pivot_is_open), next_timer());
  const bool counts = deadline_ && !cancel_ && status_ == SagaStatus::kRunning;
  if (counts && reset_to_ == 0 && !forward_only_ && !pivot_is_open && !returned_ && !continued_)
    next = std::min(next, *deadline_);
  return next;
}

Time Instance::State::next_step_deadline(bool& pivot_is_open) const {
  Time next = kNever;
  const auto consider = [&next](const std::optional<Time>& time) {
    if (time && *time < next) next = *time;
  };
  for (const int ordinal : active_) {
    const StepState& step = *this->step(ordinal);
    pivot_is_open = pivot_is_open || (step.pivot && step.open());
    if (step.open()) {
      if (step.runs_here()) {
        consider(step.check_runner_at);
        continue;
      }
      consider(step.stage == StepState::Stage::kAttempting ? step.until : step.retry_at);
      consider(step.close);
      consider(step.beat_until);
    }
    if (step.undo == StepState::Undo::kAttempting)
      consider(step.local() ? step.check_runner_at : step.undo_until);
    if (step.undo == StepState::Undo::kWaiting) consider(step.undo_retry_at);
  }
  return next;
}

Transition Instance::State::finish() {
  SKALD_ASSERT(!pending_.empty(), address_.saga_id.c_str());
  Transition transition;
  HistoryEntry entry;
  entry.at = now_;
  if (build_ != environment_.build) entry.build = build_ = environment_.build;
  for (const Event& event : pending_) {
    effects(event, transition);
    observe(event, transition);
  }
  entry.events = std::move(pending_);
  pending_.clear();
  transition.row = HistoryRow{++sequence_, write_entry(entry)};
  transition.run_from = run_from_;
  history_bytes_ += transition.row->events.size();
  transition.status = status_;
  transition.stuck_reason = stuck_reason_;
  transition.stuck_step = stuck_step();
  transition.wake_at = wake_at_ = next_wake_up();
  return transition;
}

/// A lower bound of the next deadline that moves the row in the index as seldom as may be. Exact if steps set no
/// deadline and a timer does: it may be far away, and nobody is to be woken before it.
Time Instance::State::next_wake_up() const {
  const Time deadline = next_deadline();
  bool pivot_is_open = false;
  if (next_timer() != kNever && next_step_deadline(pivot_is_open) == kNever) return deadline;
  const bool first = sequence_ == run_from_ && deadline != kNever && environment_.first_wake_up;
  return std::min(first ? now_ + *environment_.first_wake_up : wake_at_, deadline);
}

Transition Instance::State::moved_wake_up() {
  Transition transition;
  transition.status = status_;
  transition.stuck_reason = stuck_reason_;
  transition.stuck_step = stuck_step();
  transition.wake_at = wake_at_ = next_deadline();
  return transition;
}

std::string_view Instance::State::stuck_step() const {
  const StepState* stuck = status_ == SagaStatus::kStuck ? step(stuck_ordinal_) : nullptr;
  return stuck == nullptr ? std::string_view{} : stuck->slot.step->name;
}

std::size_t Instance::State::memory_bytes() const {
  // A frame says to nobody how large it is, nor what hangs on it: this much, the input twice (as the code was given it
  // and as it took it), and each output, which it may hold.
  constexpr std::size_t kFrameBytes = 1024;
  const auto of = [](const Failure& failure) {
    return heap_bytes(failure.code) + heap_bytes(failure.message);
  };
  std::size_t bytes = block_bytes(sizeof(State)) + kFrameBytes + 3 * heap_bytes(input_) +
                      heap_bytes(output_) + heap_bytes(next_input_) + heap_bytes(address_.definition) +
                      heap_bytes(address_.saga_id) + heap_bytes(stuck_reason_) +
                      heap_bytes(trace_.traceparent) + heap_bytes(trace_.tracestate) +
                      heap_bytes(trace_.baggage) + heap_bytes(build_) + of(rollback_failure_) +
                      block_bytes((active_.capacity() + failed_.capacity()) * sizeof(int));
  bytes += timers_.size() * block_bytes(sizeof(Timer) + 3 * sizeof(void*));
  bytes += mailbox_.memory_bytes();
  constexpr std::size_t kNodeBytes = sizeof(std::pair<std::string, std::string>) + 4 * sizeof(void*);
  bytes += heap_bytes(update_key_) + (cancel_ ? of(*cancel_) : 0) + (threw_ ? of(*threw_) : 0);
  for (const auto* command : {&parent_, &undo_})
    if (*command)
      bytes += heap_bytes((*command)->id) + heap_bytes((*command)->step) + heap_bytes((*command)->reply_to) +
               heap_bytes((*command)->root);
  for (const auto& [name, has] : patches_) bytes += block_bytes(kNodeBytes) + heap_bytes(name);
  for (const auto& [key, answer] : answers_)
    bytes += block_bytes(kNodeBytes) + heap_bytes(key) + heap_bytes(answer.text);
  for (const StepState& step : steps_)
    bytes += block_bytes(sizeof(StepState)) + heap_bytes(step.input) + heap_bytes(step.child_id) +
             heap_bytes(step.checkpoint) + 2 * heap_bytes(step.output) + heap_bytes(step.slot.output) +
             heap_bytes(step.undo_input) + of(step.slot.failure);
  return bytes;
}

}  // namespace skald::engine
