// What an instance's future depends on, as text: two instances of one situation that meet the same inputs do the same.
#include <string>

#include "engine/state.hpp"

namespace skald::engine {
namespace {

class Text {
 public:
  Text& add(std::string_view text) {
    text_ += std::to_string(text.size());
    text_ += ':';
    text_ += text;
    return *this;
  }
  Text& add(std::int64_t number) {
    text_ += std::to_string(number);
    text_ += ' ';
    return *this;
  }
  /// How far away: the same situation may come at different times.
  Text& add(const std::optional<Time>& time, Time now) {
    if (!time || *time == kNever) return add(std::string_view("-"));
    return add((*time - now).count());
  }
  Text& add(const Failure& failure) {
    return add(failure.code).add(failure.message).add(failure.unknown ? 1 : 0);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void add_step(Text& text, const StepState& step, Time now) {
  text.add(step.slot.step->name).add(step.pivot).add(step.key_generation).add(step.group).add(step.child_id);
  text.add(static_cast<int>(step.stage)).add(step.unknown).add(step.unreadable).add(step.deferred);
  text.add(step.abandoned).add(step.kept).add(step.has_output ? step.output : "").add(step.checkpoint);
  text.add(step.slot.settled).add(step.slot.succeeded).add(step.slot.observed).add(step.slot.failure);
  text.add(static_cast<int>(step.undo));
  const bool undo_open = step.undo_open();
  text.add(step.open() ? step.attempt : 0).add(undo_open ? step.undo_attempt : 0);
  text.add(step.until, now).add(step.close, now).add(step.retry_at, now).add(step.beat_until, now);
  text.add(step.undo_until, now).add(step.undo_retry_at, now);
}

}  // namespace

std::string Instance::State::situation() const {
  Text text;
  text.add(to_string(status_)).add(stuck_reason_).add(stuck_ordinal_).add(forward_only_).add(paused_);
  text.add(returned_).add(continued_).add(output_).add(next_input_).add(threw_ ? threw_->what() : "");
  text.add(rollback_failure_).add(rollback_is_cancel_).add(cancel_ ? cancel_->what() : "");
  text.add(reset_to_ != 0)
      .add(cancel_due_)
      .add(shields_)
      .add(open_groups_)
      .add(groups_)
      .add(static_cast<std::int64_t>(draws_));
  text.add(is_ended(status_) ? std::nullopt : deadline_, now_);
  if (asked_time_) text.add((now_ - started_at_).count());
  for (const StepState& step : steps_) add_step(text, step, now_);
  for (const auto& timer : timers_) {
    const bool open = !timer->fired && !timer->cancelled;
    text.add(timer->fired).add(timer->cancelled).add(open ? std::optional(timer->due) : std::nullopt, now_);
  }
  for (const auto& [name, unread] : mailbox_.unread_signals())
    for (const Mailbox::Unread& one : unread) text.add(name).add(one.data);
  text.add(static_cast<std::int64_t>(mailbox_.waits()));
  for (const auto& [name, has] : patches_) text.add(name).add(has);
  return text.take();
}

}  // namespace skald::engine
