// libpq and five statements. A row that was not where it was judged ends the program: nobody competes with the floor.
#include "rows.hpp"

#include <algorithm>

#include "kafka.hpp"

namespace bench {
namespace {

constexpr const char* kUpdate = R"(
UPDATE saga AS s
SET sequence = w.judged_at + 1, status = w.status,
    wake_at = CASE WHEN w.status < 10 THEN 'infinity'::timestamptz END,
    ended_at = CASE WHEN w.status >= 10 THEN clock_timestamp() END
FROM unnest($1::bigint[], $2::bigint[], $3::smallint[]) AS w(saga_key, judged_at, status)
WHERE s.saga_key = w.saga_key AND s.sequence = w.judged_at
RETURNING s.saga_key)";

constexpr const char* kInsert = R"(
INSERT INTO saga (saga_key, definition_id, saga_id, revision, route, sequence, status, wake_at, input_hash, started_at)
SELECT w.saga_key, $3::int, w.saga_id, 1, 7, 1, 0, 'infinity', 4711, clock_timestamp()
FROM unnest($1::bigint[], $2::text[]) AS w(saga_key, saga_id)
ON CONFLICT DO NOTHING
RETURNING saga_key)";

constexpr const char* kFinish = R"(
WITH new_outbox AS (
  INSERT INTO outbox (outbox_id, namespace, incarnation, messages)
  SELECT $1::bigint, 'floor', 1, $2::bytea WHERE $2 <> ''
)
DELETE FROM outbox WHERE outbox_id = ANY ($3::bigint[]))";

constexpr const char* kClaim = R"(
WITH mine AS MATERIALIZED (
  SELECT saga_key
  FROM saga
  WHERE wake_at <= statement_timestamp() AND (lease_until IS NULL OR lease_until <= statement_timestamp())
  ORDER BY wake_at
  LIMIT $1::bigint
  FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE saga s
SET lease_until = statement_timestamp() + interval '30 s', leased_by = 1
FROM mine
WHERE s.saga_key = mine.saga_key
RETURNING s.saga_key, s.saga_id, s.sequence)";

constexpr const char* kLoad = R"(
SELECT h.saga_key, h.sequence, h.events
FROM unnest($1::bigint[]) AS w(saga_key) JOIN history h ON h.saga_key = w.saga_key
ORDER BY h.saga_key, h.sequence)";

constexpr const char* kPositions = R"(
INSERT INTO position (namespace, cluster_id, topic, partition, next_offset, last_offset, last_timestamp, last_checksum)
SELECT 'floor', 'floor', w.topic, w.partition, w.next_offset, w.next_offset - 1, now(), 4711
FROM unnest($1::text[], $2::int[], $3::bigint[]) AS w(topic, partition, next_offset)
ON CONFLICT (namespace, cluster_id, topic, partition)
DO UPDATE SET next_offset = excluded.next_offset, last_offset = excluded.last_offset,
              last_timestamp = excluded.last_timestamp, updated_at = clock_timestamp())";

/// An array literal; texts are ids and topics, which need no escaping.
class Array {
 public:
  void add(std::int64_t number) { add(std::to_string(number)); }
  void add(const std::string& text) {
    text_ += text_.size() > 1 ? "," : "";
    text_ += text;
  }
  std::string finish() { return text_ + "}"; }

 private:
  std::string text_ = "{";
};

void escape_copy(const std::string& text, std::string& into) {
  for (const char byte : text) {
    if (byte == '\n') {
      into += "\\n";
    } else if (byte == '\\') {
      into += "\\\\";
    } else {
      into += byte;
    }
  }
}

}  // namespace

Rows::Rows(const std::string& postgres, const std::string& schema)
    : connection_(PQconnectdb(postgres.c_str())) {
  if (PQstatus(connection_) != CONNECTION_OK) give_up(PQerrorMessage(connection_));
  exec(("SET search_path = " + schema).c_str());
  exec(
      "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;"
      "SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off");
  exec("INSERT INTO definition (namespace, name) VALUES ('floor', 'place-order') ON CONFLICT DO NOTHING");
  PGresult* id = PQexec(connection_, "SELECT definition_id FROM definition WHERE namespace = 'floor'");
  if (PQntuples(id) != 1) give_up("the floor's schema is not there");
  definition_ = PQgetvalue(id, 0, 0);
  PQclear(id);
  for (const auto& [name, sql] : {std::pair{"update", kUpdate},
                                  {"insert", kInsert},
                                  {"finish", kFinish},
                                  {"positions", kPositions},
                                  {"claim", kClaim},
                                  {"load", kLoad}})
    PQclear(PQprepare(connection_, name, sql, 0, nullptr));
}

Rows::~Rows() { PQfinish(connection_); }

