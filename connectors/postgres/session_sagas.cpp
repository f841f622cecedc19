// Reading sagas and claiming due ones. Claims are one statement: the due rows in order of wake_at, as far as this
// process may have them, locked with SKIP LOCKED and leased.
#include <algorithm>

#include "postgres/migrator.hpp"
#include "postgres/session.hpp"
#include "postgres/values.hpp"

namespace skald::postgres {
namespace {

constexpr Statement kDefinitions{"definitions",
                                 "SELECT name, definition_id FROM definition WHERE namespace = $1"};

constexpr Statement kLoadRows{"load_rows", R"(
SELECT )" SKALD_SQL_SAGA_COLUMNS R"(
FROM unnest($1::int[], $2::text[]) AS w(definition_id, saga_id)
JOIN saga s ON s.definition_id = w.definition_id AND s.saga_id = w.saga_id
JOIN definition d ON d.definition_id = s.definition_id)"};

// History only grows: what came after the row was read is left out by its sequence.
constexpr Statement kLoadHistory{"load_history", R"(
SELECT h.saga_key, h.sequence, h.events
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w(saga_key, run_from, sequence)
JOIN history h ON h.saga_key = w.saga_key AND h.sequence BETWEEN w.run_from AND w.sequence
ORDER BY h.saga_key, h.sequence)"};

// The same, but for histories beyond $4 bytes: of those sagas there is one row without a sequence. Sizes are known
// without reading long values.
constexpr Statement kLoadHistoryWithin{"load_history_within", R"(
WITH sized AS MATERIALIZED (
  SELECT w.saga_key, w.run_from, w.sequence, coalesce(sum(octet_length(h.events)), 0) AS bytes
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w(saga_key, run_from, sequence)
  LEFT JOIN history h ON h.saga_key = w.saga_key AND h.sequence BETWEEN w.run_from AND w.sequence
  GROUP BY w.saga_key, w.run_from, w.sequence
), placed AS MATERIALIZED (
  SELECT saga_key, run_from, sequence, sum(bytes) OVER (ORDER BY saga_key) - bytes < $4::bigint AS fits FROM sized
)
SELECT h.saga_key, h.sequence, h.events
FROM placed p
JOIN history h ON p.fits AND h.saga_key = p.saga_key AND h.sequence BETWEEN p.run_from AND p.sequence
UNION ALL
SELECT saga_key, NULL, NULL FROM placed WHERE NOT fits
ORDER BY 1, 2)"};

// $1 definition ids, $2 revisions, $3 reply partitions, $4 owned ones, $5 grace, $6 lease (milliseconds), $7 maximum,
// $8 who claims, 0 for somebody without a heartbeat, whose lease always runs its time, $9 namespace.
// `mine` looks at no more rows than it takes plus those it may not have; `waiting` are due rows of ours that somebody
// else has or goes first on: when their turn ends, ours begins.
constexpr Statement kClaim{"claim_due", R"(
WITH mine AS MATERIALIZED (
  SELECT s.saga_key
  FROM saga s
  WHERE s.wake_at <= statement_timestamp()
    AND (s.lease_until IS NULL OR s.lease_until <= statement_timestamp()
         OR NOT (s.leased_by IS NULL OR s.leased_by IN
                 (SELECT incarnation FROM incarnation WHERE expires_at > clock_timestamp())))
    AND (s.definition_id, s.revision) IN (SELECT * FROM unnest($1::int[], $2::int[]))
    AND (s.route % $3::int = ANY ($4::int[]) OR s.wake_at <= statement_timestamp() - $5::bigint * interval '1 ms')
    AND NOT EXISTS (SELECT FROM parked_input p
                    WHERE p.namespace = $9 AND p.saga_id = s.saga_id AND p.reason IN (0, 4)
                      AND p.definition = (SELECT name FROM definition d WHERE d.definition_id = s.definition_id))
  ORDER BY s.wake_at
  LIMIT $7::bigint
  FOR NO KEY UPDATE SKIP LOCKED
), leased AS (
  UPDATE saga s
  SET lease_until = statement_timestamp() + $6::bigint * interval '1 ms', leased_by = nullif($8::bigint, 0)
  FROM mine
  WHERE s.saga_key = mine.saga_key
  RETURNING s.saga_key, s.definition_id, s.saga_id, s.revision, s.wake_at
), waiting AS (
  SELECT greatest(coalesce(s.lease_until, s.wake_at),
                  CASE WHEN s.route % $3::int = ANY ($4::int[]) THEN s.wake_at
                       ELSE s.wake_at + $5::bigint * interval '1 ms' END,
                  statement_timestamp()) AS at
  FROM saga s
  WHERE s.wake_at <= statement_timestamp()
    AND (s.definition_id, s.revision) IN (SELECT * FROM unnest($1::int[], $2::int[]))
    AND (SELECT count(*) FROM mine) < $7::bigint  -- else more are due now
    AND s.saga_key NOT IN (SELECT saga_key FROM mine)
  ORDER BY s.wake_at
  LIMIT 1000
), later AS (
  SELECT wake_at AS at
  FROM saga
  WHERE wake_at > statement_timestamp() AND wake_at < timestamptz '9999-01-01 00:00:00+00'
  ORDER BY wake_at
  LIMIT 1
), next AS (
  SELECT CASE WHEN (SELECT count(*) FROM mine) < $7::bigint THEN min(at) ELSE statement_timestamp() END AS at
  FROM (SELECT at FROM waiting UNION ALL SELECT at FROM later) AS moments
)
SELECT )" SKALD_SQL_MS("statement_timestamp()") ", " SKALD_SQL_MS("next.at") R"(,
       l.saga_key, d.name, l.saga_id, l.revision, )" SKALD_SQL_MS("l.wake_at") R"(
FROM next
LEFT JOIN leased l ON true
LEFT JOIN definition d ON d.definition_id = l.definition_id
ORDER BY l.wake_at)"};

constexpr Statement kNow{"now", "SELECT " SKALD_SQL_MS("clock_timestamp()")};

// $1 namespace, $2 definition or '', $3 status or -1, $4 behind this key, $5 maximum.
#define SKALD_SQL_LIST(sagas, behind, order)                                                                \
  "SELECT " SKALD_SQL_SAGA_COLUMNS " FROM " sagas                                                           \
  " JOIN definition d ON d.definition_id = s.definition_id "                                                \
  "WHERE d.namespace = $1 AND ($2 = '' OR d.name = $2) AND ($3::smallint = -1 OR s.status = $3::smallint) " \
  "AND s.saga_key " behind " $4::bigint ORDER BY s.saga_key " order " LIMIT $5::bigint"
// By the small index of open sagas, whatever the planner thinks of its order.
#define SKALD_SQL_OPEN_SAGAS "(SELECT * FROM saga WHERE wake_at IS NOT NULL OFFSET 0) AS s"

constexpr Statement kListNewest{"list_newest", SKALD_SQL_LIST("saga s", "<", "DESC")};
constexpr Statement kListOldest{"list_oldest", SKALD_SQL_LIST("saga s", ">", "ASC")};
constexpr Statement kListNewestOpen{"list_newest_open", SKALD_SQL_LIST(SKALD_SQL_OPEN_SAGAS, "<", "DESC")};
constexpr Statement kListOldestOpen{"list_oldest_open", SKALD_SQL_LIST(SKALD_SQL_OPEN_SAGAS, ">", "ASC")};

constexpr Statement kOpenGauges{"open_gauges",
                                R"(
SELECT d.name, s.status, s.count, )" SKALD_SQL_MS("s.oldest") R"(
FROM (SELECT definition_id, status, count(*) AS count, min(started_at) AS oldest
      FROM saga
      WHERE wake_at IS NOT NULL
      GROUP BY definition_id, status) AS s
JOIN definition d ON d.definition_id = s.definition_id
WHERE d.namespace = $1
ORDER BY d.name, s.status)"};

constexpr Statement kStuckGauges{"stuck_gauges", R"(
SELECT d.name, coalesce(s.stuck_step, '') AS step, s.stuck_reason, count(*)
FROM saga s
JOIN definition d ON d.definition_id = s.definition_id
WHERE s.stuck_reason IS NOT NULL AND d.namespace = $1
GROUP BY d.name, step, s.stuck_reason
ORDER BY d.name, step, s.stuck_reason)"};

constexpr Statement kQueueGauges{"queue_gauges", R"(
SELECT (SELECT count(*) FROM outbox WHERE namespace = $1),
       (SELECT )" SKALD_SQL_MS("min(created_at)") R"( FROM outbox WHERE namespace = $1),
       (SELECT count(*) FROM parked_input WHERE namespace = $1),
       )" SKALD_SQL_MS("clock_timestamp()")};

}  // namespace

PostgresSession::PostgresSession(std::shared_ptr<const StoreOptions> options,
                                 std::shared_ptr<Watchdog> watchdog)
    : options_(std::move(options)),
      connection_({.uri = options_->uri,
                   .schema = options_->schema,
                   .application_name = options_->application_name,
                   .connect_timeout = options_->connect_timeout,
                   .lock_timeout = options_->lock_timeout,
                   .idle_in_transaction_timeout = options_->idle_in_transaction_timeout,
                   .statement_timeout = options_->statement_timeout,
                   .call_timeout = options_->call_timeout},
                  std::move(watchdog)) {}

Result<void> PostgresSession::connect() {
  return connection_.run([&](Connection& connection) -> Result<void> {
    return check_schema(connection, options_->schema, Migrator::binary_version());
  });
}

SagaRow saga_row_of(const pqxx::row& row, int first_column) {
  const auto field = [&](int column) {
    return row[static_cast<pqxx::row::size_type>(first_column + column)];
  };
  SagaRow saga;
  saga.key = field(0).as<SagaKey>();
  saga.address = {text_of(field(1)), text_of(field(2))};
  saga.revision = field(3).as<std::int32_t>();
  saga.route = field(4).as<std::int32_t>();
  saga.sequence = field(5).as<std::int64_t>();
  saga.status = static_cast<SagaStatus>(field(6).as<std::int16_t>());
  saga.wake_at = optional_time_of(field(7)).value_or(kNever);
  saga.input_hash = static_cast<std::uint64_t>(field(8).as<std::int64_t>());
  saga.started_at = time_of(field(9));
  saga.ended_at = optional_time_of(field(10));
  saga.stuck_reason = text_of(field(11));
  saga.run_from = field(12).as<std::int64_t>();
  saga.stuck_step = text_of(field(13));
  return saga;
}

const PostgresSession::DefinitionIds& PostgresSession::known_definitions() {
  if (definitions_read_on_ != connection_.connects()) read_definitions();
  return definitions_;
}

void PostgresSession::read_definitions() {
  definitions_.clear();
  for (const auto& row : connection_.exec(kDefinitions, {options_->namespace_name}))
    definitions_.emplace(text_of(row[0]), row[1].as<std::int32_t>());
  definitions_read_on_ = connection_.connects();
}

std::pair<std::string, std::string> PostgresSession::revision_arrays(const ClaimSpec& spec) {
  const auto missing = [&](const auto& revision) { return !definitions_.contains(revision.first); };
  known_definitions();
  if (std::any_of(spec.revisions.begin(), spec.revisions.end(), missing)) read_definitions();
  ArrayLiteral ids, revisions;
  for (const auto& [definition, revision] : spec.revisions) {
    const auto known = definitions_.find(definition);
    if (known == definitions_.end()) continue;  // no saga of it was ever started
    ids.add(known->second);
    revisions.add(revision);
  }
  return {std::move(ids).finish(), std::move(revisions).finish()};
}

Result<std::vector<StoredSaga>> PostgresSession::load(std::span<const SagaAddress> addresses,
                                                      std::size_t maximum_bytes, Runs runs) {
  return connection_.run([&](Connection& connection) -> Result<std::vector<StoredSaga>> {
    const auto missing = [&](const SagaAddress& address) {
      return !definitions_.contains(address.definition);
    };
    known_definitions();
    if (std::any_of(addresses.begin(), addresses.end(), missing)) read_definitions();
    ArrayLiteral definitions, ids;
    for (const SagaAddress& address : addresses) {
      const auto known = definitions_.find(address.definition);
      if (known == definitions_.end() || address.saga_id.find('\0') != std::string::npos) continue;
      definitions.add(known->second);
      ids.add_text(address.saga_id);
    }
    const auto rows = connection.exec(kLoadRows, {std::move(definitions).finish(), std::move(ids).finish()});
    std::vector<StoredSaga> loaded;
    std::map<SagaKey, std::size_t> places;
    ArrayLiteral keys, firsts, sequences;
    for (const auto& row : rows) {
      SagaRow saga = saga_row_of(row);
      if (!places.emplace(saga.key, loaded.size()).second) continue;  // asked for twice
      keys.add(saga.key);
      firsts.add(runs == Runs::kAll ? 1 : saga.run_from);
      sequences.add(saga.sequence);
      loaded.push_back({std::move(saga), {}, false});
    }
    if (loaded.empty()) return loaded;
    std::vector<std::string> parameters{std::move(keys).finish(), std::move(firsts).finish(),
                                        std::move(sequences).finish()};
    const bool limited = maximum_bytes != kNoLimit && loaded.size() > 1;
    if (limited) parameters.push_back(std::to_string(maximum_bytes));
    for (const auto& row : connection.exec(limited ? kLoadHistoryWithin : kLoadHistory, parameters)) {
      StoredSaga& saga = loaded[places.at(row[0].as<SagaKey>())];
      if (row[1].is_null())
        saga.left_out = true;
      else
        saga.history.push_back({row[1].as<std::int64_t>(), text_of(row[2])});
    }
    return loaded;
  });
}

Result<Claimed> PostgresSession::claim_due(const ClaimSpec& spec) {
  return connection_.run([&](Connection& connection) -> Result<Claimed> {
    auto [ids, revisions] = revision_arrays(spec);
    ArrayLiteral owned;
    for (const std::int32_t partition : spec.owned_partitions) owned.add(partition);
    const auto rows = connection.exec(
        kClaim,
        {std::move(ids), std::move(revisions), std::to_string(std::max(spec.reply_partitions, 1)),
         std::move(owned).finish(), std::to_string(spec.grace.count()), std::to_string(spec.lease.count()),
         std::to_string(spec.maximum), std::to_string(spec.incarnation), options_->namespace_name});
    Claimed claimed;
    claimed.now = time_of(rows[0][0]);
    claimed.next_due = optional_time_of(rows[0][1]);
    for (const auto& row : rows) {
      if (row[2].is_null()) continue;
      claimed.sagas.push_back({row[2].as<SagaKey>(),
                               {text_of(row[3]), text_of(row[4])},
                               row[5].as<std::int32_t>(),
                               time_of(row[6])});
    }
    return claimed;
  });
}

Result<Time> PostgresSession::now() {
  return connection_.run(
      [](Connection& connection) -> Result<Time> { return time_of(connection.exec(kNow)[0][0]); });
}

Result<std::vector<SagaRow>> PostgresSession::list(const ListFilter& filter) {
  return connection_.run([&](Connection& connection) -> Result<std::vector<SagaRow>> {
    const bool open = filter.open_only || (filter.status && !is_ended(*filter.status));
    const int status = filter.status ? static_cast<int>(*filter.status) : -1;
    const bool oldest = filter.oldest_first;
    const SagaKey behind = filter.page_from.value_or(oldest ? 0 : std::numeric_limits<SagaKey>::max());
    const Statement& statement =
        open ? (oldest ? kListOldestOpen : kListNewestOpen) : (oldest ? kListOldest : kListNewest);
    const auto rows =
        connection.exec(statement, {options_->namespace_name, filter.definition, std::to_string(status),
                                    std::to_string(behind), std::to_string(filter.maximum)});
    std::vector<SagaRow> listed;
    for (const auto& row : rows) listed.push_back(saga_row_of(row));
    return listed;
  });
}

Result<Gauges> PostgresSession::gauges() {
  return connection_.run([&](Connection& connection) -> Result<Gauges> {
    Gauges gauges;
    const shim::Parameters mine{options_->namespace_name};
    for (const auto& row : connection.exec(kOpenGauges, mine)) {
      gauges.open.push_back({text_of(row[0]), static_cast<SagaStatus>(row[1].as<std::int16_t>()),
                             row[2].as<std::int64_t>(), time_of(row[3])});
    }
    for (const auto& row : connection.exec(kStuckGauges, mine))
      gauges.stuck.push_back({text_of(row[0]), text_of(row[1]), text_of(row[2]), row[3].as<std::int64_t>()});
    const auto queues = connection.exec(kQueueGauges, mine);
    gauges.outbox_pending = queues[0][0].as<std::int64_t>();
    gauges.outbox_oldest = optional_time_of(queues[0][1]);
    gauges.parked = queues[0][2].as<std::int64_t>();
    gauges.now = time_of(queues[0][3]);
    return gauges;
  });
}

}  // namespace skald::postgres
