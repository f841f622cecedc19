// Instance::State: everything one saga instance is, and the only place where it changes. Internal to the engine.
//
// A transition is built in three phases: a judge records inbound events; pump() lets the code go on and records what
// it does; follow_rules() records what must follow (compensations, rollback, the end). Every event is applied the
// moment it is recorded, by the same apply() that replay uses, so that a replayed state is the state that was.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/environment.hpp"
#include "engine/event.hpp"
#include "engine/instance.hpp"
#include "engine/mailbox.hpp"
#include "engine/status_table.hpp"
#include "skald/journal.hpp"
#include "skald/saga.hpp"
#include "wire/cloud_events.hpp"

namespace skald::engine {

/// One step of a saga: its action, and its compensation once that is owed.
struct StepState {
  enum class Stage { kAttempting, kWaiting, kSucceeded, kFailed };
  /// kOwedAgain: refused, and an operator who rolls the saga back wants it tried again in its turn.
  enum class Undo { kNone, kAttempting, kWaiting, kDone, kRefused, kOwedAgain };

  detail::Slot slot;  ///< what the code sees: settles once, with the first end of the action
  const StepSettings* settings = nullptr;
  std::string input;
  std::string child_id;  ///< of a child saga, before any retry
  int group = 0;
  bool pivot = false;
  int key_generation = 0;  ///< a new idempotency key after an operator's retry of a final refusal

  Stage stage = Stage::kAttempting;
  int attempt = 1;
  bool unknown = false;  ///< some attempt has no certain answer: it may have taken effect
  bool has_output = false;
  bool unreadable = false;  ///< it succeeded with an output nobody can read: no other answer will come
  bool deferred =
      false;  ///< a local attempt that returned without an end: somebody completes it by its token
  std::string checkpoint;          ///< JSON: what its attempts said last of how far they had come
  std::optional<Time> beat_until;  ///< the next heartbeat is due
  bool abandoned = false;  ///< the code gave it up: a success is compensated, a failure not tried again
  bool kept =
      false;  ///< it took effect before a reset that keeps effects, and the code has not come to it again
  std::int64_t scheduled_in = 0;  ///< the transition, the latest if the code came to it again
  std::int64_t abandoned_in = 0;
  std::string output;
  Time scheduled_at{};
  std::optional<Time> until;
  std::optional<Time> close;
  std::optional<Time> retry_at;
  Incarnation runner = 0;

  Undo undo = Undo::kNone;
  int undo_attempt = 0;
  std::string undo_input;
  Time undo_scheduled_at{};
  std::optional<Time> undo_until;
  std::optional<Time> undo_retry_at;
  Incarnation undo_runner = 0;
  /// When to ask again whether the process that runs a local attempt lives; memory only, never in history.
  Time check_runner_at = kNever;

  [[nodiscard]] bool child() const { return slot.step->kind == StepKind::child; }
  /// A child saga nobody waits for.
  [[nodiscard]] bool left_alone() const { return child() && slot.step->parent_close == ParentClose::abandon; }
  [[nodiscard]] bool local() const { return slot.step->kind == StepKind::local; }
  /// A local attempt that has not returned.
  [[nodiscard]] bool runs_here() const { return local() && stage == Stage::kAttempting && !deferred; }
  [[nodiscard]] bool open() const { return stage == Stage::kAttempting || stage == Stage::kWaiting; }
  /// An attempt is under way that nobody has answered.
  [[nodiscard]] bool unanswered() const { return unknown || stage == Stage::kAttempting; }
  /// Its effect, or what may be one, is not the code's any more.
  [[nodiscard]] bool is_debt() const {
    return (stage == Stage::kFailed && unknown) || (stage == Stage::kSucceeded && abandoned);
  }
  [[nodiscard]] bool undo_open() const { return undo == Undo::kAttempting || undo == Undo::kWaiting; }
  [[nodiscard]] bool undo_settled() const {
    return undo == Undo::kDone || !slot.step->has_compensation ||
           (stage == Stage::kFailed && !unknown && undo == Undo::kNone);
  }
};

/// The transitions between the two are read for their facts only: the code goes on from `to`, with what `at` left it.
struct Leap {
  std::int64_t to = 0;
  std::int64_t at = 0;
};

struct Timer : detail::TimerSlot {
  std::int64_t started_in = 0;  ///< the transition
};

class Instance::State final : public detail::Journal {
 public:
  State(const Environment& environment, const SagaDefinition& definition, SagaAddress address, SagaKey key);
  ~State() override;

