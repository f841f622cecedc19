// The statements and parameters of a batch that both ways of committing it share. Internal to this folder.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ports/store.hpp"
#include "postgres/connection.hpp"
#include "postgres/values.hpp"

namespace skald::postgres {

/// `arrays`: what update_parameters gives.
#define SKALD_SQL_UPDATE(arrays) \
  R"(
UPDATE saga AS s
SET sequence = w.sequence,
    run_from = nullif(w.run_from, 1),
    status = CASE WHEN w.sequence = w.judged_at THEN s.status ELSE w.status END,
    wake_at = CASE WHEN (CASE WHEN w.sequence = w.judged_at THEN s.status ELSE w.status END) < 10
                   THEN to_timestamp(w.wake_ms / 1000.0) END,
    ended_at = CASE WHEN w.sequence = w.judged_at THEN s.ended_at
                    WHEN w.status >= 10 THEN coalesce(s.ended_at, clock_timestamp()) END,
    stuck_reason = CASE WHEN w.sequence = w.judged_at THEN s.stuck_reason
                        WHEN w.status = 2 THEN w.stuck_reason END,
    stuck_step = CASE WHEN w.sequence = w.judged_at THEN s.stuck_step
                      WHEN w.status = 2 THEN nullif(w.stuck_step, '') END,
    lease_until = NULL, leased_by = NULL
FROM unnest()" arrays R"()
     AS w(saga_key, judged_at, sequence, status, wake_ms, stuck_reason, stuck_step, run_from)
WHERE s.saga_key = w.saga_key AND s.sequence = w.judged_at
RETURNING s.saga_key)"

/// `arrays`: what insert_parameters gives. ON CONFLICT without a target: a taken key is refused like a taken address,
/// and told from it by read_conflicts.
#define SKALD_SQL_INSERT(arrays) \
  R"(
INSERT INTO saga (saga_key, definition_id, saga_id, revision, route, sequence, status, wake_at, input_hash,
                  started_at, ended_at, stuck_reason, stuck_step)
SELECT w.saga_key, w.definition_id, w.saga_id, w.revision, w.route, w.sequence, w.status,
       CASE WHEN w.status < 10 THEN to_timestamp(w.wake_ms / 1000.0) END, w.input_hash, clock_timestamp(),
       CASE WHEN w.status >= 10 THEN clock_timestamp() END, CASE WHEN w.status = 2 THEN w.stuck_reason END,
       CASE WHEN w.status = 2 THEN nullif(w.stuck_step, '') END
FROM unnest()" arrays R"()
     AS w(saga_key, definition_id, saga_id, revision, route, sequence, status, wake_ms, input_hash, stuck_reason, stuck_step)
ON CONFLICT DO NOTHING
RETURNING saga_key)"

/// The writes that are no starts, in the batch's order.
[[nodiscard]] shim::Parameters update_parameters(const Batch& batch);
/// The starts, in order of address: two processes that start the same sagas wait for each other instead of deadlocking.
[[nodiscard]] std::vector<const SagaWrite*> starts_of(const Batch& batch);
[[nodiscard]] shim::Parameters insert_parameters(
    const std::vector<const SagaWrite*>& starts,
    const std::map<std::string, std::int32_t, std::less<>>& definitions);

[[nodiscard]] std::string number_array(const std::vector<std::int64_t>& numbers);
/// Marks the writes whose keys came back (a null is none); the batch is in key order.
void mark_winners(const pqxx::result& rows, const Batch& batch, std::vector<bool>& won);
/// Moves what is in the outbox row now to the answer.
void take_messages(Batch& batch, const std::vector<bool>& won, CommitResult& result);

}  // namespace skald::postgres
