// Journal: what Context needs from the engine, and what the engine needs from saga code. The engine
// implements it; authors never see it. One journal belongs to one saga instance and its thread. While history
// lasts, a call consumes and compares (pop), then it appends (write); a call that does not fit the history
// makes the journal diverge: its slot never settles, so the saga suspends, and the engine puts the frame
// away.
#pragma once

#include <coroutine>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "skald/failure.hpp"
#include "skald/record.hpp"
#include "skald/step_definition.hpp"

namespace skald::detail {

/// A scheduled step as the saga's code sees it; lives as long as the instance, at one address.
struct Slot {
  const StepDefinition* step = nullptr;
  int ordinal = 0;
  bool settled = false;
  bool succeeded = false;
  /// The code looked at the result: a failure nobody looked at counts as uncaught when the saga returns.
  bool observed = false;
  std::string output;
  Failure failure;
};

/// A timer as the saga's code sees it; lives as long as the instance, at one address.
struct TimerSlot {
  int ordinal = 0;  ///< counted from 1, apart from the steps
  Time due{};
  bool fired = false;
  bool cancelled = false;  ///< set by the code: never fires, wakes nobody
};

/// One wait for a signal, in the order in which the code began to wait; lives as long as the instance, at one address.
struct SignalSlot {
  std::string name;
  bool arrived = false;
  bool cancelled = false;  ///< set by the code: what comes later is for the next who waits
  std::string data;        ///< JSON, once arrived
};

/// What a suspended saga waits for. Lives in the frame that is suspended.
class Waiter {
 public:
  std::coroutine_handle<> handle;
  [[nodiscard]] virtual bool ready() const noexcept = 0;

 protected:
  Waiter() = default;
  Waiter(const Waiter&) = default;
  Waiter& operator=(const Waiter&) = default;
  ~Waiter() = default;
};

class Journal {
 public:
  virtual ~Journal() = default;
  /// Schedules a step now; never blocks, never throws.
  virtual Slot& schedule(const StepDefinition& step, std::string input, bool pivot) = 0;
  /// Gives a step up: settles it as failed unless it is settled.
  virtual void abandon(Slot& slot) = 0;
  /// Starts a timer now; never blocks, never throws. One that is due already has fired.
  virtual TimerSlot& start_timer(Time due) = 0;
  /// Begins to wait for the next signal of this name that nobody else waits for; one that came before is there at once.
  virtual SignalSlot& expect_signal(std::string_view name) = 0;
  /// The value recorded under this name, which is asked for only when there is none yet. nullopt: the run is void.
  virtual std::optional<std::string> record(std::string_view name,
                                            const std::function<std::string()>& value) = 0;
  /// Whether this run has the change: it does unless it came past here before there was one.
  virtual bool patched(std::string_view name) = 0;
  /// The next number of a sequence that is this saga's own.
  virtual std::uint64_t random() = 0;
  /// The run ends here, and another one begins with this input.
  virtual void continue_as_new(std::string input) = 0;
  /// The steps started while more groups are open than closed are undone beside each other.
  virtual void rollback_group(int open) = 0;
  /// While more shields are up than down a cancellation does not roll the saga back.
  virtual void shield(int up) = 0;
  [[nodiscard]] virtual bool cancel_requested() const noexcept = 0;
  /// The saga's one suspended leaf; the engine resumes it once it is ready.
  virtual void suspend(Waiter& waiter) noexcept = 0;
  /// The saga's time: of the transition that is being worked on; never goes back.
  [[nodiscard]] virtual Time now() const noexcept = 0;
  /// The same, for the code itself, which may do whatever it likes with it.
  [[nodiscard]] virtual Time tell_time() noexcept { return now(); }
  [[nodiscard]] virtual const std::string& saga_id() const noexcept = 0;
};

}  // namespace skald::detail
