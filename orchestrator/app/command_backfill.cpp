// schedules backfill: the sagas of past ticks, started one after another through a running orchestrator. The ids are those
// of the ticks, so that it may be interrupted and run again.
#include "app/asking.hpp"
#include "app/commands.hpp"
#include "app/open_database.hpp"
#include "schedules/changes.hpp"
#include "skald/json.hpp"
#include "wire/cloud_events.hpp"

namespace skald::app {
namespace {

constexpr std::size_t kMaximumBackfill = 10'000;

Error wrong(std::string message) { return {ErrorKind::kInvalid, kCodeUsage, std::move(message)}; }

struct Range {
  Schedule schedule;
  std::vector<Time> ticks;
};

Result<std::vector<Time>> ticks_between(const Schedule& schedule, Time from, Time to) {
  const auto ticks = schedules::Ticks::of(schedule.timing);
  if (!ticks) return ticks.error();
  std::vector<Time> found;
  for (Time tick = ticks->after(from - std::chrono::milliseconds(1)); tick < to; tick = ticks->after(tick)) {
    if (found.size() == kMaximumBackfill)
      return wrong("there are more than " + std::to_string(kMaximumBackfill) +
                   " ticks from --from to --to; the first so many end before " + wire::format_time(tick));
    found.push_back(tick);
  }
  return found;
}

Result<Range> range_of(const Config& config, const SchedulesOptions& options) {
  const auto from = wire::parse_time(options.from);
  const auto to = wire::parse_time(options.to);
  if (!from || !to) return wrong("--from and --to take times like 2026-11-22T00:00:00Z");
  Range range;
  Time now{};
  auto done = in_each(config, [&](const DatabaseConfig&, Session& session) -> Result<void> {
    auto schedule = schedules::find(session, options.name);
    if (!schedule) return schedule.error();
    range.schedule = std::move(schedule).value();
    const auto time = session.now();
    if (!time) return time.error();
    now = *time;
    return {};
  });
  if (!done) return done.error();
  if (*to > now) return wrong("--to lies in the future: a backfill starts what is past");
  auto ticks = ticks_between(range.schedule, *from, *to);
  if (!ticks) return ticks.error();
  range.ticks = std::move(ticks).value();
  return range;
}

}  // namespace

int run_schedules_backfill(const Program& program, const SchedulesOptions& options) {
  const auto config = program.config({.database = true});
  if (!config) return program.fail(config.error());
  const auto range = range_of(*config, options);
  if (!range) return program.fail(range.error());
  const Schedule& schedule = range->schedule;
  const std::string path = "/api/v1/sagas/" + api::percent_encoded(schedule.definition);
  std::size_t started = 0, existed = 0, refusals = 0;
  for (const Time tick : range->ticks) {
    json::Writer writer;
    writer.begin_object();
    writer.key("id");
    writer.string(schedules::saga_id_of(schedule.name, tick));
    writer.key("input");
    writer.raw(schedule.input);
    writer.end_object();
    const auto answer =
        api::ask({url_of(*config, options.url), "POST", path, writer.take(), config->http.token});
    if (!answer) return program.fail(answer.error());
    if (answer->status == 201) {
      ++started;
    } else if (answer->status == 200) {
      ++existed;
    } else if (answer->status == 409) {
      ++refusals;
      print(schedules::saga_id_of(schedule.name, tick) + ": " + error_of(*answer).message + "\n");
    } else {
      return refused(program, *answer);
    }
  }
  print("ticks: " + std::to_string(range->ticks.size()) + ", started: " + std::to_string(started) +
        ", existed: " + std::to_string(existed) + ", refused: " + std::to_string(refusals) + "\n");
  return refusals == 0 ? kExitOk : kExitNo;
}

}  // namespace skald::app
