// Everything a process does beside its sagas: heartbeats, adopting the outbox of the dead, parked inputs, positions,
// leases. Single statements, but for claiming parked inputs and accepting a position.
#include "postgres/session.hpp"
#include "postgres/slot_ownership.hpp"
#include "postgres/values.hpp"
#include "wire/outbox_format.hpp"

namespace skald::postgres {
namespace {

#define SKALD_SQL_PARKED_COLUMNS \
  "p.parked_id, p.definition, p.saga_id, p.revision, p.reason, " SKALD_SQL_MS("p.parked_at") ", p.input"

constexpr Statement kRegister{"register_incarnation", R"(
WITH forgotten AS (
  DELETE FROM incarnation WHERE namespace = $1 AND expires_at < clock_timestamp() - interval '1 day'
)
INSERT INTO incarnation (namespace, host, build, expires_at)
VALUES ($1, $2, $3, clock_timestamp() + interval '30 s')
RETURNING incarnation)"};

constexpr Statement kHeartbeat{"heartbeat", R"(
UPDATE incarnation
SET expires_at = clock_timestamp() + $2::bigint * interval '1 ms'
WHERE incarnation = $1::bigint)"};

constexpr Statement kRetire{"retire_incarnation", "DELETE FROM incarnation WHERE incarnation = $1::bigint"};

constexpr Statement kLive{"live_incarnations", R"(
SELECT incarnation, host, build
FROM incarnation
WHERE namespace = $1
ORDER BY incarnation)"};

// A heartbeat that comes while the row is locked finds it gone.
constexpr Statement kBury{"bury_incarnations", R"(
DELETE FROM incarnation
WHERE namespace = $1 AND expires_at <= clock_timestamp() - $2::bigint * interval '1 ms')"};

constexpr Statement kOutboxRow{"outbox_row", "SELECT messages FROM outbox WHERE outbox_id = $1::bigint"};

// Never by "id greater than the last": ids commit out of order. A row is taken for whose it is.
constexpr Statement kAdopt{"adopt_outbox", R"(
WITH orphan AS MATERIALIZED (
  SELECT o.outbox_id, octet_length(o.messages) AS bytes
  FROM outbox o
  WHERE o.namespace = $1 AND o.unreadable_reason IS NULL
    AND (($4::boolean AND o.incarnation = $2::bigint)
         OR NOT EXISTS (SELECT FROM incarnation i
                        WHERE i.incarnation = o.incarnation AND i.expires_at > clock_timestamp()))
    AND EXISTS (SELECT FROM incarnation i WHERE i.incarnation = $2::bigint AND i.expires_at > clock_timestamp())
  ORDER BY o.outbox_id
  LIMIT $3::bigint
  FOR UPDATE SKIP LOCKED
), taken AS MATERIALIZED (
  SELECT outbox_id, sum(bytes) OVER (ORDER BY outbox_id) - bytes < $5::bigint AS fits FROM orphan
)
UPDATE outbox o
SET incarnation = $2::bigint
FROM taken
WHERE o.outbox_id = taken.outbox_id AND taken.fits
RETURNING o.outbox_id, o.messages)"};

constexpr Statement kUnreadable{"outbox_unreadable",
                                "UPDATE outbox SET unreadable_reason = $2 WHERE outbox_id = $1::bigint"};

constexpr Statement kDeleteOutbox{"delete_outbox", "DELETE FROM outbox WHERE outbox_id = ANY ($1::bigint[])"};

// Claims of parked inputs take turns: two at once could hand out a later input of a saga before an earlier one.
constexpr Statement kParkedTurn{
    "parked_turn", "SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || '/' || $1, 7))"};

// $1 namespace, $2 definitions, $3 revisions, $4 lease in milliseconds, $5 maximum, $6 as many bytes and one input more.
// An input waits behind an earlier one of its saga that cannot be had now.
constexpr Statement kClaimParked{"claim_parked", R"(
WITH code AS MATERIALIZED (
  SELECT * FROM unnest($2::text[], $3::int[]) AS c(definition, revision)
), first AS MATERIALIZED (
  SELECT p.parked_id, octet_length(p.input) AS bytes
  FROM parked_input p
  WHERE p.namespace = $1
    AND (p.lease_until IS NULL OR p.lease_until <= clock_timestamp())
    AND EXISTS (SELECT FROM code c WHERE c.definition = p.definition AND p.revision IN (0, c.revision))
    AND NOT EXISTS (
      SELECT FROM parked_input e
      WHERE e.namespace = $1 AND e.definition = p.definition AND e.saga_id = p.saga_id AND e.parked_id < p.parked_id
        AND (e.lease_until > clock_timestamp()
             OR NOT EXISTS (SELECT FROM code c WHERE c.definition = e.definition AND e.revision IN (0, c.revision))))
  ORDER BY p.parked_id
  LIMIT $5::bigint
), mine AS MATERIALIZED (
  SELECT parked_id, sum(bytes) OVER (ORDER BY parked_id) - bytes < $6::bigint AS fits FROM first
)
UPDATE parked_input p
-- The longer one has waited in vain the rarer it is tried, so that many of them keep nobody from his turn.
SET lease_until = clock_timestamp() + greatest(
    $4::bigint * interval '1 ms', least((clock_timestamp() - p.parked_at) / 4, interval '1 minute'))
FROM mine
WHERE p.parked_id = mine.parked_id AND mine.fits
RETURNING )" SKALD_SQL_PARKED_COLUMNS};

constexpr Statement kParkedOf{"parked_of", R"(
SELECT )" SKALD_SQL_PARKED_COLUMNS R"(
FROM unnest($2::text[], $3::text[]) AS w(definition, saga_id)
JOIN parked_input p ON p.namespace = $1 AND p.definition = w.definition AND p.saga_id = w.saga_id
ORDER BY p.parked_id
LIMIT $4::bigint)"};

constexpr Statement kPositions{"positions", R"(
SELECT topic, partition, next_offset, last_offset, )" SKALD_SQL_MS("last_timestamp") R"(, last_checksum
FROM position
WHERE namespace = $1 AND cluster_id = $2
ORDER BY topic, partition)"};

constexpr Statement kSavePositions{"save_positions", R"(
INSERT INTO position AS p (namespace, cluster_id, topic, partition, next_offset, last_offset, last_timestamp,
                           last_checksum)
SELECT $1, $2, w.topic, w.partition, w.next_offset, w.last_offset, to_timestamp(w.last_ms / 1000.0), w.checksum
FROM unnest($3::text[], $4::int[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
     AS w(topic, partition, next_offset, last_offset, last_ms, checksum)
ORDER BY w.topic, w.partition
ON CONFLICT (namespace, cluster_id, topic, partition) DO UPDATE
SET next_offset = excluded.next_offset, last_offset = excluded.last_offset, last_timestamp = excluded.last_timestamp,
    last_checksum = excluded.last_checksum, updated_at = excluded.updated_at
WHERE excluded.next_offset > p.next_offset)"};

constexpr Statement kAuditPosition{"audit_position", R"(
WITH old AS (
  SELECT next_offset FROM position WHERE namespace = $1 AND cluster_id = $2 AND topic = $3 AND partition = $4::int
), forgotten AS (
  DELETE FROM position WHERE namespace = $1 AND cluster_id = $2 AND topic = $3 AND partition = $4::int
)
INSERT INTO position_audit (namespace, cluster_id, topic, partition, old_offset, new_offset, who, why)
VALUES ($1, $2, $3, $4::int, (SELECT next_offset FROM old), $5::bigint, $6, $7))"};

constexpr Statement kHoldLease{"hold_lease", R"(
INSERT INTO lease AS l (namespace, name, incarnation, expires_at)
VALUES ($1, $2, $3::bigint, clock_timestamp() + $4::bigint * interval '1 ms')
ON CONFLICT (namespace, name) DO UPDATE
SET incarnation = excluded.incarnation, expires_at = excluded.expires_at
WHERE l.incarnation = excluded.incarnation OR l.expires_at <= clock_timestamp()
RETURNING incarnation)"};

Result<std::vector<Message>> messages_of(const pqxx::field& field) {
  const auto bytes = bytes_of({field.c_str(), field.size()});
  if (!bytes) return Error{ErrorKind::kInvalid, kUnreadableRow, "outbox row is not in hexadecimal output"};
  return wire::decode_messages(*bytes);
}

ParkedInput parked_of_row(const pqxx::row& row) {
  auto input = bytes_of({row[6].c_str(), row[6].size()});
  if (!input)
    throw Refusal{{ErrorKind::kRefused, kUnreadableRow, "a parked input is not in hexadecimal output"}};
  return {row[0].as<std::int64_t>(), {text_of(row[1]), text_of(row[2])},
          row[3].as<std::int32_t>(), static_cast<ParkReason>(row[4].as<std::int16_t>()),
          std::move(*input),         time_of(row[5])};
}

}  // namespace

Result<Incarnation> PostgresSession::register_incarnation(const std::string& host, const std::string& build) {
  return connection_.run([&](Connection& connection) -> Result<Incarnation> {
    pqxx::work transaction{connection.raw()};
    if (options_->slots)
      postgres::claim_slots(connection, transaction, options_->namespace_name, *options_->slots);
    const auto registered =
        connection.exec(transaction, kRegister, shim::Parameters{options_->namespace_name, host, build});
    connection.commit(transaction);
    return registered[0][0].as<Incarnation>();
  });
}

Result<void> PostgresSession::claim_slots() {
  return connection_.run([&](Connection& connection) -> Result<void> {
    pqxx::work transaction{connection.raw()};
    postgres::claim_slots(connection, transaction, options_->namespace_name,
                          options_->slots.value_or(wire::SlotSet::all()));
    connection.commit(transaction);
    return {};
  });
}

Result<bool> PostgresSession::heartbeat(Incarnation incarnation, std::chrono::milliseconds lease) {
  return connection_.run([&](Connection& connection) -> Result<bool> {
    return connection.exec(kHeartbeat, {std::to_string(incarnation), std::to_string(lease.count())})
               .affected_rows() == 1;
  });
}

Result<void> PostgresSession::retire_incarnation(Incarnation incarnation) {
  return connection_.run([&](Connection& connection) -> Result<void> {
    connection.exec(kRetire, {std::to_string(incarnation)});
    return {};
  });
}

Result<void> PostgresSession::bury_incarnations(std::chrono::milliseconds expired_for) {
  return connection_.run([&](Connection& connection) -> Result<void> {
    connection.exec(kBury, {options_->namespace_name, std::to_string(expired_for.count())});
    return {};
  });
}

Result<std::vector<IncarnationInfo>> PostgresSession::live_incarnations() {
  return connection_.run([&](Connection& connection) -> Result<std::vector<IncarnationInfo>> {
    std::vector<IncarnationInfo> live;
    for (const auto& row : connection.exec(kLive, {options_->namespace_name}))
      live.push_back({row[0].as<Incarnation>(), text_of(row[1]), text_of(row[2])});
    return live;
  });
}

Result<std::optional<OutboxRow>> PostgresSession::outbox_row(std::int64_t outbox_id) {
  return connection_.run([&](Connection& connection) -> Result<std::optional<OutboxRow>> {
    const auto rows = connection.exec(kOutboxRow, {std::to_string(outbox_id)});
    if (rows.empty()) return std::optional<OutboxRow>{};
    auto messages = messages_of(rows[0][0]);
    if (!messages) return messages.error();
    return std::optional<OutboxRow>{OutboxRow{outbox_id, std::move(messages).value()}};
  });
}

Result<std::vector<OutboxRow>> PostgresSession::adopt_outbox(Incarnation incarnation, std::size_t maximum,
                                                             bool own_too, std::size_t maximum_bytes) {
  return connection_.run([&](Connection& connection) -> Result<std::vector<OutboxRow>> {
    std::vector<OutboxRow> adopted;
    const auto rows = connection.exec(
        kAdopt, {options_->namespace_name, std::to_string(incarnation), std::to_string(maximum),
                 own_too ? "true" : "false", std::to_string(maximum_bytes)});
    for (const auto& row : rows) {
      const auto outbox_id = row[0].as<std::int64_t>();
      auto messages = messages_of(row[1]);
      if (messages) {
        adopted.push_back({outbox_id, std::move(messages).value()});
      } else {
        connection.exec(kUnreadable, {std::to_string(outbox_id), messages.error().message});
      }
    }
    return adopted;
  });
}

Result<void> PostgresSession::delete_outbox(std::span<const std::int64_t> outbox_ids) {
  return connection_.run([&](Connection& connection) -> Result<void> {
    ArrayLiteral ids;
    for (const std::int64_t outbox_id : outbox_ids) ids.add(outbox_id);
    connection.exec(kDeleteOutbox, {std::move(ids).finish()});
    return {};
  });
}

Result<std::vector<ParkedInput>> PostgresSession::claim_parked(const ClaimSpec& spec) {
  return connection_.run([&](Connection& connection) -> Result<std::vector<ParkedInput>> {
    ArrayLiteral definitions, revisions;
    for (const auto& [definition, revision] : spec.revisions) {
      definitions.add_text(definition);
      revisions.add(revision);
    }
    std::vector<ParkedInput> claimed;
    pqxx::work transaction{connection.raw()};
    const auto turn = connection.exec(transaction, kParkedTurn, {options_->namespace_name});
    if (!turn[0][0].as<bool>()) return claimed;
    const auto rows = connection.exec(transaction, kClaimParked,
                                      {options_->namespace_name, std::move(definitions).finish(),
                                       std::move(revisions).finish(), std::to_string(spec.lease.count()),
                                       std::to_string(spec.maximum), std::to_string(spec.maximum_bytes)});
    for (const auto& row : rows) claimed.push_back(parked_of_row(row));
    connection.commit(transaction);
    std::sort(claimed.begin(), claimed.end(), [](const ParkedInput& left, const ParkedInput& right) {
      return left.parked_id < right.parked_id;
    });
    return claimed;
  });
}

Result<std::vector<ParkedInput>> PostgresSession::parked_of(std::span<const SagaAddress> sagas,
                                                            std::size_t maximum) {
  return connection_.run([&](Connection& connection) -> Result<std::vector<ParkedInput>> {
    ArrayLiteral definitions, ids;
    for (const SagaAddress& saga : sagas) {
      definitions.add_text(saga.definition);
      ids.add_text(saga.saga_id);
    }
    std::vector<ParkedInput> found;
    for (const auto& row :
         connection.exec(kParkedOf, {options_->namespace_name, std::move(definitions).finish(),
                                     std::move(ids).finish(), std::to_string(maximum)}))
      found.push_back(parked_of_row(row));
    return found;
  });
}

Result<std::vector<Position>> PostgresSession::positions(const std::string& cluster_id) {
  return connection_.run([&](Connection& connection) -> Result<std::vector<Position>> {
    std::vector<Position> found;
    for (const auto& row : connection.exec(kPositions, {options_->namespace_name, cluster_id}))
      found.push_back({{text_of(row[0]), row[1].as<std::int32_t>()},
                       row[2].as<std::int64_t>(),
                       row[3].as<std::int64_t>(),
                       time_of(row[4]),
                       static_cast<std::uint32_t>(row[5].as<std::int64_t>())});
    return found;
  });
}

namespace {
shim::Parameters position_parameters(const std::string& namespace_name, const std::string& cluster_id,
                                     std::span<const Position> positions) {
  ArrayLiteral topics, partitions, next, last, times, checksums;
  for (const Position& position : positions) {
    topics.add_text(position.partition.topic);
    partitions.add(position.partition.partition);
    next.add(position.next_offset);
    last.add(position.last_offset);
    times.add(position.last_timestamp);
    checksums.add(static_cast<std::int64_t>(position.last_checksum));
  }
  return {namespace_name,
          cluster_id,
          std::move(topics).finish(),
          std::move(partitions).finish(),
          std::move(next).finish(),
          std::move(last).finish(),
          std::move(times).finish(),
          std::move(checksums).finish()};
}
}  // namespace

Result<void> PostgresSession::save_positions(const std::string& cluster_id,
                                             std::span<const Position> positions) {
  return connection_.run([&](Connection& connection) -> Result<void> {
    connection.exec(kSavePositions, position_parameters(options_->namespace_name, cluster_id, positions));
    return {};
  });
}

Result<void> PostgresSession::accept_position(const std::string& cluster_id, const Position& position,
                                              const std::string& who, const std::string& why) {
  return connection_.run([&](Connection& connection) -> Result<void> {
    pqxx::work transaction{connection.raw()};
    connection.exec(
        transaction, kAuditPosition,
        {options_->namespace_name, cluster_id, position.partition.topic,
         std::to_string(position.partition.partition), std::to_string(position.next_offset), who, why});
    connection.exec(transaction, kSavePositions,
                    position_parameters(options_->namespace_name, cluster_id, std::span{&position, 1}));
    connection.commit(transaction);
    return {};
  });
}

Result<bool> PostgresSession::hold_lease(const std::string& name, Incarnation incarnation,
                                         std::chrono::milliseconds lease) {
  return connection_.run([&](Connection& connection) -> Result<bool> {
    return !connection
                .exec(kHoldLease, {options_->namespace_name, name, std::to_string(incarnation),
                                   std::to_string(lease.count())})
                .empty();
  });
}

}  // namespace skald::postgres
