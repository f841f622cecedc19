// Reset: an operator sends the code of a saga back to an earlier transition, from where it goes on as it is now, which
// may be mended. History keeps all of it:
//
//   … to | to+1 … at-1 | at: operator reset | compensations | resumed …
//
// The transitions between `to` and `at` are read for their facts only: which steps there were and what became of them,
// what was sent to the saga. The code takes no part in them and does not know of them. What took effect there is
// compensated, the latest first, before the code goes on; or it is kept: where the code comes to the same step with the
// same input it counts as done, and where it does not it stands until the saga as a whole is rolled back. Replies that were
// still to come for steps begun before are facts too. New steps go on with the numbers, and so with keys, of their own.
#include <algorithm>

#include "engine/state.hpp"

namespace skald::engine {
namespace {

std::string name_of(const StepState& step) {
  return "step #" + std::to_string(step.slot.ordinal) + " " + std::string(step.slot.step->name);
}

/// Why what the code did after `to` cannot be taken back; empty: it can.
std::string obstacle(const Instance::State& state, const ResetTarget& target) {
  for (const StepState& step : state.steps_) {
    if (step.scheduled_in <= target.to) {
      if (step.abandoned_in > target.to)
        return name_of(step) + " was given up after transition " + std::to_string(target.to) +
               ", and the code would find it so: reset to " + std::to_string(step.abandoned_in) +
               " or later, or to before " + std::to_string(step.scheduled_in);
      continue;
    }
    if (!step.pivot || step.kept) continue;
    if (step.open() || step.unknown) return name_of(step) + " is the pivot, and its outcome is not known yet";
    if (step.stage == StepState::Stage::kSucceeded && !target.keeps_effects &&
        !step.slot.step->has_compensation)
      return name_of(step) +
             " is the pivot, took effect and has no compensation: keep the effects, or reset to " +
             std::to_string(step.scheduled_in) + " or later";
  }
  return {};
}

ResetStep::Fate fate_of(const StepState& step) {
  if (step.kept) return ResetStep::Fate::kKept;
  const bool may_have_effect = step.stage == StepState::Stage::kSucceeded || step.unknown || step.open();
  if (!may_have_effect || step.undo == StepState::Undo::kDone) return ResetStep::Fate::kNoEffect;
  return step.slot.step->has_compensation ? ResetStep::Fate::kCompensated : ResetStep::Fate::kStays;
}

}  // namespace

// --- judging -------------------------------------------------------------------------------------------------------

Ruling judge_reset(Instance::State& state, const OperatorAction& input, Event event) {
  const auto refused = [](std::string why) { return Ruling{Judgement::kRefused, std::move(why)}; };
  const std::int64_t to = input.reset.to;
  if (input.sequence != state.sequence_)
    return refused("the saga moved since you looked: it is at sequence " + std::to_string(state.sequence_));
  if (to < state.run_from_ || to >= state.sequence_)
    return refused("reset takes an earlier transition of the saga's run: " + std::to_string(state.run_from_) +
                   " to " + std::to_string(state.sequence_ - 1));
  if (state.broken_) {
    if (state.broken_->corrupt) return refused("the history cannot be read: " + state.broken_->message);
    if (to >= state.broken_->sequence)
      return refused("history and code differ at transition " + std::to_string(state.broken_->sequence) +
                     " (" + state.broken_->message + "): reset to an earlier one");
  } else {
    const bool backwards =
        state.status_ == SagaStatus::kRollingBack ||
        (state.status_ == SagaStatus::kStuck && state.status_before_stuck_ == SagaStatus::kRollingBack);
    if (backwards) return refused("the saga rolls back: there is no way forward from there");
    if (state.cancel_) return refused("somebody cancelled the saga: " + state.cancel_->message);
    if (std::string why = obstacle(state, input.reset); !why.empty()) return refused(std::move(why));
  }
  for (const Leap& earlier : state.resets_)
    if (to > earlier.to && to < earlier.at)
      return refused("transition " + std::to_string(to) + " was left behind by the reset at transition " +
                     std::to_string(earlier.at) + ": reset to " + std::to_string(earlier.to) +
                     " or earlier, or to " + std::to_string(earlier.at) + " or later");
  event.ordinal = 0;
  event.to = to;
  event.keeps = input.reset.keeps_effects;
  state.record(std::move(event));
  return {};
}

Result<std::vector<ResetStep>> Instance::plan_reset(const Environment& environment,
                                                    const SagaDefinition& definition,
                                                    const StoredSaga& stored, const OperatorAction& action) {
  auto before = replay(environment, definition, stored);
  if (is_ended(stored.row.status)) return Error{ErrorKind::kRefused, "SKALD-922", "the saga has ended"};
  Verdict verdict = before.instance->advance(Input(action), {before.instance->state_->now_, 0, nullptr});
  if (!verdict.transition) return Error{ErrorKind::kRefused, "SKALD-922", std::move(verdict.reason)};
  StoredSaga after = stored;
  after.history.push_back(std::move(*verdict.transition->row));
  after.row.sequence = after.history.back().sequence;
  after.row.status = verdict.transition->status;
  const auto replayed = replay(environment, definition, after);
  if (replayed.problem)
    return Error{ErrorKind::kRefused, "SKALD-922",
                 "the code does not fit the history up to there (transition " +
                     std::to_string(replayed.problem->sequence) + ": " + replayed.problem->message + ")"};
  std::vector<ResetStep> steps;
  for (const StepState& step : replayed.instance->state_->steps_)
    if (step.scheduled_in > action.reset.to)
      steps.push_back({step.slot.ordinal, std::string(step.slot.step->name), fate_of(step)});
  return steps;
}

// --- applying ------------------------------------------------------------------------------------------------------

void Instance::State::apply_reset(const Event& event) {
  if (status_ == SagaStatus::kStuck) move(Cause::kResumedForward);
  reset_to_ = event.to;
  if (code_ended_in_ > event.to) {
    returned_ = continued_ = false;
    threw_.reset();
    output_.clear();
    next_input_.clear();
  }
  forward_only_ = false;
  for (StepState& step : steps_) {
    if (step.scheduled_in > event.to) let_go(step, event.keeps);
    const bool stands = step.stage == StepState::Stage::kSucceeded && !step.abandoned;
    forward_only_ = forward_only_ || (step.pivot && stands);
    groups_ = std::max(groups_, step.group);  // later ones are undone by themselves
  }
  for (const auto& timer : timers_)
    if (timer->started_in > event.to) timer->cancelled = true;
  // What is done anew is not to be taken for what was undone; what is kept is to be found again.
  constexpr int kDrawsOfAReset = 32;
  if (!event.keeps) draws_ += static_cast<std::uint64_t>(sequence_ + 1) << kDrawsOfAReset;
  if (replaying_ != nullptr) return;
  close_frame();
  spent_ = true;
}

void Instance::State::let_go(StepState& step, bool keeps) {
  step.slot.observed = true;  // whatever became of it rolls back nothing
  if (step.undo == StepState::Undo::kRefused) step.undo = StepState::Undo::kOwedAgain;
  if (step.stage == StepState::Stage::kSucceeded) {
    if (step.abandoned) return;
    step.kept = keeps;
    step.abandoned = !keeps;
    if (!keeps) note_failed(step.slot.ordinal);
    return;
  }
  if (!step.open()) return;
  step.abandoned = true;
  note_failed(step.slot.ordinal);
  Failure failure{std::string(failure_code::kAbandoned), "the saga was reset", Retry::never, false};
  if (step.runs_here()) {  // its return is awaited
    step.slot.settled = true;
    step.slot.failure = std::move(failure);
    return;
  }
  step.unknown = failure.unknown = step.unanswered();
  settle(step, false, std::move(failure));
}

// --- going on ------------------------------------------------------------------------------------------------------

bool Instance::State::may_resume() const {
  if (reset_to_ == 0 || spent_ || status_ != SagaStatus::kRunning) return false;
  return std::all_of(steps_.begin(), steps_.end(), [this](const StepState& step) {
    if (step.scheduled_in <= reset_to_ || step.kept) return true;
    const bool may_have_effect = step.stage == StepState::Stage::kSucceeded || step.unknown;
    return !step.open() && (!may_have_effect || step.undo_settled());
  });
}

bool Instance::State::reset_is_due() const {
  if (reset_to_ == 0 || status_ != SagaStatus::kRunning) return false;
  return std::none_of(steps_.begin(), steps_.end(), [this](const StepState& step) {
    return step.scheduled_in > reset_to_ && (step.open() || step.undo_open());
  });
}

void Instance::State::rules_resetting() {
  if (stuck_again()) return;
  static_cast<void>(undo_in_order(reset_to_));
}

StepState* Instance::State::kept_step(const StepDefinition& definition, std::string_view input, bool pivot) {
  if (resets_.empty()) return nullptr;  // nobody pays for what was never done
  for (StepState& step : steps_)
    if (step.kept && step.slot.step->name == definition.name && step.input == input && step.pivot == pivot)
      return &step;
  return nullptr;
}

detail::Slot& Instance::State::take_over(StepState& step) {
  if (replaying_ == nullptr) given_up_.push_back(step);
  Event event;
  event.kind = EventKind::kStep;
  event.ordinal = step.slot.ordinal;
  event.step = step.slot.step->name;
  event.id = step.child_id;
  event.pivot = step.pivot;
  event.group = open_groups_ > 0 ? groups_ : 0;
  event.again = true;
  code_event(std::move(event));
  return is_void() ? dead_slot(*step.slot.step) : step.slot;
}

// --- replay --------------------------------------------------------------------------------------------------------

std::vector<Leap> resets_of(const StoredSaga& stored) {
  std::vector<Leap> leaps;
  for (auto row = stored.history.rbegin(); row != stored.history.rend(); ++row) {
    if (row->sequence < stored.row.run_from) break;
    if (row->events.find("\"reset\"") == std::string::npos) continue;
    const auto entry = read_entry(row->events);
    if (!entry) continue;  // replay says so
    for (const Event& event : entry->events) {
      if (event.kind != EventKind::kOperator || event.reason != "reset") continue;
      leaps.push_back({event.to, row->sequence});
    }
  }
  return leaps;
}

std::vector<Leap> outermost(const std::vector<Leap>& resets) {
  std::vector<Leap> leaps;
  for (const Leap& reset : resets)
    if (leaps.empty() || reset.at <= leaps.back().to) leaps.push_back(reset);
  return leaps;
}

bool Instance::State::replay_facts(const HistoryEntry& entry, std::int64_t to) {
  replaying_->facts_only = true;
  for (const Event& event : entry.events)
    if (!replay_fact(event, to)) return false;
  return true;
}

bool Instance::State::replay_fact(const Event& event, std::int64_t to) {
  std::string& divergence = replaying_->divergence;
  switch (event.kind) {
    case EventKind::kRecorded:
    case EventKind::kPatched: return true;  // of the code alone
    case EventKind::kStep:
      if (!event.again && !add_past_step(event)) return false;
      break;
    case EventKind::kTimer:
      timers_.push_back(std::make_unique<Timer>());
      timers_.back()->ordinal = event.ordinal;
      break;
    case EventKind::kFired:
      if (timer(event.ordinal) == nullptr) divergence = "history has a timer fired that was never started";
      break;
    default: break;
  }
  const bool gives_up = event.kind == EventKind::kAbandoned;
  if (gives_up || event.kind == EventKind::kCompensating || is_of_step(event.kind)) {
    const StepState* found = step(event.ordinal);
    if (found == nullptr)
      divergence = "history names step #" + std::to_string(event.ordinal) + ", which was never scheduled";
    else if (gives_up && found->scheduled_in <= to)
      divergence = name_of(*found) + " was given up after transition " + std::to_string(to) +
                   ", to which the saga was reset";
  }
  if (!divergence.empty()) return false;
  apply(event);
  if (status_ == SagaStatus::kRollingBack)
    divergence = "the saga rolled back after transition " + std::to_string(to) + ", to which it was reset";
  return divergence.empty();
}

/// One that the code of then scheduled; the code of now may not even know its type.
bool Instance::State::add_past_step(const Event& event) {
  const auto settings = environment_.steps.find(event.step);
  if (settings == environment_.steps.end() || settings->second.definition == nullptr) {
    replaying_->divergence =
        describe(event) +
        " was begun after the transition to which the saga was reset, and this program has no such step";
    return false;
  }
  StepState& step = steps_.emplace_back();
  step.slot.step = settings->second.definition;
  step.slot.ordinal = steps_before_ + static_cast<int>(steps_.size());
  step.settings = &settings->second;
  if (step.slot.ordinal == event.ordinal) return true;
  replaying_->divergence = "history has " + describe(event) + " out of turn";
  return false;
}

}  // namespace skald::engine
