// What co_await works on in a saga beside its steps: timers, signals, conditions, recorded values, the end of a run.
// Internal to Context and Handle.
#pragma once

#include <coroutine>
#include <optional>
#include <string>
#include <utility>

#include "skald/detail/awaiters.hpp"

namespace skald::detail {

class [[nodiscard("co_await it")]] TimerAwaiter final : public Awaiter {
 public:
  TimerAwaiter(Journal& journal, const TimerSlot& slot) noexcept : Awaiter(journal), slot_(&slot) {}
  [[nodiscard]] bool ready() const noexcept override { return slot_->fired; }
  void await_resume() const noexcept {}

 private:
  const TimerSlot* slot_;
};

template <class T>
T read_signal(const SignalSlot& slot) {
  return read_recorded<T>(slot.data, "signal " + slot.name);
}

template <class T>
class [[nodiscard("co_await it")]] SignalAwaiter final : public Awaiter {
 public:
  SignalAwaiter(Journal& journal, const SignalSlot& slot) noexcept : Awaiter(journal), slot_(&slot) {}
  [[nodiscard]] bool ready() const noexcept override { return slot_->arrived; }
  T await_resume() const { return read_signal<T>(*slot_); }

 private:
  const SignalSlot* slot_;
};

/// The signal, or nothing once the timer has fired; the one that lost is cancelled.
template <class T>
class [[nodiscard("co_await it")]] TimedSignalAwaiter final : public Awaiter {
 public:
  TimedSignalAwaiter(Journal& journal, SignalSlot& slot, TimerSlot& timer) noexcept
      : Awaiter(journal), slot_(&slot), timer_(&timer) {}
  [[nodiscard]] bool ready() const noexcept override { return slot_->arrived || timer_->fired; }
  std::optional<T> await_resume() {
    if (!slot_->arrived) {
      slot_->cancelled = true;
      return std::nullopt;
    }
    timer_->cancelled = !timer_->fired;
    return read_signal<T>(*slot_);
  }

 private:
  SignalSlot* slot_;
  TimerSlot* timer_;
};

/// An author's condition: bool (), pure, looked at after each transition. What it throws is thrown where it is awaited.
template <class Condition>
class GuardedCondition {
 public:
  explicit GuardedCondition(Condition condition) : condition_(std::move(condition)) {}
  /// True as well if it threw.
  [[nodiscard]] bool over() const noexcept {
    try {
      return condition_();
    } catch (...) {
      thrown_ = std::current_exception();
      return true;
    }
  }
  [[nodiscard]] bool met() const {
    if (thrown_) std::rethrow_exception(thrown_);
    return condition_();
  }

 private:
  Condition condition_;
  mutable std::exception_ptr thrown_;
};

template <class Condition>
class [[nodiscard("co_await it")]] ConditionAwaiter final : public Awaiter {
 public:
  ConditionAwaiter(Journal& journal, Condition condition)
      : Awaiter(journal), condition_(std::move(condition)) {}
  [[nodiscard]] bool ready() const noexcept override { return condition_.over(); }
  void await_resume() const { static_cast<void>(condition_.met()); }

 private:
  GuardedCondition<Condition> condition_;
};

/// Gives whether the condition came true before the timer fired.
template <class Condition>
class [[nodiscard("co_await it")]] TimedConditionAwaiter final : public Awaiter {
 public:
  TimedConditionAwaiter(Journal& journal, Condition condition, TimerSlot& timer)
      : Awaiter(journal), condition_(std::move(condition)), timer_(&timer) {}
  [[nodiscard]] bool ready() const noexcept override { return timer_->fired || condition_.over(); }
  bool await_resume() const {
    const bool met = condition_.met();
    if (met && !timer_->fired) timer_->cancelled = true;
    return met;
  }

 private:
  GuardedCondition<Condition> condition_;
  TimerSlot* timer_;
};

/// A value that is there at once, unless the run is void: then never.
template <class T>
class [[nodiscard("co_await it")]] RecordAwaiter final : public Awaiter {
 public:
  RecordAwaiter(Journal& journal, std::string_view name, std::optional<std::string> data)
      : Awaiter(journal), name_(name), data_(std::move(data)) {}
  [[nodiscard]] bool ready() const noexcept override { return data_.has_value(); }
  T await_resume() const { return read_recorded<T>(*data_, "record " + name_); }

 private:
  std::string name_;
  std::optional<std::string> data_;
};

/// Of a run that has ended: what comes after it is never run.
class EndOfRun final : public Waiter {
 public:
  EndOfRun(Journal& journal, std::string input) : journal_(&journal), input_(std::move(input)) {}
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) {
    handle = waiting;
    journal_->suspend(*this);
    journal_->continue_as_new(std::move(input_));
  }
  void await_resume() const noexcept {}
  [[nodiscard]] bool ready() const noexcept override { return false; }

 private:
  Journal* journal_;
  std::string input_;
};

}  // namespace skald::detail
