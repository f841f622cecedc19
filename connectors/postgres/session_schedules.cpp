// Schedules: people's changes, each with its row in the audit, and the claims of processes, which the ticks' unique saga
// ids make harmless when two overlap.
#include "postgres/session.hpp"
#include "postgres/values.hpp"

namespace skald::postgres {
namespace {

#define SKALD_SQL_SCHEDULE_COLUMNS \
  "s.name, s.definition, s.input, s.cron, s.time_zone, coalesce(s.interval_ms, 0), s.offset_ms, s.overlap, " \
  "s.catch_up_ms, s.paused, " SKALD_SQL_MS("s.next_at") ", " SKALD_SQL_MS("s.waiting_at") ", s.last_saga_id, " \
  "s.who, s.why, " SKALD_SQL_MS("s.changed_at") ", s.change_number"
constexpr int kColumns = 17;

constexpr Statement kSchedules{"schedules", R"(
SELECT )" SKALD_SQL_SCHEDULE_COLUMNS R"(
FROM schedule s
WHERE s.namespace = $1
ORDER BY s.name)"};

// With the same timing it goes on where it stood: a tick that came just now is not lost.
constexpr Statement kPut{"put_schedule", R"(
WITH written AS (
  INSERT INTO schedule AS s (namespace, name, definition, input, cron, time_zone, interval_ms, offset_ms, overlap,
                             catch_up_ms, next_at, who, why)
  VALUES ($1, $2, $3, $4, nullif($5, ''), $6, nullif($7::bigint, 0), $8::bigint, $9, $10::bigint,
          to_timestamp($11::bigint / 1000.0), $12, $13)
  ON CONFLICT (namespace, name) DO UPDATE
  SET definition = excluded.definition, input = excluded.input, cron = excluded.cron, time_zone = excluded.time_zone,
      interval_ms = excluded.interval_ms, offset_ms = excluded.offset_ms, overlap = excluded.overlap,
      catch_up_ms = excluded.catch_up_ms,
      next_at = CASE WHEN (s.cron, s.time_zone, s.interval_ms, s.offset_ms)
                          IS NOT DISTINCT FROM (excluded.cron, excluded.time_zone, excluded.interval_ms, excluded.offset_ms)
                     THEN s.next_at ELSE excluded.next_at END,
      waiting_at = CASE WHEN (s.definition, s.overlap) = (excluded.definition, excluded.overlap) THEN s.waiting_at END,
      last_saga_id = CASE WHEN s.definition = excluded.definition THEN s.last_saga_id END,
      who = excluded.who, why = excluded.why, changed_at = excluded.changed_at, change_number = s.change_number + 1
  RETURNING s.*
)
INSERT INTO schedule_audit (namespace, name, action, schedule, who, why)
SELECT w.namespace, w.name, 'put', to_jsonb(w), w.who, w.why FROM written w)"};

constexpr Statement kPause{"pause_schedule", R"(
WITH written AS (
  UPDATE schedule s
  SET paused = true, who = $3, why = $4, changed_at = clock_timestamp(), change_number = s.change_number + 1
  WHERE s.namespace = $1 AND s.name = $2 AND NOT s.paused
  RETURNING s.*
)
INSERT INTO schedule_audit (namespace, name, action, schedule, who, why)
SELECT w.namespace, w.name, 'pause', to_jsonb(w), w.who, w.why FROM written w)"};

constexpr Statement kResume{"resume_schedule", R"(
WITH written AS (
  UPDATE schedule s
  SET paused = false, next_at = to_timestamp($5::bigint / 1000.0), waiting_at = NULL, who = $3, why = $4,
      changed_at = clock_timestamp(), change_number = s.change_number + 1
  WHERE s.namespace = $1 AND s.name = $2 AND s.paused
  RETURNING s.*
)
INSERT INTO schedule_audit (namespace, name, action, schedule, who, why)
SELECT w.namespace, w.name, 'resume', to_jsonb(w), w.who, w.why FROM written w)"};

constexpr Statement kDelete{"delete_schedule", R"(
WITH gone AS (
  DELETE FROM schedule s
  WHERE s.namespace = $1 AND s.name = $2
  RETURNING s.*
)
INSERT INTO schedule_audit (namespace, name, action, schedule, who, why)
SELECT g.namespace, g.name, 'delete', to_jsonb(g), $3, $4 FROM gone g)"};

// What only waits is claimed once the saga before it has ended, so that waiting writes nothing.
constexpr Statement kClaim{"claim_schedules", R"(
WITH standing AS (
  SELECT s.name, least(s.next_at, s.waiting_at) AS due_at, s.next_at <= clock_timestamp() AS due,
         EXISTS (SELECT FROM saga g JOIN definition d USING (definition_id)
                 WHERE d.namespace = s.namespace AND d.name = s.definition AND g.saga_id = s.last_saga_id
                   AND g.wake_at IS NOT NULL) AS last_open
  FROM schedule s
  WHERE s.namespace = $1 AND NOT s.paused AND s.definition = ANY ($2::text[])
    AND (s.next_at <= clock_timestamp() OR s.waiting_at IS NOT NULL)
), mine AS MATERIALIZED (
  SELECT s.name, t.last_open
  FROM schedule s JOIN standing t ON t.name = s.name
  WHERE s.namespace = $1 AND (t.due OR NOT t.last_open)
    AND (s.lease_until IS NULL OR s.lease_until <= clock_timestamp()
         OR s.leased_by NOT IN (SELECT incarnation FROM incarnation WHERE expires_at > clock_timestamp()))
  ORDER BY t.due_at, s.name
  LIMIT $5::bigint
  FOR NO KEY UPDATE OF s SKIP LOCKED
)
UPDATE schedule s
SET lease_until = clock_timestamp() + $4::bigint * interval '1 ms', leased_by = $3::bigint
FROM mine
WHERE s.namespace = $1 AND s.name = mine.name
RETURNING )" SKALD_SQL_SCHEDULE_COLUMNS ", mine.last_open, " SKALD_SQL_MS("clock_timestamp()")};

constexpr Statement kAdvance{"advance_schedule", R"(
WITH old AS MATERIALIZED (
  SELECT change_number = $4::bigint AND next_at = to_timestamp($5::bigint / 1000.0) AS holds
  FROM schedule
  WHERE namespace = $1 AND name = $2
  FOR NO KEY UPDATE
)
UPDATE schedule s
SET next_at = CASE WHEN old.holds THEN to_timestamp($6::bigint / 1000.0) ELSE s.next_at END,
    waiting_at = CASE WHEN old.holds THEN to_timestamp(nullif($7, '')::bigint / 1000.0) ELSE s.waiting_at END,
    last_saga_id = greatest(s.last_saga_id COLLATE "C", nullif($8, '') COLLATE "C"),
    lease_until = CASE WHEN s.leased_by = $3::bigint THEN NULL ELSE s.lease_until END
FROM old
WHERE s.namespace = $1 AND s.name = $2
RETURNING old.holds)"};

Schedule schedule_of(const pqxx::row& row) {
  Schedule schedule;
  schedule.name = text_of(row[0]);
  schedule.definition = text_of(row[1]);
  schedule.input = text_of(row[2]);
  schedule.timing = {text_of(row[3]), text_of(row[4]), std::chrono::milliseconds(row[5].as<std::int64_t>()),
                     std::chrono::milliseconds(row[6].as<std::int64_t>())};
  schedule.overlap = parse_overlap(text_of(row[7])).value_or(Overlap::skip);
  schedule.catch_up = std::chrono::milliseconds(row[8].as<std::int64_t>());
  schedule.paused = row[9].as<bool>();
  schedule.next_at = time_of(row[10]);
  schedule.waiting_at = optional_time_of(row[11]);
  schedule.last_saga_id = text_of(row[12]);
  schedule.who = text_of(row[13]);
  schedule.why = text_of(row[14]);
  schedule.changed_at = time_of(row[15]);
  schedule.change_number = row[16].as<std::int64_t>();
  return schedule;
}

std::string ms_of(Time time) { return std::to_string(time.time_since_epoch().count()); }

}  // namespace

Result<std::vector<Schedule>> PostgresSession::schedules() {
  return connection_.run([&](Connection& connection) -> Result<std::vector<Schedule>> {
    std::vector<Schedule> all;
    for (const auto& row : connection.exec(kSchedules, {options_->namespace_name}))
      all.push_back(schedule_of(row));
    return all;
  });
}

Result<void> PostgresSession::put_schedule(const Schedule& schedule) {
  return connection_.run([&](Connection& connection) -> Result<void> {
    const Timing& timing = schedule.timing;
    connection.exec(kPut, {options_->namespace_name, schedule.name, schedule.definition, schedule.input,
                           timing.cron, timing.time_zone, std::to_string(timing.interval.count()),
                           std::to_string(timing.offset.count()), std::string(to_string(schedule.overlap)),
                           std::to_string(schedule.catch_up.count()), ms_of(schedule.next_at), schedule.who,
                           schedule.why});
    return {};
  });
}

Result<bool> PostgresSession::change_schedule(const ScheduleChange& change) {
  if (change.who.empty() || change.why.empty())
    return Error{ErrorKind::kInvalid, "", "a change of a schedule needs who and why"};
  return connection_.run([&](Connection& connection) -> Result<bool> {
    shim::Parameters parameters{options_->namespace_name, change.name, change.who, change.why};
    using Kind = ScheduleChange::Kind;
    if (change.kind == Kind::resume) parameters.push_back(ms_of(change.next_at));
    const Statement& statement = change.kind == Kind::pause    ? kPause
                                 : change.kind == Kind::resume ? kResume
                                                               : kDelete;
    return connection.exec(statement, parameters).affected_rows() == 1;
  });
}

Result<std::vector<DueSchedule>> PostgresSession::claim_schedules(const ScheduleClaim& claim) {
  return connection_.run([&](Connection& connection) -> Result<std::vector<DueSchedule>> {
    ArrayLiteral definitions;
    for (const std::string& definition : claim.definitions) definitions.add_text(definition);
    std::vector<DueSchedule> due;
    for (const auto& row :
         connection.exec(kClaim, {options_->namespace_name, std::move(definitions).finish(),
                                  std::to_string(claim.incarnation), std::to_string(claim.lease.count()),
                                  std::to_string(claim.maximum)}))
      due.push_back({schedule_of(row), row[kColumns].as<bool>(), time_of(row[kColumns + 1])});
    return due;
  });
}

Result<bool> PostgresSession::advance_schedule(const ScheduleProgress& progress) {
  return connection_.run([&](Connection& connection) -> Result<bool> {
    const auto rows = connection.exec(
        kAdvance,
        {options_->namespace_name, progress.name, std::to_string(progress.incarnation),
         std::to_string(progress.change_number), ms_of(progress.claimed_at), ms_of(progress.next_at),
         progress.waiting_at ? ms_of(*progress.waiting_at) : "", progress.last_saga_id});
    return !rows.empty() && rows[0][0].as<bool>();
  });
}

}  // namespace skald::postgres
