// Context: what a saga does its work with. Every call is recorded; on replay it gives what it gave before,
// without doing anything again. Belongs to the saga's own coroutine: never hand it to a thread, never keep
// it.
//
//   auto stock = co_await saga.step<ReserveStock>(order);            throws StepFailed; uncaught, the saga
//   rolls back auto paid  = co_await saga.try_step<ChargeCard>(customer, 100);  Outcome<Payment>, throws
//   nothing auto mail  = saga.start<SendReceipt>(receipt);                   runs beside what follows
//   co_await saga.all(mail, parcel);                                 waits for these; throws the first
//   failure co_await saga.pivot<ShipOrder>(order.id);                        once it took effect, the saga
//   only goes forward co_await saga.sleep(std::chrono::days{30});            costs a row in the database
//
// The arguments are one Input, or exactly one argument for each of its fields.
#pragma once

#include <array>
#include <chrono>
#include <coroutine>
#include <string>
#include <utility>

#include "skald/assert.hpp"
#include "skald/detail/timer.hpp"
#include "skald/journal.hpp"
#include "skald/step.hpp"
#include "skald/step_definition.hpp"

namespace skald {

namespace detail {

/// A result that does not fit the code's type: the runtime checked it on arrival, so only a changed type gets
/// here. Not a StepFailed: the saga becomes stuck instead of rolling back.
class UnreadableOutput : public std::exception {
 public:
  explicit UnreadableOutput(std::string what) : what_(std::move(what)) {}
  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
};

template <class Output>
Output read_output(const Slot& slot) {
  auto output = from_json<Output>(slot.output);
  if (!output)
    throw UnreadableOutput(std::string(slot.step->name) + ": recorded output: " + output.error().message);
  return std::move(output).value();
}

template <class Output>
Output take_output(Slot& slot) {
  slot.observed = true;
  if (!slot.succeeded) throw StepFailed(std::string(slot.step->name), slot.failure, slot.ordinal);
  return read_output<Output>(slot);
}

/// Waits for one slot; what await_resume gives is left to its two children.
class SlotAwaiter : public Waiter {
 public:
  SlotAwaiter(Journal& journal, Slot& slot) noexcept : journal_(&journal), slot_(&slot) {}
  [[nodiscard]] bool ready() const noexcept override { return slot_->settled; }
  [[nodiscard]] bool await_ready() const noexcept { return slot_->settled; }
  void await_suspend(std::coroutine_handle<> self) noexcept {
    handle = self;
    journal_->suspend(*this);
  }

 protected:
  SlotAwaiter(const SlotAwaiter&) = default;
  SlotAwaiter& operator=(const SlotAwaiter&) = default;
  ~SlotAwaiter() = default;

  Journal* journal_;
  Slot* slot_;
};

template <class Output>
class [[nodiscard("co_await it")]] StepAwaiter final : public SlotAwaiter {
 public:
  using SlotAwaiter::SlotAwaiter;
  Output await_resume() { return take_output<Output>(*slot_); }
};

template <class Output>
class [[nodiscard("co_await it")]] TryStepAwaiter final : public SlotAwaiter {
 public:
  using SlotAwaiter::SlotAwaiter;
  Outcome<Output> await_resume() {
    slot_->observed = true;
    if (!slot_->succeeded) return Outcome<Output>(slot_->failure);
    return Outcome<Output>(read_output<Output>(*slot_));
  }
};

template <std::size_t kSize>
class [[nodiscard("co_await it")]] AllAwaiter final : public Waiter {
 public:
  AllAwaiter(Journal& journal, std::array<Slot*, kSize> slots) noexcept : journal_(&journal), slots_(slots) {}
  [[nodiscard]] bool ready() const noexcept override {
    for (const Slot* slot : slots_)
      if (!slot->settled) return false;
    return true;
  }
  [[nodiscard]] bool await_ready() const noexcept { return ready(); }
  void await_suspend(std::coroutine_handle<> self) noexcept {
    handle = self;
    journal_->suspend(*this);
  }
  void await_resume() {
    for (Slot* slot : slots_) slot->observed = true;
    for (const Slot* slot : slots_)
      if (!slot->succeeded) throw StepFailed(std::string(slot->step->name), slot->failure, slot->ordinal);
  }

 private:
  Journal* journal_;
  std::array<Slot*, kSize> slots_;
};

}  // namespace detail

/// A step that runs beside the code that started it. co_await it, or give it to Context::all and then ask it.
/// Copy freely inside the saga. A handle still open at co_return is awaited first; a failure nobody looked at
/// rolls back.
template <class OutputType>
class Handle {
 public:
  using Output = OutputType;
  Handle(detail::Journal& journal, detail::Slot& slot) noexcept : journal_(&journal), slot_(&slot) {}

  [[nodiscard]] bool settled() const noexcept { return slot_->settled; }
  /// The output; throws StepFailed. Only once settled: it is a programming mistake before.
  [[nodiscard]] Output get() const {
    SKALD_ASSERT(slot_->settled, "Handle::get before the step settled: co_await it first");
    return detail::take_output<Output>(*slot_);
  }
  auto operator co_await() const noexcept { return detail::StepAwaiter<Output>(*journal_, *slot_); }

 private:
  friend class Context;
  detail::Journal* journal_;
  detail::Slot* slot_;
};

class Context {
 public:
  explicit Context(detail::Journal& journal) noexcept : journal_(&journal) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

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

  /// Starts S and goes on.
  template <class S, class... Arguments>
  [[nodiscard]] auto start(Arguments&&... arguments) {
    return Handle<typename S::Output>(*journal_, schedule<S>(false, std::forward<Arguments>(arguments)...));
  }

  /// Waits until all of these have settled; then throws the failure of the first one (in this order) that
  /// failed.
  template <class... Outputs>
  auto all(const Handle<Outputs>&... handles) {
    static_assert(sizeof...(Outputs) > 0, "saga.all needs at least one handle");
    return detail::AllAwaiter<sizeof...(Outputs)>(*journal_, {handles.slot_...});
  }

  /// Waits for as long, by PostgreSQL's clock: never shorter. A sleeping saga is a row in the database, no thread and
  /// no memory; it survives crashes and deploys. Zero and less return at once. A sleep of more than 100 years makes
  /// the saga stuck (`timer-limit`). Started by the call: what runs before its co_await counts.
  template <class Number, class Period>
  detail::TimerAwaiter sleep(std::chrono::duration<Number, Period> duration) {
    return sleep_until(detail::end_of_sleep(now(), duration));
  }
  /// The same until a moment; one that has passed returns at once.
  detail::TimerAwaiter sleep_until(Time moment) {
    return detail::TimerAwaiter(*journal_, journal_->start_timer(moment));
  }

  /// The saga's time: never goes back, the same on replay.
  [[nodiscard]] Time now() const noexcept { return journal_->now(); }
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
