// Schedules, in every database that this process serves.
#include "api/answers.hpp"
#include "api/api.hpp"
#include "api/sessions.hpp"
#include "schedules/changes.hpp"
#include "wire/cloud_events.hpp"
#include "wire/command_id.hpp"

namespace skald::api {
namespace {

using std::chrono::milliseconds;

void write_schedule(json::Writer& writer, const std::string& database, const Schedule& schedule) {
  const auto number = [&](const char* name, std::int64_t value) {
    writer.key(name);
    writer.integer(value);
  };
  writer.begin_object();
  if (!database.empty()) text_member(writer, "database", database);
  text_member(writer, "name", schedule.name);
  text_member(writer, "definition", schedule.definition);
  if (schedule.timing.cron.empty()) {
    number("interval_ms", schedule.timing.interval.count());
    number("offset_ms", schedule.timing.offset.count());
  } else {
    text_member(writer, "cron", schedule.timing.cron);
    text_member(writer, "time_zone", schedule.timing.time_zone);
  }
  writer.key("input");
  writer.raw(schedule.input);
  text_member(writer, "overlap", to_string(schedule.overlap));
  number("catch_up_ms", schedule.catch_up.count());
  writer.key("paused");
  writer.boolean(schedule.paused);
  if (!schedule.paused) text_member(writer, "next_at", wire::format_time(schedule.next_at));
  if (schedule.waiting_at) text_member(writer, "waiting_at", wire::format_time(*schedule.waiting_at));
  if (!schedule.last_saga_id.empty()) text_member(writer, "last_saga_id", schedule.last_saga_id);
  text_member(writer, "who", schedule.who);
  text_member(writer, "why", schedule.why);
  text_member(writer, "changed_at", wire::format_time(schedule.changed_at));
  writer.end_object();
}

Error bad(std::string message) { return {ErrorKind::kInvalid, kBadRequest, std::move(message)}; }

/// A number of milliseconds that may be missing.
Result<void> read_ms(const json::Value& body, const char* name, milliseconds& into) {
  const auto member = body.find(name);
  if (!member) return {};
  const auto value = member->as_int64();
  if (!value || *value < 0 || *value > milliseconds(schedules::kLongestInterval).count())
    return bad(std::string("/") + name + " takes a whole number of milliseconds, up to 366 days");
  into = milliseconds(*value);
  return {};
}

Result<void> read_text(const json::Value& body, const char* name, std::size_t maximum, bool required,
                       std::string& into) {
  auto text = text_of(body, name, maximum, required);
  if (!text) return text.error();
  if (required || !text->empty()) into = std::move(text).value();
  return {};
}

Result<Schedule> schedule_of(const json::Value& body) {
  Schedule schedule;
  const struct {
    const char* name;
    std::size_t maximum;
    bool required;
    std::string& into;
  } texts[] = {{"name", wire::kMaximumNameBytes, true, schedule.name},
               {"definition", wire::kMaximumNameBytes, true, schedule.definition},
               {"cron", schedules::kMaximumCronBytes, false, schedule.timing.cron},
               {"time_zone", schedules::kMaximumTimeZoneBytes, false, schedule.timing.time_zone},
               {"who", kMaximumPersonBytes, true, schedule.who},
               {"why", kMaximumReasonBytes, true, schedule.why}};
  for (const auto& text : texts)
    if (auto read = read_text(body, text.name, text.maximum, text.required, text.into); !read)
      return read.error();
  const std::pair<const char*, milliseconds&> spans[] = {{"interval_ms", schedule.timing.interval},
                                                         {"offset_ms", schedule.timing.offset},
                                                         {"catch_up_ms", schedule.catch_up}};
  for (const auto& [name, into] : spans)
    if (auto read = read_ms(body, name, into); !read) return read.error();
  std::string overlap(to_string(schedule.overlap));
  if (auto read = read_text(body, "overlap", 10, false, overlap); !read) return read.error();
  if (!parse_overlap(overlap)) return bad("/overlap takes allow, skip or wait");
  schedule.overlap = *parse_overlap(overlap);
  const auto input = body.find("input");
  if (!input) return bad("/input is missing: the input of its sagas");
  schedule.input = input->text();
  return schedule;
}

}  // namespace

HttpResponse Api::schedules() {
  json::Writer writer;
  writer.begin_object();
  writer.key("schedules");
  writer.begin_array();
  for (const Served& one : databases_) {
    const auto all = one.sessions->with([](Session& session) { return session.schedules(); });
    if (!all) return refuse(all.error());
    for (const Schedule& schedule : *all) write_schedule(writer, one.name, schedule);
  }
  writer.end_array();
  writer.end_object();
  return answer(200, writer.take());
}

HttpResponse Api::put_schedule(const json::Value& body) {
  const auto schedule = schedule_of(body);
  if (!schedule) return refuse(schedule.error());
  if (auto fits = control_.could_start(schedule->definition, schedule->input); !fits)
    return refuse(fits.error());
  for (const Served& one : databases_) {
    const std::size_t databases = one.slots.full() ? 1 : 2;  // or more
    const auto done =
        one.sessions->with([&](Session& session) { return schedules::put(session, *schedule, databases); });
    if (!done) return refuse(done.error());
  }
  return applied(false);
}

HttpResponse Api::change_schedules(const HttpRequest& request) {
  const auto body = json::Document::parse(request.body);
  if (!body) return refuse(400, body.error().code, body.error().message);
  std::string action;
  if (auto read = read_text(body->root(), "action", 20, true, action); !read) return refuse(read.error());
  if (action == "put") return put_schedule(body->root());
  using Kind = ScheduleChange::Kind;
  ScheduleChange change;
  change.kind = action == "pause" ? Kind::pause : action == "resume" ? Kind::resume : Kind::remove;
  if (action != to_string(change.kind))
    return refuse(400, kBadRequest, "/action takes put, pause, resume or delete");
  const struct {
    const char* name;
    std::size_t maximum;
    std::string& into;
  } texts[] = {{"name", wire::kMaximumNameBytes, change.name},
               {"who", kMaximumPersonBytes, change.who},
               {"why", kMaximumReasonBytes, change.why}};
  for (const auto& text : texts)
    if (auto read = read_text(body->root(), text.name, text.maximum, true, text.into); !read)
      return refuse(read.error());
  bool changed = false;
  for (const Served& one : databases_) {
    const auto done =
        one.sessions->with([&](Session& session) { return schedules::change(session, change); });
    if (!done) return refuse(done.error());
    changed = changed || *done;
  }
  return applied(!changed);
}

}  // namespace skald::api
