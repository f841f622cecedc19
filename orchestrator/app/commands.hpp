// The subcommands: what each takes from the command line, and what it does. Each returns the exit code and runs in the
// main thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/program.hpp"
#include "ports/schedule.hpp"

namespace skald::app {

struct ServeOptions {
  std::vector<std::string> databases;  ///< those it serves; empty: all
};
int run_serve(const Program& program, const ServeOptions& options);

int run_migrate(const Program& program);

struct DevOptions {
  std::string data;  ///< keeps the database there; empty: a temporary folder
  std::string address_file = ".skald-dev.env";
};
int run_dev(const Program& program, const DevOptions& options);

struct TopicsOptions {
  bool plan = false, apply = false;
};
int run_topics(const Program& program, const TopicsOptions& options);

struct ReadyOptions {
  std::string url;
};
/// Asks a running orchestrator whether it is ready.
int run_ready(const Program& program, const ReadyOptions& options);

struct StartOptions {
  std::string saga, id, input, url;
};
int run_start(const Program& program, const StartOptions& options);

struct ListOptions {
  std::string definition, status;
  std::size_t limit = 50;
  bool oldest = false, json = false;
};
int run_list(const Program& program, const ListOptions& options);

struct ShowOptions {
  std::string id, definition;
  bool json = false;
};
int run_show(const Program& program, const ShowOptions& options);

struct PositionsOptions {
  std::string topic;
  int partition = 0;
  std::int64_t offset = 0;
  std::string who, why, database;
  bool json = false;
};
int run_positions_show(const Program& program, const PositionsOptions& options);
int run_positions_accept(const Program& program, const PositionsOptions& options);

struct PreflightOptions {
  std::string time_limit = "10m";
};
int run_preflight(const Program& program, const PreflightOptions& options);

struct ExportOptions {
  std::string id, definition, status;
  std::size_t limit = 1'000;
};
int run_export(const Program& program, const ExportOptions& options);

struct ReplayOptions {
  std::vector<std::string> files;
};
int run_replay(const Program& program, const ReplayOptions& options);

struct PausesOptions {
  std::string definition, step, who, why;
  bool end = false;
};
int run_pauses_show(const Program& program);
int run_pauses_change(const Program& program, const PausesOptions& options);

/// What the group `schedules` takes; each of its commands some of it.
struct SchedulesOptions {
  std::string name, saga, cron, every, offset, input, who, why, from, to, url;
  std::string time_zone = "UTC", overlap = "skip", catch_up = "1h";
  std::size_t count = 5;
};
int run_schedules_show(const Program& program, const SchedulesOptions& options);
int run_schedules_put(const Program& program, const SchedulesOptions& options);
int run_schedules_change(const Program& program, const SchedulesOptions& options, ScheduleChange::Kind kind);
int run_schedules_preview(const Program& program, const SchedulesOptions& options);
int run_schedules_backfill(const Program& program, const SchedulesOptions& options);

struct SlotsOptions {
  std::string slots, from, to, who, why;
  bool silent_are_ended = false;
};
int run_slots_show(const Program& program);
int run_slots_move(const Program& program, const SlotsOptions& options);

/// signal, update and query.
struct RunningOptions {
  std::string saga, id, name, message_id, start_input, url;
  std::string data = "{}";
};
int run_signal(const Program& program, const RunningOptions& options);
int run_update(const Program& program, const RunningOptions& options);
int run_query(const Program& program, const RunningOptions& options);

/// retry, skip, compensate, end, cancel and terminate.
struct ActionOptions {
  std::string verb, saga, id, who, why, result, url, effects;
  std::optional<std::int64_t> sequence, ordinal, to;
  bool dry_run = false;
};
int run_action(const Program& program, const ActionOptions& options);
/// One action on one saga; says what came of it. The exit code.
int act(const Program& program, const Config& config, const ActionOptions& options);

struct CompleteOptions {
  std::string token, code, message, url;
  std::string output = "{}";
  bool retry = false;
};
int run_complete(const Program& program, const CompleteOptions& options);

/// A past range of trigger records, in shadow or (start) for real.
struct ReprocessOptions {
  std::string saga, topic, from, to, suffix, who, why, url;
  std::optional<int> revision;
  std::optional<std::int32_t> partition;
  std::optional<std::int64_t> from_offset, to_offset;
  bool start = false;
};
int run_reprocess(const Program& program, const ReprocessOptions& options);

/// Which dead letters of a topic.
struct DeadLettersOptions {
  std::string topic, code, from, to, who, why;
  std::optional<std::int32_t> partition;
  std::optional<std::int64_t> offset;
  std::optional<std::size_t> limit;  ///< list: 50; redrive: all that are chosen
  bool all = false, dry_run = false, json = false;
};
int run_dead_letters_list(const Program& program, const DeadLettersOptions& options);
/// Puts them back on the topic that they came from.
int run_dead_letters_redrive(const Program& program, const DeadLettersOptions& options);

/// An action on every saga that a filter finds.
struct BatchOptions {
  ActionOptions action;
  std::string definition, status = "stuck", reason, before;
  std::size_t limit = 1'000;
  bool dry_run = false;
};
int run_batch(const Program& program, const BatchOptions& options);

struct CheckOptions {
  bool reference = false;
};
int run_check_config(const Program& program, const CheckOptions& options);

}  // namespace skald::app