void Rows::commit(RowBatch& batch) {
  std::sort(batch.writes.begin(), batch.writes.end(),
            [](const SagaWrite& left, const SagaWrite& right) { return left.key < right.key; });
  exec("BEGIN");
  update(batch);
  insert(batch);
  copy_history(batch);
  finish(batch);
  save_positions(batch);
  exec("COMMIT");
}

void Rows::update(const RowBatch& batch) {
  Array keys, judged_at, statuses;
  int expected = 0;
  for (const SagaWrite& write : batch.writes) {
    if (write.judged_at == 0) continue;
    keys.add(write.key);
    judged_at.add(write.judged_at);
    statuses.add(std::int64_t{write.status});
    ++expected;
  }
  if (expected > 0 && run("update", {keys.finish(), judged_at.finish(), statuses.finish()}) != expected)
    give_up("a saga was not where it was judged");
}

void Rows::insert(const RowBatch& batch) {
  Array keys, ids;
  int expected = 0;
  for (const SagaWrite& write : batch.writes) {
    if (write.judged_at != 0) continue;
    keys.add(write.key);
    ids.add(write.saga_id);
    ++expected;
  }
  if (expected > 0 && run("insert", {keys.finish(), ids.finish(), definition_}) != expected)
    give_up("a saga was there already");
}

void Rows::copy_history(const RowBatch& batch) {
  if (batch.writes.empty()) return;
  std::string text;
  for (const SagaWrite& write : batch.writes) {
    text += std::to_string(write.key) + '\t' + std::to_string(write.judged_at + 1) + '\t';
    escape_copy(write.history, text);
    text += '\n';
  }
  PQclear(PQexec(connection_, "COPY history (saga_key, sequence, events) FROM STDIN"));
  PQputCopyData(connection_, text.data(), static_cast<int>(text.size()));
  PQputCopyEnd(connection_, nullptr);
  while (PGresult* result = PQgetResult(connection_)) {
    if (PQresultStatus(result) != PGRES_COMMAND_OK) give_up(PQerrorMessage(connection_));
    PQclear(result);
  }
}

void Rows::finish(const RowBatch& batch) {
  Array done;
  for (const auto id : batch.outbox_done) done.add(id);
  const auto id = std::to_string(batch.outbox_id);
  const auto ids = done.finish();
  const char* values[] = {id.c_str(), batch.outbox.data(), ids.c_str()};
  const int lengths[] = {0, static_cast<int>(batch.outbox.size()), 0};
  const int formats[] = {0, 1, 0};
  PGresult* result = PQexecPrepared(connection_, "finish", 3, values, lengths, formats, 0);
  if (PQresultStatus(result) != PGRES_COMMAND_OK) give_up(PQerrorMessage(connection_));
  PQclear(result);
}

void Rows::save_positions(const RowBatch& batch) {
  if (batch.positions.empty()) return;
  Array topics, partitions, offsets;
  for (const auto& [partition, offset] : batch.positions) {
    topics.add(partition.first);
    partitions.add(std::int64_t{partition.second});
    offsets.add(offset);
  }
  run("positions", {topics.finish(), partitions.finish(), offsets.finish()});
}

void Rows::exec(const char* sql) {
  PGresult* result = PQexec(connection_, sql);
  if (PQresultStatus(result) != PGRES_COMMAND_OK) give_up(PQerrorMessage(connection_));
  PQclear(result);
}

int Rows::run(const char* name, const std::vector<std::string>& parameters) {
  PGresult* result = ask(name, parameters);
  const int rows = PQntuples(result);
  PQclear(result);
  return rows;
}

PGresult* Rows::ask(const char* name, const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const auto& parameter : parameters) values.push_back(parameter.c_str());
  PGresult* result =
      PQexecPrepared(connection_, name, static_cast<int>(values.size()), values.data(), nullptr, nullptr, 0);
  const auto status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) give_up(PQerrorMessage(connection_));
  return result;
}

std::vector<DueSaga> Rows::claim(int maximum) {
  PGresult* claimed = ask("claim", {std::to_string(maximum)});
  std::vector<DueSaga> sagas(static_cast<std::size_t>(PQntuples(claimed)));
  std::map<std::int64_t, DueSaga*> by_key;
  Array keys;
  for (std::size_t index = 0; index < sagas.size(); ++index) {
    const int row = static_cast<int>(index);
    sagas[index] = {std::stoll(PQgetvalue(claimed, row, 0)),
                    PQgetvalue(claimed, row, 1),
                    std::stoll(PQgetvalue(claimed, row, 2)),
                    {}};
    by_key[sagas[index].key] = &sagas[index];
    keys.add(sagas[index].key);
  }
  PQclear(claimed);
  if (sagas.empty()) return sagas;
  PGresult* rows = ask("load", {keys.finish()});
  for (int row = 0; row < PQntuples(rows); ++row)
    by_key.at(std::stoll(PQgetvalue(rows, row, 0)))->history += PQgetvalue(rows, row, 2);
  PQclear(rows);
  return sagas;
}

}  // namespace bench
