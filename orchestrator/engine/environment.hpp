// What all instances of a process share: names, topics, each step's topic and options after configuration,
// limits. Built once at start, immutable after, outlives every instance; thread-safe but for Random, which is
// by itself.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ports/clock.hpp"
#include "ports/identity.hpp"
#include "ports/pause.hpp"
#include "skald/options.hpp"
#include "skald/step_definition.hpp"

namespace skald::engine {

struct StepSettings {
  std::string topic;  ///< command steps
  StepOptions options;
  const StepDefinition* definition = nullptr;  ///< what a reset undoes is not named by the code any more
};

struct Limits {
  std::int64_t maximum_transitions = 51'200;      ///< a saga that needs more becomes stuck: history-limit
  std::size_t maximum_history_bytes = 50u << 20;  ///< likewise
  /// Steps, timers, waits for signals and recorded values: a run that starts more without waiting for any becomes stuck.
  int maximum_steps_per_transition = 10'000;
  std::size_t maximum_payload_bytes = 900'000;  ///< of one input, output or command
  std::size_t maximum_heartbeat_bytes = 4'096;  ///< of its details; longer ones are refused
  std::size_t maximum_unread_signals = 10'000;  ///< more are refused
  /// Ids of signals and updates that a run which begins anew still knows, the newest of each: one that comes again later
  /// than so many others counts twice.
  std::size_t maximum_carried_ids = 1'000;
  int maximum_depth = 32;  ///< of children's children; a deeper one makes its parent stuck: child-limit
  std::chrono::days maximum_sleep{36'525};  ///< 100 years; a longer one makes the saga stuck: timer-limit
};

/// Where saga.record gets its values from when nothing is to be asked of anybody.
class ValueSource {
 public:
  virtual ~ValueSource() = default;
  /// nullopt: there is none of this name left.
  virtual std::optional<std::string> take(std::string_view name) = 0;
};

struct Environment {
  std::string name_space;
  std::string reply_topic;
  std::string lifecycle_topic;
  std::string build;  ///< identifies this binary in history
  std::map<std::string, StepSettings, std::less<>> steps;
  std::map<std::string, SagaOptions, std::less<>> sagas;  ///< overrides of a definition's own options
  Limits limits;
  Random* random = nullptr;
  ValueSource* values = nullptr;  ///< instead of the saga's own functions; null: those
  /// A saga's first wake-up is no later than this after its start, though its first deadline may be: the deadlines of
  /// its later steps then seldom move its row in the index of wake-ups. Not for a saga that waits for nothing but
  /// timers: its wake-up is exact. None: its first wake-up is its first deadline.
  std::optional<std::chrono::milliseconds> first_wake_up;
};

/// When and by whom a transition is made.
struct Moment {
  Time now{};
  Incarnation incarnation = 0;
  const PauseSet* pauses = nullptr;  ///< in force; lives as long as the call. Null: none
};

}  // namespace skald::engine
