// Deleting by the prefix of a saga's keys. A saga id may contain '/', so what follows the prefix is checked: the keys
// of saga "a/1" are not those of saga "a". A child saga that has ended may yet be rolled back by its parent: what belongs
// to it stays until the saga at the top has ended.
#include "retention.hpp"

#include <vector>

#include "wire/cloud_events.hpp"

namespace skald::participant::detail {
namespace {

constexpr std::string_view kSource = "/skald/";
constexpr std::size_t kSagasAtOnce = 1000;

constexpr const char* kRecord = R"sql(
WITH children AS (
  INSERT INTO skald_child (saga, root)
  SELECT saga, root FROM unnest($1::text[], $2::text[]) AS given (saga, root) WHERE root <> ''
  ON CONFLICT DO NOTHING
)
INSERT INTO skald_ended (saga)
SELECT saga FROM unnest($1::text[], $2::text[]) AS given (saga, root) WHERE root = ''
ON CONFLICT DO NOTHING
)sql";

constexpr const char* kFreeChildren = R"sql(
WITH freed AS (
  DELETE FROM skald_child AS child USING skald_ended AS ended WHERE ended.saga = child.root RETURNING child.saga
)
INSERT INTO skald_ended (saga) SELECT saga FROM freed ON CONFLICT DO NOTHING
)sql";

// '0' is the character after '/'.
constexpr const char* kPurge = R"sql(
WITH due AS (
  DELETE FROM skald_ended
  WHERE saga IN (
    SELECT saga FROM skald_ended
    WHERE ended_at <= clock_timestamp() - make_interval(secs => $1::bigint)
    ORDER BY ended_at LIMIT $2::bigint
    FOR UPDATE SKIP LOCKED
  )
  RETURNING saga, left(saga, -1) || '0' AS beyond
), keys AS (
  DELETE FROM skald_inbox AS inbox USING due
  WHERE inbox.idempotency_key >= due.saga AND inbox.idempotency_key < due.beyond
    AND substr(inbox.idempotency_key, length(due.saga) + 1) ~ '^[0-9]+(/retry-[0-9]+)?$'
), failures AS (
  DELETE FROM skald_inbox_failure AS failure USING due
  WHERE failure.command_id >= due.saga AND failure.command_id < due.beyond
    AND substr(failure.command_id, length(due.saga) + 1) ~ '^[0-9]+/(action|compensation)/[0-9]+$'
)
SELECT count(*) FROM due
)sql";

bool is_end(std::string_view type) {
  return type == "saga.completed" || type == "saga.compensated" || type == "saga.cancelled" ||
         type == "saga.terminated";
}

}  // namespace

std::optional<EndedSaga> ended_saga(const Record& record) {
  const auto event = wire::outcome_from(record);
  if (!event || !is_end(event->type) || !event->source.starts_with(kSource)) return std::nullopt;
  return EndedSaga{event->source.substr(kSource.size()) + "/" + event->saga_id + "/",
                   event->root.empty() ? std::string() : event->root + "/"};
}

void record_ended(Connection& connection, std::span<const EndedSaga> sagas) {
  if (sagas.empty()) return;
  std::vector<std::string> ended, roots;
  for (const EndedSaga& one : sagas) {
    ended.push_back(one.saga);
    roots.push_back(one.root);
  }
  connection.run(Statement{kRecord, {ended, roots}});
}

bool purge(Connection& connection, std::chrono::seconds retention) {
  connection.run(Statement{kFreeChildren, {}});
  const auto rows = connection.run(Statement{
      kPurge, {static_cast<std::int64_t>(retention.count()), static_cast<std::int64_t>(kSagasAtOnce)}});
  return static_cast<std::size_t>(rows.integer(0, 0)) == kSagasAtOnce;
}

}  // namespace skald::participant::detail
