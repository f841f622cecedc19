// The configuration of one process, read and checked as a whole before anything is started. A value: made
// once in skald::main, read-only after, outlives whatever is built from it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/config_databases.hpp"
#include "app/config_signals.hpp"
#include "app/config_text.hpp"
#include "app/config_values.hpp"
#include "engine/environment.hpp"
#include "ports/logger.hpp"
#include "runtime/settings.hpp"
#include "skald/registry.hpp"

namespace skald::app {

struct KafkaConfig {
  std::string bootstrap_servers;
  std::string group;
  std::string instance_id;
  std::map<std::string, std::string> properties;
};

struct TopicsConfig {
  std::string replies;  ///< of a single database; several have their own
  std::string lifecycle;
  std::string signals;   ///< empty: no saga takes any
  std::string children;  ///< empty: no saga has any
  bool create = false;
  int partitions = 8;
  int replication = 0;                                 ///< 0: the cluster's default
  std::optional<std::chrono::milliseconds> retention;  ///< nullopt: the cluster's default
};

struct HttpConfig {
  Address listen{"127.0.0.1", 8080};
  std::string token;
};

/// One trigger with its topic. Written in code (`saga` names what code says), or by configuration.
struct TriggerConfig {
  std::string name;
  std::string topic;
  std::string saga;
  bool in_code = false;
  Source id;
  Source input;
  std::optional<Filter> filter;
};

struct Config {
  std::string name_space;
  std::vector<DatabaseConfig> databases;  ///< at least one
  KafkaConfig kafka;
  TopicsConfig topics;
  HttpConfig http;
  std::map<std::string, engine::StepSettings, std::less<>> steps;
  std::map<std::string, SagaOptions, std::less<>> sagas;
  /// By definition: how long a saga may be open before an alert says so.
  std::map<std::string, std::optional<std::chrono::milliseconds>, std::less<>> objectives;
  std::vector<TriggerConfig> triggers;
  std::vector<SignalConfig> signals;
  runtime::Settings runtime;
  LogLevel log_level = LogLevel::kInfo;
  bool log_json = true;

  ConfigValues values;
  /// Owns the failure codes that step options refer to.
  std::shared_ptr<std::deque<std::string>> codes = std::make_shared<std::deque<std::string>>();

  /// Every topic of commands, replies, triggers and outcome events, and the dead-letter topics of those that are
  /// read here; sorted.
  [[nodiscard]] std::vector<std::string> needed_topics() const;
  /// What topic the commands of a saga name for their replies, and which database that is.
  [[nodiscard]] const DatabaseConfig& database_of(std::string_view saga_id) const {
    return database_of_slot(databases, wire::slot_of(saga_id));
  }
  /// And the dead-letter topics of the participants.
  [[nodiscard]] std::vector<std::string> topics_to_create() const;
};

/// What a command needs of the configuration.
struct Needs {
  bool database = false;
  bool kafka = false;
  bool wiring = false;          ///< sagas, steps and triggers fit, and each has its topic
  bool http = false;            ///< it listens: to nobody who may not ask
  bool made_up_topics = false;  ///< of `dev`: where a trigger or step has no topic, one is made of its name
};

/// Reads and checks everything; the first thing wrong as one line. `mentioned` as Registry::problems.
[[nodiscard]] Result<Config> load_config(
    const ConfigSources& sources, const Registry& registry, const Needs& needs,
    const std::vector<const StepDefinition*>& mentioned = mentioned_steps());

/// The names by which the environment variables of a binary's steps, sagas and triggers are known.
[[nodiscard]] std::map<std::string, std::vector<std::string>> names_of(
    const Registry& registry, const std::vector<const StepDefinition*>& mentioned = mentioned_steps());

/// Sets what `runtime.*` configures, each within its bounds and consistent with the others.
[[nodiscard]] Result<void> apply_runtime(const ConfigValues& values, runtime::Settings& settings);

/// Every key with its value and origin, one a line, secrets hidden: what check-config prints.
[[nodiscard]] std::string describe(const Config& config);

}  // namespace skald::app
