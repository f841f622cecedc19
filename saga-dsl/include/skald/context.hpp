// Context: what a saga does its work with. Every call is recorded; on replay it gives what it gave before,
// without doing anything again. Belongs to the saga's own coroutine: never hand it to a thread, never keep
// it.
//
//   auto stock = co_await saga.step<ReserveStock>(order);        throws StepFailed; uncaught, the saga rolls back
//   auto paid  = co_await saga.try_step<ChargeCard>(customer, 100);     Outcome<Payment>, throws nothing
//   auto mail  = saga.start<SendReceipt>(receipt);               runs beside what follows
//   co_await saga.all(mail, parcel);                             waits for these; throws the first failure
//   co_await saga.pivot<ShipOrder>(order.id);                    once it took effect, the saga only goes forward
//   co_await saga.sleep(std::chrono::days{30});                  costs a row in the database
//   auto said  = co_await saga.signal<Approval>("approval", std::chrono::days{7});      std::optional<Approval>
//
// The arguments of a step are one Input, or exactly one argument for each of its fields.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "skald/detail/awaiters.hpp"
#include "skald/detail/event_awaiters.hpp"
#include "skald/detail/timer.hpp"
#include "skald/handle.hpp"
#include "skald/journal.hpp"
#include "skald/step.hpp"
#include "skald/step_definition.hpp"
#include "skald/task.hpp"

namespace skald {

/// What Context::all does with the other steps once one has failed.
enum class Rest {
  awaited,   ///< waits for them, then throws
  cancelled  ///< gives them up as Context::cancel does, and throws at once
};

class Context {
 public:
  explicit Context(detail::Journal& journal) noexcept : journal_(&journal) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // --- steps ---

  /// Does S and gives its output; throws StepFailed when it failed for good.
  template <class S, class... Arguments>
  auto step(Arguments&&... arguments) {
    return detail::StepAwaiter<typename S::Output>(*journal_,
                                                   schedule<S>(false, std::forward<Arguments>(arguments)...));
  }

  /// Does S and gives its Outcome; never throws. (C++ forbids co_await in a catch block.)
  template <class S, class... Arguments>
  auto try_step(Arguments&&... arguments) {
    return detail::TryStepAwaiter<typename S::Output>(
        *journal_, schedule<S>(false, std::forward<Arguments>(arguments)...));
  }

  /// Does S as the pivot: if it is refused the saga may still roll back; once it took effect only forward,
  /// and a later uncaught failure makes the saga stuck. An unknown outcome is tried again until it is known.
  template <class S, class... Arguments>
  auto pivot(Arguments&&... arguments) {
    return detail::StepAwaiter<typename S::Output>(*journal_,
                                                   schedule<S>(true, std::forward<Arguments>(arguments)...));
  }

  // --- beside each other ---

  /// Starts S and goes on.
  template <class S, class... Arguments>
  [[nodiscard]] auto start(Arguments&&... arguments) {
    return Handle<typename S::Output>(*journal_, schedule<S>(false, std::forward<Arguments>(arguments)...));
  }

  /// Waits until all of these have settled; then throws the failure of the first one (in this order) that
  /// failed.
  template <class... Outputs>
  auto all(const Handle<Outputs>&... handles) {
    return all(Rest::awaited, handles...);
  }
  /// The same, with the choice what becomes of the others once one has failed.
  template <class... Outputs>
  auto all(Rest rest, const Handle<Outputs>&... handles) {
    static_assert(sizeof...(Outputs) > 0, "saga.all needs at least one handle");
    using Slots = std::array<detail::Slot*, sizeof...(Outputs)>;
    return detail::AllAwaiter<Slots>(*journal_, Slots{handles.slot_...}, rest == Rest::cancelled);
  }
  template <class Output>
  auto all(const std::vector<Handle<Output>>& handles, Rest rest = Rest::awaited) {
    std::vector<detail::Slot*> slots;
    for (const auto& handle : handles) slots.push_back(handle.slot_);
    return detail::AllAwaiter<std::vector<detail::Slot*>>(*journal_, std::move(slots),
                                                          rest == Rest::cancelled);
  }

  /// Waits for the first of these handles (of steps, timers, signals) and gives its place, counted from 0; of several
  /// that are there at once the first in this order. It throws nothing and ends nothing: ask the handle that won, and
  /// cancel those you need no more.
  template <class... Handles>
  auto any(const Handles&... handles) {
    static_assert(sizeof...(Handles) > 0, "saga.any needs at least one handle");
    using Flags = std::array<const bool*, sizeof...(Handles)>;
    return detail::AnyAwaiter<Flags>(*journal_, Flags{handles.flag()...});
  }
  /// Of an empty vector this waits for ever.
  template <class AnyHandle>
  auto any(const std::vector<AnyHandle>& handles) {
    std::vector<const bool*> flags;
    for (const auto& handle : handles) flags.push_back(handle.flag());
    return detail::AnyAwaiter<std::vector<const bool*>>(*journal_, std::move(flags));
  }

  /// Does S once for each input, at most `at_once` at a time (at least 1), and gives the outcomes in the order of the
  /// inputs; throws nothing.
  template <class S>
  Task<std::vector<Outcome<typename S::Output>>> fan_out(std::vector<typename S::Input> inputs,
                                                         std::size_t at_once);

  /// Gives a step up that has not settled: it fails with code `abandoned`, and if it may have taken effect its
  /// compensation runs before the saga ends. A pivot gives no handle.
  template <class Output>
  void cancel(const Handle<Output>& handle) {
    handle.slot_->observed = true;
    if (!handle.slot_->settled) journal_->abandon(*handle.slot_);
  }
  void cancel(const Timer& timer) noexcept { timer.slot_->cancelled = !timer.slot_->fired; }
  /// What comes later is for the next who waits.
  template <class T>
  void cancel(const SignalHandle<T>& handle) noexcept {
    handle.slot_->cancelled = !handle.slot_->arrived;
  }

