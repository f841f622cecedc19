// Runtime: the lanes, the ingress, the timekeeper, the outbox publisher and the step executor of one process,
// tied together. With start() each has its thread (docs/runtime.md); a simulation calls run_once() instead
// and drives them all on its own thread. The public functions are thread-safe but for start, drain, run_once
// and the destructor, which belong to whoever built it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/environment.hpp"
#include "engine/reset_plan.hpp"
#include "ports/step_executor.hpp"
#include "runtime/decoder.hpp"
#include "runtime/ingress.hpp"
#include "runtime/settings.hpp"
#include "runtime/store_link.hpp"

namespace skald::runtime {

/// What became of a start asked for over the API.
struct StartAnswer {
  enum class Kind {
    kStarted,    ///< durable
    kDuplicate,  ///< it had been started with this input before
    kConflict,   ///< it exists with another input, or the database refuses it (reason)
  } kind = Kind::kStarted;
  SagaKey key = 0;
  std::string reason;
};

/// What became of an input from elsewhere than a topic: an operator's action, a signal, an update.
struct InputAnswer {
  enum class Kind {
    kApplied,
    kDuplicate,  ///< it was applied before
    kRefused,    ///< the saga has moved or ended, or the input does not fit (reason)
    kAccepted,   ///< durable and to be applied in its turn, but not yet
  } kind = Kind::kApplied;
  std::int64_t sequence = 0;
  std::string reason;
  std::string answer;  ///< of an update, applied now or before
};

struct Health {
  bool alive = true;      ///< the lanes progress
  std::string not_alive;  ///< which does not
  bool store = false;     ///< the database is reached and this process registered
  bool bus = false;       ///< Kafka is reached
  bool assigned = false;  ///< this process has its partitions
  bool draining = false;
};

class Runtime final : public LaneRouter {
 public:
  struct Parts {
    Seams seams;                      ///< outlive it
    const Registry& registry;         ///< outlives it
    engine::Environment environment;  ///< its Random is set to seams.random if null
    std::vector<TriggerRoute> triggers;
    Settings settings;
    /// Null: a pool of settings.local_threads threads. Else outlives it.
    StepExecutor* executor = nullptr;
    Territory territory{};  ///< default: every saga of the namespace is here
    std::vector<SignalRoute> signals{};
    std::string child_topic{};  ///< of parents' commands to child sagas; empty: none is read
  };
  explicit Runtime(Parts parts);
  /// Ends the threads without draining, if drain was not called.
  ~Runtime() override;

  /// Starts the threads. The database and Kafka may be away: they are waited for.
  void start();
  /// Stops taking in, finishes what is under way, publishes it and records the positions, within the shutdown
  /// grace; then ends the threads. False: the grace was too short; what is left is as after a crash, and the
  /// process had better end at once: the destructor waits for local steps that still run.
  bool drain();
  /// Attempts of local steps under way or waiting for a thread.
  [[nodiscard]] std::size_t running_steps() const;
  /// Instead of start(): one round of everything, without waiting. True if there was something to do.
  bool run_once();

  /// Starts a saga and waits for it to be durable. kInvalid: wrong definition, id or input; kUnavailable: not
  /// answered within `timeout`, it may still be started (ask again with the same input).
  Result<StartAnswer> start_saga(std::string_view definition, std::string saga_id, std::string_view input,
                                 wire::TraceContext trace, std::string origin,
                                 std::chrono::milliseconds timeout);
  /// Stores the input, then waits for a process to apply it.
  Result<InputAnswer> send(const SagaAddress& saga, const engine::Input& input,
                           std::chrono::milliseconds timeout);
  /// What a saga, as stored, answers to a query; writes nothing. kInvalid: no such query, or its input does not fit;
  /// kRefused: this process has no code for the saga, its code and history differ, or the code threw.
  [[nodiscard]] Result<std::string> query(const StoredSaga& saga, std::string_view name,
                                          std::string_view input) const;
  /// What a reset would do with a saga, as stored; writes nothing. kRefused: why it cannot be.
  [[nodiscard]] Result<std::vector<engine::ResetStep>> plan_reset(const StoredSaga& saga,
                                                                  const engine::OperatorAction& action) const;
  /// An operator's decision about a stopped partition: recorded with who and why, then reading goes on.
  Result<void> accept_position(const Position& position, const std::string& who, const std::string& why);

  [[nodiscard]] std::vector<StoppedPartition> stopped_partitions() const;
  [[nodiscard]] Health health() const;
  /// Empty until Kafka was reached.
  [[nodiscard]] std::string cluster_id() const;
  [[nodiscard]] Incarnation incarnation() const;

  void route(std::vector<Work> works) override;

 private:
  struct Body;
  std::unique_ptr<Body> body_;
};

}  // namespace skald::runtime
