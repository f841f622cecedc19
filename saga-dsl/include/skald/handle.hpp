// Handles: what runs or is waited for beside the saga's own code: a step (Handle), a timer (Timer), a signal
// (SignalHandle). Copy them freely inside the saga; co_await them, or give them to Context::any and Context::all. They
// belong to the saga's coroutine and its thread.
#pragma once

#include "skald/assert.hpp"
#include "skald/detail/awaiters.hpp"
#include "skald/detail/event_awaiters.hpp"

namespace skald {

class Context;

/// A step that runs beside the code that started it. A handle still open at co_return is awaited first; a failure
/// nobody looked at rolls back.
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
  /// The same as an Outcome, throwing nothing.
  [[nodiscard]] Outcome<Output> outcome() const {
    SKALD_ASSERT(slot_->settled, "Handle::outcome before the step settled: co_await it first");
    return detail::TryStepAwaiter<Output>(*journal_, *slot_).await_resume();
  }
  auto operator co_await() const noexcept { return detail::StepAwaiter<Output>(*journal_, *slot_); }

 private:
  friend class Context;
  [[nodiscard]] const bool* flag() const noexcept { return &slot_->settled; }
  detail::Journal* journal_;
  detail::Slot* slot_;
};

/// A timer beside the saga's code: for a race, or a time that runs from now on. One left alone wakes the saga for
/// nothing when it falls due: cancel it with Context::cancel.
class Timer {
 public:
  Timer(detail::Journal& journal, detail::TimerSlot& slot) noexcept : journal_(&journal), slot_(&slot) {}
  [[nodiscard]] bool fired() const noexcept { return slot_->fired; }
  auto operator co_await() const noexcept { return detail::TimerAwaiter(*journal_, *slot_); }

 private:
  friend class Context;
  [[nodiscard]] const bool* flag() const noexcept { return &slot_->fired; }
  detail::Journal* journal_;
  detail::TimerSlot* slot_;
};

/// A signal that is waited for from now on: the next of its name that no earlier wait takes.
template <class T>
class SignalHandle {
 public:
  SignalHandle(detail::Journal& journal, detail::SignalSlot& slot) noexcept
      : journal_(&journal), slot_(&slot) {}
  [[nodiscard]] bool arrived() const noexcept { return slot_->arrived; }
  /// Its value. Only once it arrived: it is a programming mistake before.
  [[nodiscard]] T get() const {
    SKALD_ASSERT(slot_->arrived, "SignalHandle::get before the signal arrived: co_await it first");
    return detail::read_signal<T>(*slot_);
  }
  auto operator co_await() const noexcept { return detail::SignalAwaiter<T>(*journal_, *slot_); }

 private:
  friend class Context;
  [[nodiscard]] const bool* flag() const noexcept { return &slot_->arrived; }
  detail::Journal* journal_;
  detail::SignalSlot* slot_;
};

/// While it lives a cancellation, or the saga's deadline, does not roll the saga back: the code asks
/// Context::cancel_requested and decides. When the last shield goes, what was asked for happens.
class Shield {
 public:
  explicit Shield(detail::Journal& journal) : journal_(&journal) { journal_->shield(1); }
  ~Shield() { journal_->shield(-1); }
  Shield(const Shield&) = delete;
  Shield& operator=(const Shield&) = delete;

 private:
  detail::Journal* journal_;
};

/// The steps started while it lives are compensated beside each other instead of one after the other. A group inside a
/// group adds nothing.
class RollbackGroup {
 public:
  explicit RollbackGroup(detail::Journal& journal) : journal_(&journal) { journal_->rollback_group(1); }
  ~RollbackGroup() { journal_->rollback_group(-1); }
  RollbackGroup(const RollbackGroup&) = delete;
  RollbackGroup& operator=(const RollbackGroup&) = delete;

 private:
  detail::Journal* journal_;
};

}  // namespace skald
