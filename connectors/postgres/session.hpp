// A Session on PostgreSQL. Its methods stand in session_commit.cpp (the batch), session_sagas.cpp (load, claims,
// lists, gauges), session_pauses.cpp, session_schedules.cpp and session_duties.cpp (outbox, incarnations, parked inputs,
// positions, leases).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ports/store.hpp"
#include "postgres/connection.hpp"
#include "postgres/postgres_store.hpp"
#include "postgres/values.hpp"

namespace skald::postgres {

class PostgresSession : public Session {
 public:
  PostgresSession(std::shared_ptr<const StoreOptions> options, std::shared_ptr<Watchdog> watchdog);

  /// Connects and checks the schema, so that open() can say what is wrong.
  Result<void> connect();
  Result<void> claim_slots();

  Result<CommitResult> commit(Batch& batch) override;
  Result<std::vector<StoredSaga>> load(std::span<const SagaAddress> addresses,
                                       std::size_t maximum_bytes = kNoLimit,
                                       Runs runs = Runs::kLast) override;
  Result<Claimed> claim_due(const ClaimSpec& spec) override;
  Result<Time> now() override;
  Result<Incarnation> register_incarnation(const std::string& host, const std::string& build) override;
  Result<bool> heartbeat(Incarnation incarnation, std::chrono::milliseconds lease) override;
  Result<void> retire_incarnation(Incarnation incarnation) override;
  Result<void> bury_incarnations(std::chrono::milliseconds expired_for) override;
  Result<std::vector<IncarnationInfo>> live_incarnations() override;
  Result<std::optional<OutboxRow>> outbox_row(std::int64_t outbox_id) override;
  Result<std::vector<OutboxRow>> adopt_outbox(Incarnation incarnation, std::size_t maximum, bool own_too,
                                              std::size_t maximum_bytes) override;
  Result<void> delete_outbox(std::span<const std::int64_t> outbox_ids) override;
  Result<std::vector<ParkedInput>> claim_parked(const ClaimSpec& spec) override;
  Result<std::vector<ParkedInput>> parked_of(std::span<const SagaAddress> sagas,
                                             std::size_t maximum) override;
  Result<std::vector<Pause>> pauses() override;
  Result<bool> pause(const Pause& pause) override;
  Result<bool> resume(PauseKind kind, const std::string& name, const std::string& who,
                      const std::string& why) override;
  Result<std::vector<Schedule>> schedules() override;
  Result<void> put_schedule(const Schedule& schedule) override;
  Result<bool> change_schedule(const ScheduleChange& change) override;
  Result<std::vector<DueSchedule>> claim_schedules(const ScheduleClaim& claim) override;
  Result<bool> advance_schedule(const ScheduleProgress& progress) override;
  Result<std::vector<Position>> positions(const std::string& cluster_id) override;
  Result<void> save_positions(const std::string& cluster_id, std::span<const Position> positions) override;
  Result<void> accept_position(const std::string& cluster_id, const Position& position,
                               const std::string& who, const std::string& why) override;
  Result<std::vector<SagaRow>> list(const ListFilter& filter) override;
  Result<EndedPage> ended_with_history(Time ended_before, SagaKey behind, SagaKey below,
                                       std::size_t maximum) override;
  Result<std::size_t> remove_histories(std::span<const Fence> sagas) override;
  Result<RemovedPage> remove_ended(Time ended_before, SagaKey behind, SagaKey below,
                                   std::size_t maximum) override;
  Result<Gauges> gauges() override;
  Result<bool> hold_lease(const std::string& name, Incarnation incarnation,
                          std::chrono::milliseconds lease) override;

 private:
  using DefinitionIds = std::map<std::string, std::int32_t, std::less<>>;

  // Inside connection_.run only; they throw.
  const DefinitionIds& known_definitions();
  void read_definitions();
  void define_missing(const Batch& batch);
  void update_winners(pqxx::work& transaction, const Batch& batch, std::vector<bool>& won);
  void insert_starts(pqxx::work& transaction, const Batch& batch, std::vector<bool>& won);
  void tell_losers(pqxx::transaction_base& transaction, const Batch& batch, const std::vector<bool>& won,
                   CommitResult& result);
  void read_conflicts(pqxx::transaction_base& transaction, const std::vector<const SagaWrite*>& refused,
                      CommitResult& result);
  void check_fences(pqxx::work& transaction, const Batch& batch, CommitResult& result);
  void write_history(pqxx::work& transaction, const Batch& batch, const std::vector<bool>& won);
  void finish(pqxx::work& transaction, const Batch& batch, const std::vector<bool>& won,
              CommitResult& result);
  static bool is_small(const Batch& batch);
  Result<CommitResult> commit_small(Batch& batch);
  void tell_losers_of_committed(const Batch& batch, const std::vector<bool>& won, CommitResult& result);
  /// (definition ids, revisions) of a claim, as array literals.
  std::pair<std::string, std::string> revision_arrays(const ClaimSpec& spec);

  std::shared_ptr<const StoreOptions> options_;
  Connection connection_;
  DefinitionIds definitions_;    ///< of our namespace; only ever grows in the database
  int definitions_read_on_ = 0;  ///< Connection::connects() they were read on
};

/// Column list and reader of a saga's row: `saga s` joined with `definition d`.
#define SKALD_SQL_SAGA_COLUMNS \
  "s.saga_key, d.name, s.saga_id, s.revision, s.route, s.sequence, s.status, " SKALD_SQL_MS("s.wake_at") ", "   \
  "s.input_hash, " SKALD_SQL_MS("s.started_at") ", " SKALD_SQL_MS("s.ended_at") ", s.stuck_reason, coalesce(s.run_from, 1), s.stuck_step"
[[nodiscard]] SagaRow saga_row_of(const pqxx::row& row, int first_column = 0);

}  // namespace skald::postgres