  // What the judges read and call.
  /// The code may still go on: it has neither ended nor been given up. Timers and signals count.
  [[nodiscard]] bool code_may_go_on() const;
  /// Of the code's object, whatever the saga's status.
  [[nodiscard]] Result<std::string> query(std::string_view name, std::string_view input) const;
  [[nodiscard]] const detail::Execution* execution() const { return execution_.get(); }
  void make_update(std::string_view name, std::string_view input) {
    static_cast<void>(execution_->update(name, input));  // try_update let it pass
  }
  [[nodiscard]] bool deadline_waits() const;
  [[nodiscard]] StepState* step(int ordinal);
  [[nodiscard]] const StepState* step(int ordinal) const;
  /// Appends an event to the transition being built, and applies it.
  void record(Event event);
  /// Records what the timers that are due by now bring.
  void record_fired();
  /// Records a failed attempt of an action or a compensation: tried again as the policy allows, else final.
  void record_failure(StepState& step, Phase phase, Failure failure);
  void record_attempt(StepState& step, Phase phase);
  /// The step's type is paused.
  [[nodiscard]] bool holds(const StepState& step) const;
  /// When to look again whether what was scheduled then may go out.
  [[nodiscard]] Time next_look(Time scheduled_at) const;
  /// The run has ended with continue_as_new and nothing of it is left to wait for.
  [[nodiscard]] bool begins_anew() const;
  void record_next_run();
  /// The code waits after a reset, and nothing is left of what it had to undo.
  [[nodiscard]] bool may_resume() const;
  /// The code waits after a reset, and nothing that it waits for is under way: the next wake-up moves the saga.
  [[nodiscard]] bool reset_is_due() const;
  void record_stuck(std::string reason, int ordinal, std::string message, Phase phase = Phase::kAction);
  [[nodiscard]] std::string idempotency_key(const StepState& step) const;
  /// What the parent is told about its command, once this saga has ended.
  [[nodiscard]] Message answer_to(const ParentCommand& command) const;

  // The phases of a live transition.
  void begin(const Moment& moment);
  void pump();
  void follow_rules();
  [[nodiscard]] bool has_pending() const { return !pending_.empty(); }
  [[nodiscard]] Transition finish();
  /// A transition without events: only the wake-up bound moves.
  [[nodiscard]] Transition moved_wake_up();

  /// Rebuilds from history; the problem names the difference.
  [[nodiscard]] std::optional<ReplayProblem> replay(const StoredSaga& stored);

  [[nodiscard]] Time next_deadline() const;
  /// No step is under way: nothing but time moves it on.
  [[nodiscard]] bool asleep() const;
  [[nodiscard]] std::string situation() const;
  /// Empty if it is no step that is stuck, or the saga is not.
  [[nodiscard]] std::string_view stuck_step() const;
  [[nodiscard]] std::size_t memory_bytes() const;
  [[nodiscard]] std::size_t history_bytes() const { return history_bytes_; }

  // detail::Journal, called by the saga's code.
  detail::Slot& schedule(const StepDefinition& step, std::string input, bool pivot) override;
  void abandon(detail::Slot& slot) override;
  detail::TimerSlot& start_timer(Time due) override;
  detail::SignalSlot& expect_signal(std::string_view name) override;
  std::optional<std::string> record(std::string_view name,
                                    const std::function<std::string()>& value) override;
  bool patched(std::string_view name) override;
  std::uint64_t random() override;
  void continue_as_new(std::string input) override;
  void rollback_group(int open) override;
  void shield(int up) override;
  [[nodiscard]] bool cancel_requested() const noexcept override { return cancel_.has_value(); }
  void suspend(detail::Waiter& waiter) noexcept override { waiter_ = &waiter; }
  [[nodiscard]] Time now() const noexcept override { return now_; }
  [[nodiscard]] Time tell_time() noexcept override {
    asked_time_ = true;
    return now_;
  }
  [[nodiscard]] const std::string& saga_id() const noexcept override { return address_.saga_id; }

