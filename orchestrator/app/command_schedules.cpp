// schedules show, put, pause, resume, delete and preview: straight in the database, so that they work when no
// orchestrator runs.
#include "app/asking.hpp"
#include "app/commands.hpp"
#include "app/open_database.hpp"
#include "schedules/changes.hpp"
#include "wire/cloud_events.hpp"

namespace skald::app {
namespace {

Result<std::chrono::milliseconds> span_of(const std::string& option, const std::string& text) {
  if (const auto span = parse_duration(text)) return *span;
  return Error{ErrorKind::kInvalid, kCodeUsage, option + " takes a duration like 10s, 15m, 1h or 7d"};
}

Result<Timing> timing_of(const SchedulesOptions& options) {
  Timing timing;
  timing.cron = options.cron;
  timing.time_zone = options.time_zone;
  const std::tuple<const char*, const std::string&, std::chrono::milliseconds&> spans[] = {
      {"--every", options.every, timing.interval}, {"--offset", options.offset, timing.offset}};
  for (const auto& [option, text, into] : spans) {
    if (text.empty()) continue;
    const auto span = span_of(option, text);
    if (!span) return span.error();
    into = *span;
  }
  return timing;
}

std::string text_of(const Timing& timing) {
  if (!timing.cron.empty())
    return "cron '" + printable(timing.cron, 200) + "' " + printable(timing.time_zone);
  return "every " + format_duration(timing.interval) +
         (timing.offset.count() == 0 ? "" : " offset " + format_duration(timing.offset));
}

std::string line_of(const Schedule& schedule) {
  return schedule.name + ": " + schedule.definition + ", " + text_of(schedule.timing) + ", " +
         (schedule.paused ? "paused by " + printable(schedule.who)
                          : "next " + wire::format_time(schedule.next_at)) +
         "\n";
}

std::string all_of(const Schedule& schedule) {
  return line_of(schedule) + "  overlap   " + std::string(to_string(schedule.overlap)) + "\n  catch-up  " +
         format_duration(schedule.catch_up) + "\n  input     " + printable(schedule.input, 2'000) +
         (schedule.last_saga_id.empty() ? "" : "\n  last      " + printable(schedule.last_saga_id)) +
         (schedule.waiting_at ? "\n  waiting   " + wire::format_time(*schedule.waiting_at) : "") +
         "\n  changed   " + wire::format_time(schedule.changed_at) + " by " + printable(schedule.who) +
         ", because " + printable(schedule.why, 300) + "\n";
}

}  // namespace

int run_schedules_show(const Program& program, const SchedulesOptions& options) {
  const auto config = program.config({.database = true});
  if (!config) return program.fail(config.error());
  std::string text;
  const auto done = in_each(*config, [&](const DatabaseConfig& one, Session& session) -> Result<void> {
    const auto all = session.schedules();
    if (!all) return all.error();
    for (const Schedule& schedule : *all)
      if (options.name.empty() || options.name == schedule.name)
        text += (one.name.empty() ? "" : one.name + ": ") +
                (options.name.empty() ? line_of(schedule) : all_of(schedule));
    return {};
  });
  if (!done) return program.fail(done.error());
  if (!text.empty() || options.name.empty()) {
    print(text.empty() ? "there are no schedules\n" : text);
    return kExitOk;
  }
  program.complain(
      {ErrorKind::kInvalid, schedules::kDoesNotFit, "there is no schedule " + printable(options.name)});
  return kExitNo;
}

int run_schedules_put(const Program& program, const SchedulesOptions& options) {
  const auto config = program.config({.database = true});
  if (!config) return program.fail(config.error());
  auto input = read_argument(options.input, "--input");
  if (!input) return program.fail(input.error());
  if (auto fits = program.could_start(options.saga, *input); !fits) return program.fail(fits.error());
  const auto timing = timing_of(options);
  if (!timing) return program.fail(timing.error());
  const auto overlap = parse_overlap(options.overlap);
  if (!overlap) return program.fail({ErrorKind::kInvalid, kCodeUsage, "--overlap takes allow, skip or wait"});
  const auto catch_up = span_of("--catch-up", options.catch_up);
  if (!catch_up) return program.fail(catch_up.error());
  Schedule schedule;
  schedule.name = options.name;
  schedule.definition = options.saga;
  schedule.input = std::move(input).value();
  schedule.timing = *timing;
  schedule.overlap = *overlap;
  schedule.catch_up = *catch_up;
  schedule.who = options.who;
  schedule.why = options.why;
  std::string shown;
  const auto done = in_each(*config, [&](const DatabaseConfig&, Session& session) -> Result<void> {
    if (auto put = schedules::put(session, schedule, config->databases.size()); !put) return put;
    const auto now = schedules::find(session, schedule.name);
    if (!now) return now.error();
    shown = line_of(*now);
    return {};
  });
  if (!done) return program.fail(done.error());
  print(shown);
  return kExitOk;
}

int run_schedules_change(const Program& program, const SchedulesOptions& options, ScheduleChange::Kind kind) {
  const auto config = program.config({.database = true});
  if (!config) return program.fail(config.error());
  bool changed = false;
  bool known = false;
  const auto done = in_each(*config, [&](const DatabaseConfig&, Session& session) -> Result<void> {
    known = known || schedules::find(session, options.name).ok();
    const auto now = schedules::change(session, {kind, options.name, {}, options.who, options.why});
    if (!now) return now.error();
    changed = changed || *now;
    return {};
  });
  if (!done) return program.fail(done.error());
  using Kind = ScheduleChange::Kind;
  if (!known) {
    program.complain(
        {ErrorKind::kInvalid, schedules::kDoesNotFit, "there is no schedule " + printable(options.name)});
    return kExitNo;
  }
  const std::string what = "schedule " + options.name;
  if (kind == Kind::remove) print(what + " is deleted\n");
  if (kind == Kind::pause) print(what + (changed ? " is paused\n" : " was paused already\n"));
  if (kind == Kind::resume) print(what + (changed ? " goes on\n" : " was not paused\n"));
  return kExitOk;
}

int run_schedules_preview(const Program& program, const SchedulesOptions& options) {
  auto timing = timing_of(options);
  if (!timing) return program.fail(timing.error());
  Time now = SystemClock().wall();
  if (!options.name.empty()) {
    const auto config = program.config({.database = true});
    if (!config) return program.fail(config.error());
    const auto done = in_each(*config, [&](const DatabaseConfig&, Session& session) -> Result<void> {
      const auto schedule = schedules::find(session, options.name);
      if (!schedule) return schedule.error();
      const auto databases_now = session.now();
      if (!databases_now) return databases_now.error();
      timing = schedule->timing;
      now = *databases_now;
      return {};
    });
    if (!done) return program.fail(done.error());
  }
  const auto ticks = schedules::Ticks::of(*timing);
  if (!ticks) return program.fail(ticks.error());
  std::string text;
  for (std::size_t index = 0; index < options.count; ++index) {
    now = ticks->after(now);
    text += wire::format_time(now) + "  " + ticks->text(now) + "\n";
  }
  print(text);
  return kExitOk;
}

}  // namespace skald::app
