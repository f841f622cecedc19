// CommandLine: one invocation of the program: what was parsed, and the subcommand chosen. CLI11 is known only to the two
// files that say what each subcommand takes; what it does stands in command_*.cpp. Main thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/commands.hpp"

namespace CLI {
class App;
}

namespace skald::app {

class CommandLine {
 public:
  explicit CommandLine(Program& program);
  ~CommandLine();
  /// Parses, then runs what was asked for; the exit code.
  int run(int argc, char** argv);

 private:
  std::vector<std::string> command_names();
  bool is_command(const std::string& word);
  int unknown_command(const std::string& word);
  CLI::App* add(const std::string& name, const std::string& description, const std::string& examples,
                std::function<int()> run);
  void add_running();
  void add_reading();
  void add_replaying();
  void add_slots();
  void add_positions();
  void add_asking();
  void add_reprocess();
  void add_dead_letters();
  void add_pauses();
  void add_schedules();
  template <class Command>
  void add_schedule_changes(const Command& command);
  void add_complete();
  void add_sending();
  void add_batch();
  void add_reset();
  CLI::App* add_action(const std::string& verb, const std::string& description);

  Program& program_;
  std::unique_ptr<CLI::App> app_;
  std::function<int()> command_;
  DevOptions dev_;
  CheckOptions check_;
  TopicsOptions topics_;
  ListOptions list_;
  ShowOptions show_;
  PositionsOptions positions_;
  SlotsOptions slots_;
  PausesOptions pauses_;
  PreflightOptions preflight_;
  ExportOptions export_;
  ReplayOptions replay_;
  SchedulesOptions schedules_;
  ServeOptions serve_;
  ReadyOptions ready_;
  StartOptions start_;
  ActionOptions action_;
  ReprocessOptions reprocess_;
  DeadLettersOptions dead_letters_;
  RunningOptions running_;
  BatchOptions batch_;
  CompleteOptions complete_;
};

}  // namespace skald::app
