// The batch: one transaction of at most seven round trips, whatever the number of sagas (a small one is one statement,
// session_commit_small.cpp). Rows are locked in key order
// (updates) and in order of address (starts), updates before starts, so that two processes that write the same sagas
// wait for each other instead of deadlocking. The conditions are the database's: what it returns has won.
#include <algorithm>

#include "postgres/batch_parameters.hpp"
#include "postgres/session.hpp"
#include "postgres/values.hpp"
#include "wire/batch_check.hpp"
#include "wire/outbox_format.hpp"

namespace skald::postgres {
namespace {

constexpr Statement kUpdate{
    "update_sagas",
    SKALD_SQL_UPDATE("$1::bigint[], $2::bigint[], $3::bigint[], $4::smallint[], $5::bigint[], "
                     "$6::text[], $7::text[], $8::bigint[]")};

constexpr Statement kInsert{
    "insert_sagas",
    SKALD_SQL_INSERT("$1::bigint[], $2::int[], $3::text[], $4::int[], $5::int[], $6::bigint[], "
                     "$7::smallint[], $8::bigint[], $9::bigint[], $10::text[], $11::text[]")};

constexpr Statement kConflicts{"read_conflicts",
                               R"(
SELECT w.saga_key, )" SKALD_SQL_SAGA_COLUMNS R"(
FROM unnest($1::bigint[], $2::int[], $3::text[]) AS w(saga_key, definition_id, saga_id)
JOIN saga s ON s.definition_id = w.definition_id AND s.saga_id = w.saga_id
JOIN definition d ON d.definition_id = s.definition_id)"};

constexpr Statement kFences{"check_fences",
                            R"(
SELECT w.saga_key
FROM unnest($1::bigint[], $2::bigint[]) AS w(saga_key, sequence)
LEFT JOIN saga s ON s.saga_key = w.saga_key AND s.sequence = w.sequence
WHERE s.saga_key IS NULL)"};

constexpr Statement kFinish{"finish_batch",
                            R"(
WITH new_outbox AS (
  INSERT INTO outbox (outbox_id, namespace, incarnation, messages)
  SELECT $2::bigint, $3, $4::bigint, $1::bytea WHERE $1 <> ''
), done_outbox AS (
  DELETE FROM outbox WHERE outbox_id = ANY ($5::bigint[])
), done_parked AS (
  DELETE FROM parked_input WHERE parked_id = ANY ($6::bigint[])
), new_parked AS (
  INSERT INTO parked_input (parked_id, namespace, definition, saga_id, revision, reason, input)
  SELECT w.parked_id, $3, w.definition, w.saga_id, w.revision, w.reason, w.input
  FROM unnest($7::bigint[], $8::text[], $9::text[], $10::int[], $11::smallint[], $12::bytea[])
       AS w(parked_id, definition, saga_id, revision, reason, input)
  ON CONFLICT (parked_id) DO UPDATE SET reason = excluded.reason, revision = excluded.revision
)
SELECT )" SKALD_SQL_MS("clock_timestamp()")};

}  // namespace

Result<CommitResult> PostgresSession::commit(Batch& batch) {
  if (auto checked = wire::check_batch(batch); !checked) return checked.error();
  return connection_.run([&](Connection& connection) -> Result<CommitResult> {
    define_missing(batch);
    if (is_small(batch)) return commit_small(batch);
    CommitResult result;
    std::vector<bool> won(batch.writes.size(), false);
    pqxx::work transaction{connection.raw()};
    update_winners(transaction, batch, won);
    insert_starts(transaction, batch, won);
    tell_losers(transaction, batch, won, result);
    check_fences(transaction, batch, result);
    write_history(transaction, batch, won);
    finish(transaction, batch, won, result);
    connection.commit(transaction);
    take_messages(batch, won, result);
    return result;
  });
}

void PostgresSession::define_missing(const Batch& batch) {
  const DefinitionIds& known = known_definitions();
  ArrayLiteral missing;
  bool any = false;
  for (const SagaWrite& write : batch.writes) {
    if (write.judged_at != 0 || known.contains(write.address.definition)) continue;
    missing.add_text(write.address.definition);
    any = true;
  }
  if (!any) return;
  static constexpr Statement kDefine{"define", R"(
INSERT INTO definition (namespace, name)
SELECT DISTINCT $1, name FROM unnest($2::text[]) AS name
WHERE NOT EXISTS (SELECT FROM definition d WHERE d.namespace = $1 AND d.name = name.name)
ON CONFLICT (namespace, name) DO NOTHING)"};
  connection_.exec(kDefine, {options_->namespace_name, std::move(missing).finish()});
  read_definitions();
}

void PostgresSession::update_winners(pqxx::work& transaction, const Batch& batch, std::vector<bool>& won) {
  const bool any = std::any_of(batch.writes.begin(), batch.writes.end(),
                               [](const SagaWrite& write) { return write.judged_at != 0; });
  if (any) mark_winners(connection_.exec(transaction, kUpdate, update_parameters(batch)), batch, won);
}

void PostgresSession::insert_starts(pqxx::work& transaction, const Batch& batch, std::vector<bool>& won) {
  const auto starts = starts_of(batch);
  if (starts.empty()) return;
  mark_winners(connection_.exec(transaction, kInsert, insert_parameters(starts, definitions_)), batch, won);
}

/// What has not won: moved meanwhile, or a start whose address or key is taken.
void PostgresSession::tell_losers(pqxx::transaction_base& transaction, const Batch& batch,
                                  const std::vector<bool>& won, CommitResult& result) {
  std::vector<const SagaWrite*> refused;
  for (std::size_t index = 0; index < batch.writes.size(); ++index) {
    if (won[index]) continue;
    if (batch.writes[index].judged_at == 0) {
      refused.push_back(&batch.writes[index]);
    } else {
      result.lost.push_back(batch.writes[index].key);
    }
  }
  if (!refused.empty()) read_conflicts(transaction, refused, result);
}

void PostgresSession::read_conflicts(pqxx::transaction_base& transaction,
                                     const std::vector<const SagaWrite*>& refused, CommitResult& result) {
  ArrayLiteral keys, definitions, ids;
  for (const SagaWrite* write : refused) {
    keys.add(write->key);
    definitions.add(definitions_.at(write->address.definition));
    ids.add_text(write->address.saga_id);
  }
  const auto rows =
      connection_.exec(transaction, kConflicts,
                       {std::move(keys).finish(), std::move(definitions).finish(), std::move(ids).finish()});
  std::map<SagaKey, SagaRow> existing;
  for (const auto& row : rows) existing.emplace(row[0].as<SagaKey>(), saga_row_of(row, 1));
  for (const SagaWrite* write : refused) {
    const auto found = existing.find(write->key);
    if (found == existing.end()) {
      result.lost.push_back(write->key);
    } else {
      result.conflicts.push_back({write->key, std::move(found->second)});
    }
  }
}

void PostgresSession::check_fences(pqxx::work& transaction, const Batch& batch, CommitResult& result) {
  if (batch.fences.empty()) return;
  ArrayLiteral keys, sequences;
  for (const Fence& fence : batch.fences) {
    keys.add(fence.key);
    sequences.add(fence.sequence);
  }
  for (const auto& row :
       connection_.exec(transaction, kFences, {std::move(keys).finish(), std::move(sequences).finish()}))
    result.lost.push_back(row[0].as<SagaKey>());
}

void PostgresSession::write_history(pqxx::work& transaction, const Batch& batch,
                                    const std::vector<bool>& won) {
  bool any = false;
  for (std::size_t index = 0; index < batch.writes.size(); ++index)
    any = any || (won[index] && !batch.writes[index].history.empty());
  if (!any) return;
  auto stream = shim::copy_into(transaction, "history", {"saga_key", "sequence", "events"});
  for (std::size_t index = 0; index < batch.writes.size(); ++index) {
    if (!won[index]) continue;
    for (const HistoryRow& row : batch.writes[index].history)
      stream << std::make_tuple(batch.writes[index].key, row.sequence, row.events);
  }
  stream.complete();
}

void PostgresSession::finish(pqxx::work& transaction, const Batch& batch, const std::vector<bool>& won,
                             CommitResult& result) {
  wire::OutboxEncoder encoder;
  const auto add = [&](const std::vector<Message>& messages) {
    for (const Message& message : messages) encoder.add(message);
  };
  for (std::size_t index = 0; index < batch.writes.size(); ++index)
    if (won[index]) add(batch.writes[index].messages);
  add(batch.messages);
  std::string outbox;
  if (encoder.count() > 0) {
    outbox = std::move(encoder).finish();
    result.outbox_id = batch.outbox_id;
  }
  ArrayLiteral ids, definitions, saga_ids, revisions, reasons, inputs;
  for (const ParkedInput& parked : batch.park) {
    ids.add(parked.parked_id);
    definitions.add_text(parked.address.definition);
    saga_ids.add_text(parked.address.saga_id);
    revisions.add(parked.revision);
    reasons.add(static_cast<std::int64_t>(parked.reason));
    inputs.add_text(bytea_literal(parked.input));
  }
  const auto rows = connection_.exec(
      transaction, kFinish,
      shim::BytesFirst{
          outbox,
          {std::to_string(batch.outbox_id), options_->namespace_name, std::to_string(batch.incarnation),
           number_array(batch.outbox_done), number_array(batch.parked_done), std::move(ids).finish(),
           std::move(definitions).finish(), std::move(saga_ids).finish(), std::move(revisions).finish(),
           std::move(reasons).finish(), std::move(inputs).finish()}});
  result.now = time_of(rows[0][0]);
}

}  // namespace skald::postgres
