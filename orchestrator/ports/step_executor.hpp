// StepExecutor: the port that runs attempts of local steps, away from the lanes. Production gives a pool of
// threads, simulation runs them when its schedule says so. Every task handed over calls `done` exactly once,
// unless the process ends first; the saga's history knows that attempt and its incarnation.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "skald/local_executor.hpp"
#include "skald/step.hpp"

namespace skald {

/// One attempt to run.
struct LocalTask {
  LocalExecutor* executor = nullptr;  ///< outlives the task
  std::string step;
  bool compensation = false;
  std::string input;                  ///< JSON
  std::optional<std::string> output;  ///< of the action, for a compensation; empty: unknown
  StepContext::Values context;        ///< its stop token is set by the StepExecutor
  /// Between two heartbeats, from the first one on: then the stop token is requested too.
  std::optional<std::chrono::milliseconds> heartbeat;
  /// On Clock::monotonic: then the stop token is requested and an alert fires.
  std::optional<std::chrono::nanoseconds> stop_at;
  /// Called on the executor's thread; must not block.
  std::function<void(LocalOutcome)> done;
};

/// Thread-safe.
class StepExecutor {
 public:
  virtual ~StepExecutor() = default;
  /// Never refuses: the attempts are already in their sagas' histories. backlog() says when to take in less.
  virtual void submit(std::vector<LocalTask> tasks) = 0;
  /// Tasks waiting or running.
  [[nodiscard]] virtual std::size_t backlog() const = 0;
  /// Requests every stop token; tasks submitted later start with theirs requested.
  virtual void request_stop() = 0;
};

}  // namespace skald
