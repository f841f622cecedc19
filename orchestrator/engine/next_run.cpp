// Continue-as-new. A run that ended with it waits for its steps, then for a wake-up, and in a row of its own the next one
// begins: with a kStarted that has the new input, a kCarried with the counts and ids that go on, and once more what came
// for the saga and nobody has taken. From that row alone the run is replayed.
#include <algorithm>

#include "engine/state.hpp"
#include "skald/fields.hpp"

namespace skald::engine {
namespace {

struct CarriedAnswer {
  std::string update;  ///< Mailbox::key
  std::string answer;
};
SKALD_FIELDS(CarriedAnswer, update, answer)

struct Carried {
  std::int32_t steps = 0;
  std::int32_t timers = 0;
  std::int64_t draws = 0;
  std::int32_t groups = 0;
  std::vector<std::string> seen;
  std::vector<CarriedAnswer> answers;
};
SKALD_FIELDS(Carried, steps, timers, draws, groups, seen, answers)

/// Signals that nobody has read, in the order in which they came.
std::vector<Event> unread_signals(const Mailbox& mailbox) {
  std::vector<std::pair<std::uint64_t, Event>> signals;
  for (const auto& [name, unread] : mailbox.unread_signals()) {
    for (const Mailbox::Unread& one : unread) {
      Event event;
      event.kind = EventKind::kSignal;
      event.name = name;
      const std::size_t end_of_source = one.key.find('\n');
      event.who = one.key.substr(0, end_of_source);
      event.id = one.key.substr(end_of_source + 1);
      event.data = one.data;
      signals.emplace_back(one.number, std::move(event));
    }
  }
  std::sort(signals.begin(), signals.end(),
            [](const auto& left, const auto& right) { return left.first < right.first; });
  std::vector<Event> ordered;
  ordered.reserve(signals.size());
  for (auto& [number, event] : signals) ordered.push_back(std::move(event));
  return ordered;
}

}  // namespace

bool Instance::State::begins_anew() const {
  if (!continued_ || reset_to_ != 0 || status_ != SagaStatus::kRunning) return false;
  const bool open = std::any_of(steps_.begin(), steps_.end(),
                                [](const StepState& step) { return step.open() && !step.left_alone(); });
  return !open && debts_settled();
}

void Instance::State::record_next_run() {
  Event started;
  started.kind = EventKind::kStarted;
  started.data = next_input_;
  started.why = "itself: it continues as new";
  started.trace = trace_;
  if (deadline_) started.close = now_ + (*deadline_ - started_at_);
  if (parent_) {
    started.id = parent_->id;
    started.step = parent_->step;
    started.reply_to = parent_->reply_to;
    started.root = parent_->root;
    started.depth = parent_->depth;
  }
  Carried carried;
  carried.steps = steps_before_ + static_cast<int>(steps_.size());
  carried.timers = timers_before_ + static_cast<int>(timers_.size());
  carried.draws = static_cast<std::int64_t>(draws_);
  carried.groups = groups_;
  carried.seen = mailbox_.newest_seen(environment_.limits.maximum_carried_ids);
  std::vector<std::pair<std::size_t, CarriedAnswer>> answers;
  answers.reserve(answers_.size());
  for (const auto& [update, answer] : answers_)
    answers.emplace_back(answer.number, CarriedAnswer{update, answer.text});
  std::sort(answers.begin(), answers.end(),
            [](const auto& left, const auto& right) { return left.first < right.first; });
  const std::size_t forgotten =
      answers.size() - std::min(answers.size(), environment_.limits.maximum_carried_ids);
  for (std::size_t index = forgotten; index < answers.size(); ++index)
    carried.answers.push_back(std::move(answers[index].second));
  Event kept;
  kept.kind = EventKind::kCarried;
  kept.data = to_json(carried);
  std::vector<Event> more = unread_signals(mailbox_);
  if (cancel_ && !undo_) {
    Event& cancel = more.emplace_back();
    cancel.kind = EventKind::kCancel;
    cancel.failure = *cancel_;
  }
  if (undo_) {
    Event& undo = more.emplace_back();
    undo.kind = EventKind::kParent;
    undo.phase = Phase::kCompensation;
    undo.id = undo_->id;
    undo.step = undo_->step;
    undo.reply_to = undo_->reply_to;
    undo.keeps_completed = undo_->keeps_completed;
    undo.failure = *cancel_;
  }
  record(std::move(started));
  record(std::move(kept));
  for (Event& event : more) record(std::move(event));
}

/// All that is of one run and not of the saga.
void Instance::State::forget_run() {
  close_frame();
  closing_ = true;
  execution_.reset();  // though it was kept for queries
  closing_ = false;
  steps_.clear();
  timers_.clear();
  mailbox_ = Mailbox();
  answers_.clear();
  active_.clear();
  failed_.clear();
  patches_.clear();
  cancel_.reset();
  undo_.reset();
  threw_.reset();
  fired_ = 0;
  shields_ = open_groups_ = 0;
  reset_to_ = code_ended_in_ = 0;
  returned_ = continued_ = forward_only_ = cancel_due_ = false;
  output_.clear();
  next_input_.clear();
  history_bytes_ = 0;
}

void Instance::State::apply_carried(const Event& event) {
  const auto carried = from_json<Carried>(event.data);
  if (!carried) {
    if (replaying_ != nullptr)
      replaying_->divergence = "what the run carried cannot be read: " + carried.error().message;
    return;
  }
  steps_before_ = carried->steps;
  timers_before_ = carried->timers;
  draws_ = static_cast<std::uint64_t>(carried->draws);
  groups_ = carried->groups;
  for (const std::string& key : carried->seen) mailbox_.note_seen(key);
  for (const CarriedAnswer& one : carried->answers) answers_[one.update] = {answers_.size(), one.answer};
}

}  // namespace skald::engine