  const Environment& environment_;
  const SagaDefinition& definition_;
  const SagaAddress address_;
  const SagaKey key_;
  std::int64_t sequence_ = 0;
  std::int64_t run_from_ = 1;  ///< the sequence of the run's kStarted
  SagaStatus status_ = SagaStatus::kRunning;
  SagaStatus status_before_stuck_ = SagaStatus::kRunning;
  std::string stuck_reason_;
  int stuck_ordinal_ = 0;
  Phase stuck_phase_ = Phase::kAction;  ///< which of the step's two halves is stuck
  Time wake_at_ = kNever;               ///< the stored lower bound
  Time now_{};
  Incarnation incarnation_ = 0;
  const PauseSet* pauses_ = nullptr;  ///< of the transition being built
  std::optional<Time> deadline_;
  bool forward_only_ = false;  ///< the pivot took effect
  bool paused_ = false;        ///< by an operator: nothing is sent, the code does not go on
  std::int64_t reset_to_ = 0;  ///< the code waits to go on from this transition; 0: it does not
  std::vector<Leap> resets_;   ///< before this one, the latest first
  bool spent_ = false;         ///< reset: its frame is of a time that counts no more
  int steps_before_ = 0;       ///< of runs before this one: ordinals go on
  int timers_before_ = 0;      ///< likewise
  std::deque<StepState> steps_;
  std::vector<std::unique_ptr<Timer>> timers_;
  Mailbox mailbox_;
  struct Answer {
    std::size_t number = 0;  ///< in the order in which they were given
    std::string text;
  };
  std::map<std::string, Answer, std::less<>> answers_;  ///< of updates, by source and id
  std::optional<Failure> cancel_;                       ///< asked for, and by whom
  std::vector<int> active_;                             ///< ordinals with an open action or compensation
  std::vector<int> failed_;  ///< ordinals whose action failed at some time: the rules look only at these
  std::optional<ParentCommand> parent_;  ///< the last attempt of the parent's step
  std::optional<ParentCommand> undo_;    ///< the parent wants this saga rolled back
  int endings_ = 0;                      ///< two of a child that completed and was rolled back by its parent
  Failure rollback_failure_;
  std::string output_;
  bool returned_ = false;
  bool continued_ = false;  ///< begins anew with next_input_
  std::optional<Failure> threw_;
  std::int64_t code_ended_in_ = 0;  ///< the transition with one of these three
  std::optional<ReplayProblem> broken_;
  bool keep_code_ = false;  ///< the code's object outlives its frame: for queries

 private:
  enum class Frame { kNone, kReady, kSuspended, kReturned, kThrew };
  struct Defect {
    std::string reason;
    std::string message;
    int ordinal = 0;
  };
  struct Replay {
    std::vector<Event>* events = nullptr;
    std::size_t next = 0;
    std::string divergence;
    bool facts_only = false;  ///< the code takes no part
  };

  void apply(const Event& event);
  void apply_started(const Event& event);
  void apply_step(const Event& event);
  void apply_timer(const Event& event);
  void apply_update(const Event& event);
  void apply_parent(const Event& event);
  void apply_carried(const Event& event);
  void apply_deferred(StepState& step);
  void forget_run();
  void apply_reset(const Event& event);
  void let_go(StepState& step, bool keeps);
  void apply_abandoned(StepState& step, const Event& event);
  void apply_succeeded(StepState& step, const Event& event);
  void apply_failed(StepState& step, const Event& event);
  void apply_attempt(StepState& step, const Event& event);
  void apply_rollback(const Event& event);
  void apply_compensating(StepState& step, const Event& event);
  void apply_operator(const Event& event);
  void apply_stuck(const Event& event);
  void apply_ended(const Event& event);
  void apply_to_step(const Event& event);
  void settle(StepState& step, bool succeeded, Failure failure);
  void move(Cause cause);
  void activate(int ordinal);
  void deactivate_settled();
  void note_failed(int ordinal);

  /// What the code is given from now on counts for nothing: it diverged, has a defect, or is being put away.
  [[nodiscard]] bool is_void() const;
  /// Nor does it begin anything once its last shield has gone and the saga is to roll back.
  [[nodiscard]] bool takes_nothing() const { return is_void() || cancel_takes_effect(); }
  void run_code();
  void end_of_code();
  void code_event(Event event);
  bool consume(const Event& event);
  void skip_patches();
  [[nodiscard]] const Event* next_code_event();
  std::string taken(std::string_view name, const std::function<std::string()>& value);
  void defect(std::string reason, std::string message, int ordinal = 0);
  void drop_code_events();
  void close_frame();

  bool replay_entry(HistoryEntry& entry);
  bool replay_facts(const HistoryEntry& entry, std::int64_t to);
  bool replay_fact(const Event& event, std::int64_t to);
  bool add_past_step(const Event& event);
  void pump_replayed(HistoryEntry& entry);

  bool stuck_again();
  void rules_forward();
  void rules_of_ended_code();
  bool pay_debts();
  void rules_rolling_back();
  void rules_resetting();
  bool undo_in_order(std::int64_t after);
  bool roll_back(StepState& step);
  void record_rollback(Failure failure, std::string why);
  bool owe_compensation(StepState& step);
  [[nodiscard]] bool debts_settled() const;
  [[nodiscard]] bool pivot_open() const;
  [[nodiscard]] bool cancel_takes_effect() const;
  [[nodiscard]] Time next_timer() const;
  [[nodiscard]] Time next_wake_up() const;
  [[nodiscard]] Time next_step_deadline(bool& pivot_is_open) const;
  [[nodiscard]] detail::Slot& dead_slot(const StepDefinition& definition);
  [[nodiscard]] StepState* kept_step(const StepDefinition& definition, std::string_view input, bool pivot);
  detail::Slot& take_over(StepState& step);
  [[nodiscard]] bool starts_too_much();
  [[nodiscard]] const detail::TimerSlot* timer(int ordinal) const;
  void record_end(std::string_view outcome, std::string data, Failure failure);

