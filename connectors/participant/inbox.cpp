// Judging and moving inbox rows. Keys go to PostgreSQL sorted, so that two processes never wait for each other in a
// circle; a failed batch leaves nothing behind.
#include "inbox.hpp"

#include <algorithm>

#include "wire/checksum.hpp"

namespace skald::participant::detail {
namespace {

// The reply of an open or cancelled row is null. fillfactor leaves room for the update that settles a row to stay on
// its page and out of the index.
constexpr const char* kTables = R"sql(
CREATE TABLE IF NOT EXISTS skald_inbox (
  idempotency_key text COLLATE "C" PRIMARY KEY,
  settled         smallint NOT NULL DEFAULT 0,
  reply           text,
  received_at     timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 60);

CREATE TABLE IF NOT EXISTS skald_inbox_failure (
  command_id  text COLLATE "C" PRIMARY KEY,
  failure     text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS skald_ended (
  saga     text COLLATE "C" PRIMARY KEY,
  ended_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS skald_ended_at ON skald_ended (ended_at);

CREATE TABLE IF NOT EXISTS skald_child (
  saga text COLLATE "C" PRIMARY KEY,
  root text COLLATE "C" NOT NULL
);
CREATE INDEX IF NOT EXISTS skald_child_root ON skald_child (root);

CREATE TABLE IF NOT EXISTS skald_position (
  cluster_id       text NOT NULL,
  consumer_group   text NOT NULL,
  topic            text NOT NULL,
  partition_number integer NOT NULL,
  next_offset      bigint NOT NULL,
  last_checksum    bigint NOT NULL,
  PRIMARY KEY (cluster_id, consumer_group, topic, partition_number)
);
)sql";

constexpr const char* kNow = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

constexpr const char* kInsertKeys = R"sql(
INSERT INTO skald_inbox (idempotency_key)
SELECT unnest($1::text[])
ON CONFLICT (idempotency_key) DO NOTHING
)sql";

constexpr const char* kLoadEntries = R"sql(
SELECT idempotency_key, settled, reply
FROM skald_inbox
WHERE idempotency_key = ANY ($1::text[])
ORDER BY idempotency_key
FOR UPDATE
)sql";

constexpr const char* kLoadFailures = R"sql(
SELECT command_id, failure FROM skald_inbox_failure WHERE command_id = ANY ($1::text[])
)sql";

constexpr const char* kSettle = R"sql(
UPDATE skald_inbox AS inbox
SET settled = given.settled, reply = given.reply
FROM unnest($1::text[], $2::smallint[], $3::text[]) AS given (idempotency_key, settled, reply)
WHERE inbox.idempotency_key = given.idempotency_key
)sql";

constexpr const char* kRemember = R"sql(
INSERT INTO skald_inbox_failure (command_id, failure)
SELECT command_id, failure FROM unnest($1::text[], $2::text[]) AS given (command_id, failure)
ON CONFLICT (command_id) DO NOTHING
)sql";

constexpr const char* kSavePositions = R"sql(
INSERT INTO skald_position (cluster_id, consumer_group, topic, partition_number, next_offset, last_checksum)
SELECT $1, $2, given.*
FROM unnest($3::text[], $4::integer[], $5::bigint[], $6::bigint[])
  AS given (topic, partition_number, next_offset, last_checksum)
ORDER BY topic, partition_number
ON CONFLICT (cluster_id, consumer_group, topic, partition_number)
DO UPDATE SET next_offset = excluded.next_offset, last_checksum = excluded.last_checksum
WHERE skald_position.next_offset < excluded.next_offset
)sql";

constexpr const char* kLoadPositions = R"sql(
SELECT topic, partition_number, next_offset, last_checksum
FROM skald_position
WHERE cluster_id = $1 AND consumer_group = $2
)sql";

constexpr const char* kForgetPosition = R"sql(
DELETE FROM skald_position
WHERE cluster_id = $1 AND consumer_group = $2 AND topic = $3 AND partition_number = $4
)sql";

Time time_of(const Rows& rows) { return Time{std::chrono::milliseconds{rows.integer(0, 0)}}; }

Statement positions_statement(const ReaderId& reader, std::span<const ReadPosition> positions) {
  std::vector<std::string> topics;
  std::vector<std::int64_t> partitions;
  std::vector<std::int64_t> offsets;
  std::vector<std::int64_t> checksums;
  for (const auto& position : positions) {
    topics.push_back(position.next.partition.topic);
    partitions.push_back(position.next.partition.partition);
    offsets.push_back(position.next.offset);
    checksums.push_back(position.last_checksum);
  }
  return {kSavePositions, {reader.cluster_id, reader.group, topics, partitions, offsets, checksums}};
}

}  // namespace

Verdict judge(const InboxEntry& entry, wire::Phase phase, bool is_remembered, bool is_expired) {
  const bool is_action = phase == wire::Phase::kAction;
  switch (entry.settled) {
    case Settled::kRefused: return is_action ? Verdict::kStoredFailure : Verdict::kNothingToUndo;
    case Settled::kCancelled: return is_action ? Verdict::kCancelled : Verdict::kNothingToUndo;
    case Settled::kDone:
    case Settled::kLater:
      if (is_action) return entry.settled == Settled::kDone ? Verdict::kStored : Verdict::kSilent;
      if (is_remembered) return Verdict::kRemembered;
      return is_expired ? Verdict::kExpired : Verdict::kCompensate;
    case Settled::kOpen:
      if (is_remembered) return Verdict::kRemembered;
      if (is_expired) return Verdict::kExpired;
      return is_action ? Verdict::kExecute : Verdict::kCancel;
  }
  return Verdict::kRemembered;
}