  // --- time ---

  /// Waits for as long, by PostgreSQL's clock: never shorter. A sleeping saga is a row in the database, no thread and
  /// no memory; it survives crashes and deploys. Zero and less return at once. A sleep of more than 100 years makes
  /// the saga stuck (`timer-limit`). Started by the call: what runs before its co_await counts.
  template <class Number, class Period>
  detail::TimerAwaiter sleep(std::chrono::duration<Number, Period> duration) {
    return sleep_until(detail::end_of_sleep(journal_->now(), duration));
  }
  /// The same until a moment; one that has passed returns at once.
  detail::TimerAwaiter sleep_until(Time moment) {
    return detail::TimerAwaiter(*journal_, journal_->start_timer(moment));
  }
  /// A timer beside the code, for a race.
  template <class Number, class Period>
  [[nodiscard]] Timer timer(std::chrono::duration<Number, Period> duration) {
    return {*journal_, journal_->start_timer(detail::end_of_sleep(journal_->now(), duration))};
  }

  /// The saga's time: never goes back, the same on replay.
  [[nodiscard]] Time now() const noexcept { return journal_->tell_time(); }

  // --- signals and conditions ---

  /// Waits for the next signal of this name, which the saga has to list in its `signals`. One that came before anyone
  /// waited is there at once; they are taken in the order in which they came.
  template <class T>
  detail::SignalAwaiter<T> signal(std::string_view name) {
    return {*journal_, journal_->expect_signal(name)};
  }
  /// The same, for at most as long: std::optional<T>.
  template <class T, class Number, class Period>
  detail::TimedSignalAwaiter<T> signal(std::string_view name, std::chrono::duration<Number, Period> timeout) {
    auto& slot = journal_->expect_signal(name);
    return {*journal_, slot, journal_->start_timer(detail::end_of_sleep(journal_->now(), timeout))};
  }
  /// For a race: waits from now on, beside the code.
  template <class T>
  [[nodiscard]] SignalHandle<T> expect(std::string_view name) {
    return {*journal_, journal_->expect_signal(name)};
  }

  /// Waits until the condition holds: a pure function of what the saga knows (handles, its members), looked at after
  /// each transition.
  template <class Condition>
  detail::ConditionAwaiter<Condition> wait_until(Condition condition) {
    return {*journal_, std::move(condition)};
  }
  /// The same, for at most as long; gives whether it held.
  template <class Condition, class Number, class Period>
  detail::TimedConditionAwaiter<Condition> wait_until(Condition condition,
                                                      std::chrono::duration<Number, Period> timeout) {
    return {*journal_, std::move(condition),
            journal_->start_timer(detail::end_of_sleep(journal_->now(), timeout))};
  }

  // --- what is otherwise not the same twice ---

  /// Any number of 64 bits; the same on replay. Not for secrets: who knows the saga's key can compute it.
  [[nodiscard]] std::uint64_t random() { return journal_->random(); }
  /// A UUID in the form of version 4, from random().
  [[nodiscard]] std::string uuid();
  /// A value that the code takes from elsewhere (a price, a setting): `value` is called once, what it gave is in the
  /// history from then on. For what is quick and has no effect; anything else is a step. A saga that has to run it
  /// again after a crash before its transition was durable calls it again.
  template <class Value>
  auto record(std::string_view name, Value value) {
    using T = std::decay_t<decltype(value())>;
    static_assert(JsonMapped<T>, "what saga.record keeps is not mapped: add SKALD_FIELDS beside its struct");
    return detail::RecordAwaiter<T>(*journal_, name,
                                    journal_->record(name, [&value] { return to_json(value()); }));
  }

  // --- change and cancellation ---

  /// For a small change inside a revision: true in sagas that come here for the first time with this code, false in
  /// those that came past here before the change. Once none of those is open, delete the call and what it guards.
  [[nodiscard]] bool patched(std::string_view name) { return journal_->patched(name); }

  /// While it lives a cancellation does not roll the saga back: `const auto shield = saga.shield();`
  [[nodiscard]] Shield shield() { return Shield(*journal_); }
  /// `const auto group = saga.rollback_group();`
  [[nodiscard]] RollbackGroup rollback_group() { return RollbackGroup(*journal_); }
  /// Somebody cancelled the saga, or its deadline passed; without a shield it rolls back at once.
  [[nodiscard]] bool cancel_requested() const noexcept { return journal_->cancel_requested(); }

  /// Ends this run and begins another one of the same saga with a new input and an empty history: for sagas that go on
  /// for ever. Steps still open are awaited first. What was done stays done: a later rollback goes back to here. Kept
  /// are the id, signals nobody has read, and the ids of messages that came; the deadline counts anew. `input`: the
  /// saga's own Input type; nothing after the co_await is ever run.
  template <class Input>
  detail::EndOfRun continue_as_new(const Input& input) {
    static_assert(JsonMapped<Input>, "saga.continue_as_new takes the saga's own Input");
    return detail::EndOfRun(*journal_, to_json(input));
  }

  [[nodiscard]] const std::string& saga_id() const noexcept { return journal_->saga_id(); }

 private:
  template <class S, class... Arguments>
  detail::Slot& schedule(bool pivot, Arguments&&... arguments) {
    static_assert(detail::check_step<S>());
    const auto input = make_input<typename S::Input>(std::forward<Arguments>(arguments)...);
    return journal_->schedule(step_definition<S>(), to_json(input), pivot);
  }

  detail::Journal* journal_;
};

}  // namespace skald

#include "skald/detail/fan_out.hpp"
