// A small batch in one statement, which is its own transaction: one round trip instead of seven, so that a process with
// little to do answers soon. Large batches go the other way: COPY costs the database less for each row.
//
// The rules are the same: updates before starts (the order in which `won` asks for them), each in its own order;
// history and messages only of what has won. The outbox row is put together by the database, since only it knows the
// winners: the format's head (wire/outbox_format.hpp) and the winners' messages.
// `(… IN …) IS TRUE` is looked up in a hash; a bare IN becomes a join whose time is quadratic, since nobody tells the
// planner how long the arrays are.
#include <algorithm>

#include "postgres/batch_parameters.hpp"
#include "postgres/session.hpp"
#include "wire/outbox_format.hpp"

namespace skald::postgres {
namespace {

/// Beyond it COPY outweighs the round trips.
constexpr std::size_t kSmallBatch = 16;
constexpr std::size_t kSmallMessages = 1'000;
constexpr std::size_t kSmallBytes = 256u << 10;  ///< of histories and payloads: arrays double what they quote
constexpr SagaKey kUnconditional = 0;            ///< stands for the key of messages that go out whoever wins

constexpr Statement kCommitSmall{"commit_small",
                                 "WITH updated AS (" SKALD_SQL_UPDATE(
                                     "$1::bigint[], $2::bigint[], $3::bigint[], "
                                     "$4::smallint[], $5::bigint[], $6::text[], $7::text[], $8::bigint[]") R"(
), inserted AS ()" SKALD_SQL_INSERT("$9::bigint[], $10::int[], $11::text[], $12::int[], $13::int[], "
                                    "$14::bigint[], "
                                    "$15::smallint[], $16::bigint[], $17::bigint[], $18::text[], $19::text[]") R"(
), won AS MATERIALIZED (
  SELECT saga_key FROM updated UNION ALL SELECT saga_key FROM inserted
), new_history AS (
  INSERT INTO history (saga_key, sequence, events)
  SELECT h.saga_key, h.sequence, h.events
  FROM unnest($20::bigint[], $21::bigint[], $22::text[]) AS h(saga_key, sequence, events)
  WHERE (h.saga_key IN (SELECT saga_key FROM won)) IS TRUE
), new_outbox AS (
  INSERT INTO outbox (outbox_id, namespace, incarnation, messages)
  SELECT $23::bigint, $24, $25::bigint,
         set_byte(set_byte('\x0100000000'::bytea, 1, (sum(m.messages) % 256)::int), 2, (sum(m.messages) / 256)::int)
         || string_agg(m.bytes, ''::bytea ORDER BY m.place)
  FROM unnest($26::bigint[], $27::int[], $28::bytea[]) WITH ORDINALITY AS m(saga_key, messages, bytes, place)
  WHERE m.saga_key = 0 OR m.saga_key IN (SELECT saga_key FROM won)
  HAVING count(*) > 0
), done_outbox AS (
  DELETE FROM outbox WHERE outbox_id = ANY ($29::bigint[])
), done_parked AS (
  DELETE FROM parked_input WHERE parked_id = ANY ($30::bigint[])
)
SELECT won.saga_key, )" SKALD_SQL_MS("clock_timestamp()") R"(
FROM (VALUES (1)) AS one LEFT JOIN won ON true)"};

void append(shim::Parameters& parameters, shim::Parameters more) {
  parameters.insert(parameters.end(), std::make_move_iterator(more.begin()),
                    std::make_move_iterator(more.end()));
}

shim::Parameters history_parameters(const Batch& batch) {
  ArrayLiteral keys, sequences, events;
  for (const SagaWrite& write : batch.writes) {
    for (const HistoryRow& row : write.history) {
      keys.add(write.key);
      sequences.add(row.sequence);
      events.add_text(row.events);
    }
  }
  return {std::move(keys).finish(), std::move(sequences).finish(), std::move(events).finish()};
}

shim::Parameters message_parameters(const Batch& batch) {
  ArrayLiteral keys, counts, bytes;
  const auto add = [&](SagaKey key, const std::vector<Message>& messages) {
    if (messages.empty()) return;
    keys.add(key);
    counts.add(static_cast<std::int64_t>(messages.size()));
    bytes.add_text(bytea_literal(wire::encode_messages(messages).substr(wire::kOutboxHeadBytes)));
  };
  for (const SagaWrite& write : batch.writes) add(write.key, write.messages);
  add(kUnconditional, batch.messages);
  return {std::move(keys).finish(), std::move(counts).finish(), std::move(bytes).finish()};
}

}  // namespace

bool PostgresSession::is_small(const Batch& batch) {
  if (batch.writes.size() > kSmallBatch || !batch.fences.empty() || !batch.park.empty()) return false;
  std::size_t count = 0;
  std::size_t bytes = 0;
  const auto add = [&](const std::vector<Message>& messages) {
    count += messages.size();
    for (const Message& message : messages) bytes += message.value ? message.value->size() : 0;
  };
  add(batch.messages);
  for (const SagaWrite& write : batch.writes) {
    add(write.messages);
    for (const HistoryRow& row : write.history) bytes += row.events.size();
  }
  return count <= kSmallMessages && bytes <= kSmallBytes;
}

Result<CommitResult> PostgresSession::commit_small(Batch& batch) {
  shim::Parameters parameters = update_parameters(batch);
  append(parameters, insert_parameters(starts_of(batch), definitions_));
  append(parameters, history_parameters(batch));
  append(parameters,
         {std::to_string(batch.outbox_id), options_->namespace_name, std::to_string(batch.incarnation)});
  append(parameters, message_parameters(batch));
  append(parameters, {number_array(batch.outbox_done), number_array(batch.parked_done)});

  const auto rows = connection_.exec_committing(kCommitSmall, parameters);
  CommitResult result;
  std::vector<bool> won(batch.writes.size(), false);
  mark_winners(rows, batch, won);
  result.now = time_of(rows[0][1]);
  bool messages = !batch.messages.empty();
  for (std::size_t index = 0; index < batch.writes.size(); ++index)
    messages = messages || (won[index] && !batch.writes[index].messages.empty());
  if (messages) result.outbox_id = batch.outbox_id;
  if (std::find(won.begin(), won.end(), false) != won.end()) tell_losers_of_committed(batch, won, result);
  take_messages(batch, won, result);
  return result;
}

/// Whatever goes wrong here, the batch has been committed: nobody may take it for one that took no effect.
void PostgresSession::tell_losers_of_committed(const Batch& batch, const std::vector<bool>& won,
                                               CommitResult& result) {
  try {
    pqxx::nontransaction reading{connection_.raw()};
    tell_losers(reading, batch, won, result);
  } catch (const std::exception& error) {
    throw pqxx::in_doubt_error{error.what()};
  }
}

}  // namespace skald::postgres
