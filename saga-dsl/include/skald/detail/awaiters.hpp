// What co_await works on in a saga: one class a kind of wait. Internal to Context and Handle.
#pragma once

#include <array>
#include <coroutine>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "skald/journal.hpp"
#include "skald/json.hpp"
#include "skald/step.hpp"

namespace skald::detail {

/// A value that does not fit the code's type: the runtime checked it on arrival, so only a changed type gets
/// here. Not a StepFailed: the saga becomes stuck instead of rolling back.
class UnreadableOutput : public std::exception {
 public:
  explicit UnreadableOutput(std::string what) : what_(std::move(what)) {}
  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
};

/// `what`: of whom, for the message.
template <class T>
T read_recorded(const std::string& text, std::string_view what) {
  auto value = from_json<T>(text);
  if (!value) throw UnreadableOutput(std::string(what) + ": " + value.error().message);
  return std::move(value).value();
}

template <class Output>
Output read_output(const Slot& slot) {
  return read_recorded<Output>(slot.output, std::string(slot.step->name) + ": recorded output");
}

template <class Output>
Output take_output(Slot& slot) {
  slot.observed = true;
  if (!slot.succeeded) throw StepFailed(std::string(slot.step->name), slot.failure, slot.ordinal);
  return read_output<Output>(slot);
}

/// What all of them share: suspending the saga's one leaf.
class Awaiter : public Waiter {
 public:
  [[nodiscard]] bool await_ready() const { return ready(); }
  void await_suspend(std::coroutine_handle<> self) noexcept {
    handle = self;
    journal_->suspend(*this);
  }

 protected:
  explicit Awaiter(Journal& journal) noexcept : journal_(&journal) {}
  Awaiter(const Awaiter&) = default;
  Awaiter& operator=(const Awaiter&) = default;
  ~Awaiter() = default;

  Journal* journal_;
};

/// Waits for one slot; what await_resume gives is left to its two children.
class SlotAwaiter : public Awaiter {
 public:
  SlotAwaiter(Journal& journal, Slot& slot) noexcept : Awaiter(journal), slot_(&slot) {}
  [[nodiscard]] bool ready() const noexcept override { return slot_->settled; }

 protected:
  SlotAwaiter(const SlotAwaiter&) = default;
  SlotAwaiter& operator=(const SlotAwaiter&) = default;
  ~SlotAwaiter() = default;

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

/// `Slots`: std::array or std::vector of Slot*.
template <class Slots>
class [[nodiscard("co_await it")]] AllAwaiter final : public Awaiter {
 public:
  AllAwaiter(Journal& journal, Slots slots, bool cancel_rest) noexcept
      : Awaiter(journal), slots_(std::move(slots)), cancel_rest_(cancel_rest) {}
  [[nodiscard]] bool ready() const noexcept override {
    bool all = true;
    for (const Slot* slot : slots_) {
      if (cancel_rest_ && slot->settled && !slot->succeeded) return true;
      all = all && slot->settled;
    }
    return all;
  }
  void await_resume() {
    const Slot* failed = nullptr;
    for (Slot* slot : slots_) {
      slot->observed = true;
      if (failed == nullptr && slot->settled && !slot->succeeded) failed = slot;
    }
    if (failed == nullptr) return;
    for (Slot* slot : slots_)
      if (!slot->settled) journal_->abandon(*slot);
    throw StepFailed(std::string(failed->step->name), failed->failure, failed->ordinal);
  }

 private:
  Slots slots_;
  bool cancel_rest_;
};

/// Waits for the first of several flags; gives its place. `Flags`: std::array or std::vector of const bool*.
template <class Flags>
class [[nodiscard("co_await it")]] AnyAwaiter final : public Awaiter {
 public:
  AnyAwaiter(Journal& journal, Flags flags) noexcept : Awaiter(journal), flags_(std::move(flags)) {}
  [[nodiscard]] bool ready() const noexcept override { return first() < flags_.size(); }
  [[nodiscard]] std::size_t await_resume() const noexcept { return first(); }

 private:
  [[nodiscard]] std::size_t first() const noexcept {
    std::size_t place = 0;
    while (place < flags_.size() && !*flags_[place]) ++place;
    return place;
  }

  Flags flags_;
};

}  // namespace skald::detail