std::uint32_t checksum_of(const Record& record) {
  const std::uint32_t key = record.key ? wire::crc32c(*record.key) : 0;
  return record.value ? wire::crc32c(*record.value, key) : key;
}

void create_tables(Connection& connection, const std::string& schema, const std::string& additional_sql) {
  std::string name = "\"";
  for (const char c : schema) name.append(c == '"' ? 2 : 1, c);
  name += '"';
  // IF NOT EXISTS alone fails when two processes create at the same time.
  connection.run_script("BEGIN; SELECT pg_advisory_xact_lock(7310579601);");
  connection.run_script("CREATE SCHEMA IF NOT EXISTS " + name + ";" + kTables + additional_sql);
  connection.run_script("COMMIT");
}

LoadedInbox begin_without_inbox(Connection& connection) {
  const Statement opening[] = {{"BEGIN"}, {kNow}};
  LoadedInbox loaded;
  loaded.now = time_of(connection.run(opening).at(1));
  return loaded;
}

LoadedInbox begin_with_inbox(Connection& connection, std::span<const wire::Command> commands) {
  std::vector<std::string> keys;
  keys.reserve(commands.size());
  for (const auto& command : commands) keys.push_back(command.idempotency_key);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());

  const Statement opening[] = {{"BEGIN"}, {kNow}, {kInsertKeys, {keys}}};
  const auto opened = connection.run(opening);
  LoadedInbox loaded;
  loaded.now = time_of(opened.at(1));
  if (opened.at(2).affected() == keys.size()) return loaded;  // all new, the usual case

  std::vector<std::string> command_ids;
  for (const auto& command : commands) command_ids.push_back(command.id);
  const Statement loading[] = {{kLoadEntries, {keys}}, {kLoadFailures, {command_ids}}};
  const auto rows = connection.run(loading);
  for (std::size_t row = 0; row < rows.at(0).size(); ++row) {
    const auto settled = static_cast<Settled>(rows[0].integer(row, 1));
    if (settled != Settled::kOpen)
      loaded.entries.emplace(rows[0].text(row, 0), InboxEntry{settled, std::string(rows[0].text(row, 2))});
  }
  for (std::size_t row = 0; row < rows.at(1).size(); ++row)
    loaded.failures.emplace(rows[1].text(row, 0), rows[1].text(row, 1));
  return loaded;
}

void settle_and_commit(Connection& connection, std::span<const InboxUpdate> updates,
                       std::span<const RememberedFailure> failures, const ReaderId& reader,
                       std::span<const ReadPosition> positions) {
  // COMMIT of a failed transaction rolls back and reports no error.
  if (connection.in_failed_transaction())
    throw SqlError("25P02", "the transaction had failed before its commit");
  std::vector<Statement> closing;
  if (!updates.empty()) {
    std::vector<std::string> keys;
    std::vector<std::int64_t> settled;
    std::vector<std::string> replies;
    for (const auto& update : updates) {
      keys.push_back(update.idempotency_key);
      settled.push_back(static_cast<std::int64_t>(update.entry.settled));
      replies.push_back(update.entry.reply);
    }
    closing.push_back({kSettle, {keys, settled, replies}});
  }
  if (!failures.empty()) {
    std::vector<std::string> command_ids;
    std::vector<std::string> texts;
    for (const auto& failure : failures) {
      command_ids.push_back(failure.command_id);
      texts.push_back(failure.failure);
    }
    closing.push_back({kRemember, {command_ids, texts}});
  }
  if (!positions.empty()) closing.push_back(positions_statement(reader, positions));
  closing.push_back({"COMMIT"});
  const auto rows = connection.run(closing);
  if (!updates.empty() && rows.front().affected() != updates.size())
    throw SqlError("XX000", "the inbox lost rows inside a transaction");
}

std::map<TopicPartition, ReadPosition> load_positions(Connection& connection, const ReaderId& reader) {
  const auto rows = connection.run(Statement{kLoadPositions, {reader.cluster_id, reader.group}});
  std::map<TopicPartition, ReadPosition> positions;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    TopicPartition partition{std::string(rows.text(row, 0)), static_cast<std::int32_t>(rows.integer(row, 1))};
    positions[partition] = {{partition, rows.integer(row, 2)},
                            static_cast<std::uint32_t>(rows.integer(row, 3))};
  }
  return positions;
}

void save_positions(Connection& connection, const ReaderId& reader, std::span<const ReadPosition> positions) {
  if (!positions.empty()) connection.run(positions_statement(reader, positions));
}

void forget_position(Connection& connection, const ReaderId& reader, const TopicPartition& partition) {
  connection.run(
      Statement{kForgetPosition, {reader.cluster_id, reader.group, partition.topic, partition.partition}});
}

}  // namespace skald::participant::detail
