// Removing what has ended. The walk over histories jumps from saga to saga in the primary key, so that a page costs what it
// looks at.
#include "postgres/session.hpp"
#include "postgres/values.hpp"

namespace skald::postgres {
namespace {

// $1 namespace, $2 ended before (milliseconds), $3 behind, $4 below, $5 maximum. One row at least.
constexpr Statement kEnded{"ended_with_history", R"(
WITH RECURSIVE walk(saga_key) AS (
  (SELECT saga_key FROM history WHERE saga_key > $3::bigint AND saga_key < $4::bigint ORDER BY saga_key LIMIT 1)
  UNION ALL
  SELECT (SELECT h.saga_key FROM history h
          WHERE h.saga_key > w.saga_key AND h.saga_key < $4::bigint ORDER BY h.saga_key LIMIT 1)
  FROM walk w
  WHERE w.saga_key IS NOT NULL
), page AS MATERIALIZED (
  SELECT saga_key FROM walk WHERE saga_key IS NOT NULL LIMIT $5::bigint
), ended AS (
  SELECT s.saga_key, s.sequence,
         (SELECT h.events FROM history h WHERE h.saga_key = s.saga_key ORDER BY h.sequence LIMIT 1) AS events
  FROM page p
  JOIN saga s ON s.saga_key = p.saga_key
  JOIN definition d ON d.definition_id = s.definition_id
  WHERE s.status >= 10 AND s.ended_at < to_timestamp($2::bigint / 1000.0) AND d.namespace = $1
)
SELECT t.looked_at, t.last, e.saga_key, e.sequence, e.events
FROM (SELECT count(*) AS looked_at, max(saga_key) AS last FROM page) AS t
LEFT JOIN ended e ON true
ORDER BY e.saga_key)"};

constexpr Statement kRemoveHistories{"remove_histories", R"(
WITH ended AS MATERIALIZED (
  SELECT s.saga_key
  FROM unnest($1::bigint[], $2::bigint[]) AS w(saga_key, sequence)
  JOIN saga s ON s.saga_key = w.saga_key AND s.sequence = w.sequence
  WHERE s.status >= 10
  ORDER BY s.saga_key
  FOR UPDATE OF s
), gone AS (
  DELETE FROM history h USING ended e WHERE h.saga_key = e.saga_key RETURNING h.saga_key
)
SELECT count(DISTINCT saga_key) FROM gone)"};

constexpr Statement kRemoveEnded{"remove_ended", R"(
WITH page AS MATERIALIZED (
  SELECT saga_key, definition_id, status, ended_at
  FROM saga
  WHERE saga_key > $3::bigint AND saga_key < $4::bigint
  ORDER BY saga_key
  LIMIT $5::bigint
), gone AS (
  DELETE FROM saga s
  USING page p, definition d
  WHERE s.saga_key = p.saga_key AND p.status >= 10 AND p.ended_at < to_timestamp($2::bigint / 1000.0)
    AND d.definition_id = p.definition_id AND d.namespace = $1
    AND NOT EXISTS (SELECT FROM history h WHERE h.saga_key = p.saga_key)
  RETURNING 1
)
SELECT (SELECT count(*) FROM page), (SELECT max(saga_key) FROM page), (SELECT count(*) FROM gone))"};

shim::Parameters page_parameters(const std::string& name_space, Time ended_before, SagaKey behind,
                                 SagaKey below, std::size_t maximum) {
  return {name_space, std::to_string(ended_before.time_since_epoch().count()), std::to_string(behind),
          std::to_string(below), std::to_string(maximum)};
}

}  // namespace

Result<EndedPage> PostgresSession::ended_with_history(Time ended_before, SagaKey behind, SagaKey below,
                                                      std::size_t maximum) {
  return connection_.run([&](Connection& connection) -> Result<EndedPage> {
    const auto rows = connection.exec(
        kEnded, page_parameters(options_->namespace_name, ended_before, behind, below, maximum));
    EndedPage page;
    page.more = rows[0][0].as<std::size_t>() == maximum;
    page.last = rows[0][1].is_null() ? behind : rows[0][1].as<SagaKey>();
    for (const auto& row : rows)
      if (!row[2].is_null())
        page.sagas.push_back({row[2].as<SagaKey>(), row[3].as<std::int64_t>(), text_of(row[4])});
    return page;
  });
}

Result<std::size_t> PostgresSession::remove_histories(std::span<const Fence> sagas) {
  ArrayLiteral keys, sequences;
  for (const Fence& saga : sagas) {
    keys.add(saga.key);
    sequences.add(saga.sequence);
  }
  const shim::Parameters parameters{std::move(keys).finish(), std::move(sequences).finish()};
  return connection_.run([&](Connection& connection) -> Result<std::size_t> {
    return connection.exec(kRemoveHistories, parameters)[0][0].as<std::size_t>();
  });
}

Result<RemovedPage> PostgresSession::remove_ended(Time ended_before, SagaKey behind, SagaKey below,
                                                  std::size_t maximum) {
  return connection_.run([&](Connection& connection) -> Result<RemovedPage> {
    const auto rows = connection.exec(
        kRemoveEnded, page_parameters(options_->namespace_name, ended_before, behind, below, maximum));
    RemovedPage page;
    page.more = rows[0][0].as<std::size_t>() == maximum;
    page.last = rows[0][1].is_null() ? behind : rows[0][1].as<SagaKey>();
    page.removed = rows[0][2].as<std::size_t>();
    return page;
  });
}

}  // namespace skald::postgres