  /// nullopt: a defect.
  [[nodiscard]] std::optional<std::string> child_id(const StepDefinition& definition, std::string_view input);
  [[nodiscard]] wire::ChildTarget child_target(const StepState& step) const;
  void effects(const Event& event, Transition& transition);
  void tell_outcome(const Event& event, Transition& transition);
  void send_attempt(const Event& event, Phase phase, int attempt, Transition& transition);
  void observe(const Event& event, Transition& transition);

  std::unique_ptr<detail::Execution> execution_;
  Frame frame_ = Frame::kNone;
  detail::Waiter* waiter_ = nullptr;
  std::string input_;
  std::string next_input_;
  wire::TraceContext trace_;
  std::string build_;
  Time started_at_{};
  std::size_t history_bytes_ = 0;
  /// What a run that counts for nothing is given: they settle only if the code gives them up, ordinal 0.
  std::deque<detail::Slot> dead_slots_;
  detail::TimerSlot dead_timer_;  ///< likewise: never fires
  detail::SignalSlot dead_signal_;

  std::vector<Event> pending_;
  std::size_t pending_before_code_ = 0;
  std::size_t steps_before_code_ = 0;
  std::size_t timers_before_code_ = 0;
  std::size_t waits_before_code_ = 0;
  std::size_t records_ = 0;  ///< by the code in this transition
  std::size_t failed_before_code_ = 0;
  std::vector<StepState> given_up_;  ///< by the code in this transition, as they were before
  std::uint64_t draws_ = 0;          ///< of random()
  bool asked_time_ = false;          ///< the code was told the time
  int shields_ = 0;
  int open_groups_ = 0;
  int groups_ = 0;
  bool cancel_due_ = false;  ///< the last shield went after the saga was cancelled: another one is too late
  bool closing_ = false;     ///< the frame is being destroyed: what its destructors call is no event
  std::map<std::string, bool, std::less<>> patches_;  ///< as the code was told
  bool rollback_is_cancel_ = false;
  std::string update_key_;  ///< of the update whose answer follows
  std::size_t fired_ = 0;  ///< the first so many of timers_ have fired: the search for open ones begins there
  std::optional<Defect> defect_;
  bool code_ran_ = false;  ///< in the transition being built
  Replay* replaying_ = nullptr;
};

/// Inbound, and of a step that has to be there.
[[nodiscard]] bool is_of_step(EventKind kind);
/// The resets of the saga's run, the latest first, each with what it leaps over.
[[nodiscard]] std::vector<Leap> resets_of(const StoredSaga& stored);
/// Those that none after them leaps over.
[[nodiscard]] std::vector<Leap> outermost(const std::vector<Leap>& resets);

/// An event of the code as the message of a divergence names it.
[[nodiscard]] std::string describe(const Event& event);

/// How often a process asks whether the one that runs a local attempt still lives.
inline constexpr std::chrono::milliseconds kRunnerCheckInterval{10'000};

// The judges, one an inbound kind. Each records inbound events, or says why not. `kApplied` without a recorded event
// means: only the wake-up bound may move.
struct Ruling {
  Judgement judgement = Judgement::kApplied;
  std::string reason;
  std::string answer{};  ///< of an update
};
[[nodiscard]] Ruling judge(Instance::State& state, const ReplyInput& input);
[[nodiscard]] Ruling judge(Instance::State& state, const LocalResult& input);
[[nodiscard]] Ruling judge(Instance::State& state, const HeartbeatInput& input);
[[nodiscard]] Ruling judge(Instance::State& state, const Wake& input);
[[nodiscard]] Ruling judge(Instance::State& state, const Undeliverable& input);
[[nodiscard]] Ruling judge(Instance::State& state, const Poison& input);
[[nodiscard]] Ruling judge(Instance::State& state, const OperatorAction& input);
[[nodiscard]] Ruling judge(Instance::State& state, const SignalInput& input);
[[nodiscard]] Ruling judge(Instance::State& state, const UpdateInput& input);
[[nodiscard]] Ruling judge(Instance::State& state, const ParentCommand& input);
[[nodiscard]] Ruling judge_reset(Instance::State& state, const OperatorAction& input, Event event);
/// The answer to a command that changes nothing: it is no parent's, or the saga has ended for good.
[[nodiscard]] std::optional<Verdict> answered_at_once(const Instance::State& state,
                                                      const ParentCommand& input);
/// What it was told the first time, if it was applied: true of a saga that has ended as well.
[[nodiscard]] std::optional<Ruling> applied_before(const Instance::State& state, const SignalInput& input);
[[nodiscard]] std::optional<Ruling> applied_before(const Instance::State& state, const UpdateInput& input);

}  // namespace skald::engine
