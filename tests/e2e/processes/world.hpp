// World: everything one test runs: a database of its own, topics of its own, the three participants, any number of
// orchestrators and one load. Tests that share a cluster do not meet. Ends with the object. One thread.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "process.hpp"

namespace skald::e2e {

/// What `order-load` reported.
struct Outcome {
  int exit_code = -1;
  std::string report;  ///< its last line, JSON
  [[nodiscard]] std::int64_t number(const std::string& key) const;
};

/// An orchestrator and where it answers.
struct Orchestrator {
  std::unique_ptr<Process> process;
  int port = 0;
};

class World {
 public:
  struct Cluster {
    std::string kafka;     ///< bootstrap servers
    std::string postgres;  ///< URI of a database in which others may be created
  };
  /// The one that SKALD_TEST_KAFKA and SKALD_TEST_POSTGRES name.
  static Cluster given();

  /// `program`: an orchestrator, in the build folder; any but those of orders has neither triggers nor command steps.
  explicit World(Cluster cluster, std::string program = "examples/place-order");
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// From now on sagas are divided between databases `first` (this world's) and `second`, made in the server `postgres`.
  void divide(const std::string& postgres, const std::string& first_slots, const std::string& second_slots);
  /// From now on this is the program.
  void use_program(std::string program) { program_ = std::move(program); }
  /// What a query of one number gives in this world's database; -1 if it fails.
  std::int64_t number(const std::string& query);
  /// Sections that every configuration file of this world has besides, as YAML.
  void add_configuration(const std::string& yaml) { more_configuration_ += yaml; }
  /// Keys of `runtime`, as YAML between commas, that every configuration file has besides from now on.
  void add_runtime(const std::string& yaml) { more_runtime_ += ", " + yaml; }
  /// Every participant gets these besides.
  void add_participant_arguments(std::vector<std::string> arguments) {
    participant_arguments_ = std::move(arguments);
  }
  /// `place-order migrate`, then the participants.
  void prepare();
  /// Kills one of the three and starts it again.
  void restart_participant(std::size_t index);
  /// A running `place-order serve`, ready unless told otherwise.
  Orchestrator start_orchestrator(bool await_ready = true, const std::vector<std::string>& arguments = {});
  /// Starts the load; says("reached") once half of the outcomes are in.
  Process& start_load(int orders, int rate);
  /// Waits for the load's end.
  Outcome finish_load(std::chrono::seconds limit);
  /// What the participants' tables hold against the promises; empty if nothing.
  std::string offences();

  /// `place-order ARGUMENTS` in this world's configuration, to its end.
  int place_order(const std::vector<std::string>& arguments, std::string& output,
                  const std::map<std::string, std::string>& environment = {});
  /// Runs it in this world's database; a statement that fails fails the test.
  void sql(const std::string& statement);
  /// This world's database for another user.
  [[nodiscard]] std::string database_uri(const std::string& user) const;
  /// Everything the processes logged, for the message of a failure.
  [[nodiscard]] std::string logs() const;
  [[nodiscard]] std::string file(const std::string& name) const { return (folder_ / name).string(); }
  [[nodiscard]] const Cluster& cluster() const { return cluster_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string topic(const std::string& name) const { return name_ + "." + name; }
  [[nodiscard]] std::string lifecycle_topic() const { return "skald." + name_ + ".lifecycle"; }
  [[nodiscard]] std::string replies_topic() const { return "skald." + name_ + ".replies"; }

 private:
  [[nodiscard]] std::string databases() const;
  void write_config(const std::string& path, int port) const;
  std::string create_database(const std::string& postgres) const;

  Cluster cluster_;
  std::string program_;
  std::string name_;      ///< of this world: namespace, database, prefix of its topics
  std::string database_;  ///< URI
  std::string second_;    ///< of the second database, empty: there is none
  std::string slots_[2];
  std::string more_configuration_;
  std::string more_runtime_;
  std::vector<std::string> participant_arguments_;
  std::filesystem::path folder_;
  int started_ = 0;
  std::vector<std::unique_ptr<Process>> participants_;
  std::vector<std::vector<std::string>> participant_commands_;
  std::unique_ptr<Process> load_;
};

/// The HTTP status of GET, 0 if nobody answers.
int http_status(int port, const std::string& path);
/// A port nobody listens on now.
int free_port();

}  // namespace skald::e2e
