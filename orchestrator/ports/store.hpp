// Store: the port to the database, the truth about every saga. connectors/postgres implements it on
// PostgreSQL, connectors/memory in the process; the same contract tests run on both.
//
// What holds: a batch commits whole or not at all; a write counts only if the saga still stands at the
// sequence it was judged at (the winners are named in the answer, history and messages are written for
// winners only); time is the database's. A Session is one connection, used by one thread; a broken one
// reconnects on its next call.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ports/bus.hpp"
#include "ports/identity.hpp"
#include "ports/message.hpp"
#include "ports/pause.hpp"
#include "ports/schedule.hpp"
#include "skald/record.hpp"
#include "skald/result.hpp"

namespace skald {

/// A saga's narrow row. `wake_at` is a lower bound of its next deadline; kNever while nothing is due; ended
/// sagas have none.
struct SagaRow {
  SagaKey key = 0;
  SagaAddress address;
  std::int32_t revision = 0;
  std::int32_t route =
      0;  ///< wire::route_of(saga_id): by it the reply partition's owner is known from the row
  std::int64_t sequence = 0;
  std::int64_t run_from =
      1;  ///< the transition from which it is replayed: later ones only after continue-as-new
  SagaStatus status = SagaStatus::kRunning;
  Time wake_at{};
  std::uint64_t input_hash = 0;
  Time started_at{};
  std::optional<Time> ended_at;
  std::string stuck_reason;  ///< machine-readable, empty unless stuck
  std::string stuck_step;    ///< the step that it is about; empty: none, or not stuck
};
inline constexpr Time kNever = Time{std::chrono::milliseconds{253370764800000}};  // year 9999: sorts last

/// One transition as stored: dense sequence from 1, the events as the engine's JSON text (no U+0000).
struct HistoryRow {
  std::int64_t sequence = 0;
  std::string events;
};

struct StoredSaga {
  SagaRow row;
  /// Dense from row.run_from, or of a load of all from 1, to row.sequence; as stored, so a damaged one shows a gap.
  /// Empty: of an ended saga it was removed (Session::remove_histories).
  std::vector<HistoryRow> history;
  bool left_out = false;  ///< of a load with a limit: there was no room for its history

  [[nodiscard]] bool history_removed() const { return is_ended(row.status) && history.empty() && !left_out; }
};

/// What one batch wants to do to one saga.
struct SagaWrite {
  SagaKey key = 0;
  std::int64_t judged_at = 0;  ///< 0: a start (insert); else the sequence the saga must still have
  std::int64_t sequence = 0;   ///< the new one; equal to judged_at when only wake_at moves
  std::int64_t run_from = 1;   ///< never smaller than it was
  SagaStatus status = SagaStatus::kRunning;
  Time wake_at{};  ///< written as is; kNever if nothing is due; ignored for an ended saga
  std::string stuck_reason;
  std::string stuck_step;
  std::vector<HistoryRow> history;  ///< sequences judged_at+1 .. sequence
  std::vector<Message> messages;    ///< go to the outbox if this write wins
  // Of a start only:
  SagaAddress address;
  std::int32_t revision = 0;
  std::int32_t route = 0;
  std::uint64_t input_hash = 0;
};

/// A verdict that wrote nothing: it counts only if the saga still stands there.
struct Fence {
  SagaKey key = 0;
  std::int64_t sequence = 0;
};

/// Why an input waits in the store instead of being applied.
enum class ParkReason : std::int16_t {
  kNoCode = 0,       ///< definition or revision not in this process
  kNoSaga = 1,       ///< no such saga yet
  kOrdered = 2,      ///< from API or operator: first stored, then applied in order
  kDivergence = 3,   ///< history written by another build does not fit this one's code
  kPaused = 4,       ///< its definition is paused
  kPausedStart = 5,  ///< a start of a paused definition
};

/// An input kept as received, applied in order (parked_id) by a process that can.
struct ParkedInput {
  std::int64_t parked_id = 0;  ///< made by the process, time-ordered; re-parking the same id is no error
  SagaAddress address;
  std::int32_t revision = 0;  ///< the saga's, 0 when unknown
  ParkReason reason = ParkReason::kNoSaga;
  std::string input;  ///< the runtime's encoding (bytes)
  Time parked_at{};   ///< set by the store
};

struct Batch {
  Incarnation incarnation = 0;
  std::int64_t outbox_id = 0;     ///< for the outbox row, made by the process; used if there are messages
  std::vector<SagaWrite> writes;  ///< at most one a saga, in key order
  std::vector<Fence> fences;
  std::vector<Message> messages;  ///< unconditional (dead letters of records no saga was found for)
  std::vector<ParkedInput> park;
  std::vector<std::int64_t> parked_done;  ///< parked inputs applied by this batch: deleted with it
  std::vector<std::int64_t> outbox_done;  ///< acknowledged outbox rows: deleted with it
};

/// A start that found its address taken.
struct StartConflict {
  SagaKey key = 0;  ///< the write's
  SagaRow existing;
};

struct CommitResult {
  /// Writes and fences that no longer hold (not the start conflicts). A start is lost if another saga has its
  /// key or if the saga in its way went at that moment: judge again under a new key.
  std::vector<SagaKey> lost;
  std::vector<StartConflict> conflicts;
  std::optional<std::int64_t> outbox_id;  ///< set if an outbox row was written
  std::vector<Message> messages;          ///< of the winners, in order, as in the outbox row
  Time now{};                             ///< the database's clock at the commit
};

/// Durable position of a partition, with the marks by which another log is told from ours.
struct Position {
  TopicPartition partition;
  std::int64_t next_offset = 0;
  std::int64_t last_offset = -1;  ///< of the last record applied
  Time last_timestamp{};
  std::uint32_t last_checksum = 0;  ///< CRC-32C over key and value
};

struct IncarnationInfo {
  Incarnation incarnation = 0;
  std::string host;
  std::string build;
};

struct DueSaga {
  SagaKey key = 0;
  SagaAddress address;
  std::int32_t revision = 0;
  Time wake_at{};
};

struct ClaimSpec {
  std::size_t maximum = 1000;
  std::size_t maximum_bytes = 1u << 30;   ///< of parked inputs: no more once so many were taken
  std::chrono::milliseconds lease{5000};  ///< nobody else claims them for this long
  Incarnation incarnation = 0;  ///< who claims: once it is dead its claims of sagas are void; 0: nobody
  std::vector<std::pair<std::string, std::int32_t>>
      revisions;                               ///< (definition, revision) this process has code for
  std::int32_t reply_partitions = 1;           ///< a saga's reply partition is row.route % this
  std::vector<std::int32_t> owned_partitions;  ///< the reply partitions this process owns
  std::chrono::milliseconds grace{5000};       ///< sagas of other owners only this long after their deadline
};

struct Claimed {
  std::vector<DueSaga> sagas;
  std::optional<Time> next_due;  ///< lower bound of the next deadline of anyone, if known
  Time now{};
};

struct ListFilter {
  std::string definition;  ///< empty: all
  std::optional<SagaStatus> status;
  bool open_only = false;
  std::size_t maximum = 50;
  bool oldest_first = false;         ///< by key, which begins with the time of the start
  std::optional<SagaKey> page_from;  ///< only what comes behind this key in that order
};

/// Of the whole database; never counts ended rows.
struct Gauges {
  struct Open {
    std::string definition;
    SagaStatus status;
    std::int64_t count;
    Time oldest;  ///< start of the oldest of them
  };
  std::vector<Open> open;
  struct Stuck {
    std::string definition;
    std::string step;  ///< empty: none
    std::string reason;
    std::int64_t count;
  };
  std::vector<Stuck> stuck;
  std::int64_t outbox_pending = 0;
  std::optional<Time> outbox_oldest;
  std::int64_t parked = 0;
  Time now{};
};

/// A saga that has ended and still has its history.
struct EndedSaga {
  SagaKey key = 0;
  std::int64_t sequence = 0;
  std::string first_events;  ///< of its first transition
};
struct EndedPage {
  std::vector<EndedSaga> sagas;
  SagaKey last = 0;   ///< where the next page goes on
  bool more = false;  ///< there may be something behind it
};
struct RemovedPage {
  std::size_t removed = 0;
  SagaKey last = 0;
  bool more = false;
};

/// Of which runs a load gives the history: of the last, from which a saga is replayed, or of all.
enum class Runs { kLast, kAll };

class Session {
 public:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::int64_t>::max();
  virtual ~Session() = default;

  /// One transaction. Errors: kUnknown: it may have committed: evict every saga of the batch, ask
  /// outbox_exists, judge again. kRetry / kUnavailable: nothing took effect. kInvalid: the database refuses
  /// the data for good: split the batch until the culprit is alone. After success the messages that are in the
  /// outbox row now may have moved from the batch to the answer; after an error the batch is as it was.
  virtual Result<CommitResult> commit(Batch& batch) = 0;
  Result<CommitResult> commit(Batch&& batch) { return commit(batch); }
  /// Sagas with their histories; unknown ones are missing from the answer. Order unspecified. Once histories of
  /// `maximum_bytes` are in it the other sagas come as left_out, with their row alone; one at least comes whole.
  virtual Result<std::vector<StoredSaga>> load(std::span<const SagaAddress> addresses,
                                               std::size_t maximum_bytes = kNoLimit,
                                               Runs runs = Runs::kLast) = 0;

  /// Sagas whose wake_at has passed by the database's clock, leased to this caller. Not those with inputs parked for
  /// want of code or by a pause: these came first.
  virtual Result<Claimed> claim_due(const ClaimSpec& spec) = 0;
  virtual Result<Time> now() = 0;

  virtual Result<Incarnation> register_incarnation(const std::string& host, const std::string& build) = 0;
  /// Extends the lease, also one that has expired meanwhile; false: it was buried, take a new incarnation.
  virtual Result<bool> heartbeat(Incarnation incarnation, std::chrono::milliseconds lease) = 0;
  virtual Result<void> retire_incarnation(Incarnation incarnation) = 0;
  /// Those whose lease expired this long ago are dead from now on, whatever they think themselves.
  virtual Result<void> bury_incarnations(std::chrono::milliseconds expired_for) = 0;
  /// Those neither retired nor buried.
  virtual Result<std::vector<IncarnationInfo>> live_incarnations() = 0;

  /// Was the outbox row of a batch in doubt written and not yet deleted?
  virtual Result<std::optional<OutboxRow>> outbox_row(std::int64_t outbox_id) = 0;
  /// Rows of incarnations whose lease has expired, moved to `incarnation` (SKIP LOCKED): the caller publishes them.
  /// At most `maximum`, and no more once their messages have `maximum_bytes` as stored.
  /// `own_too`: also those that are its own already, for a caller that does not know what it adopted before.
  virtual Result<std::vector<OutboxRow>> adopt_outbox(Incarnation incarnation, std::size_t maximum,
                                                      bool own_too = false,
                                                      std::size_t maximum_bytes = kNoLimit) = 0;
  virtual Result<void> delete_outbox(std::span<const std::int64_t> outbox_ids) = 0;

  /// Parked inputs that a process with these (definition, revision) may apply, oldest first, leased for
  /// `lease`.
  virtual Result<std::vector<ParkedInput>> claim_parked(const ClaimSpec& spec) = 0;

  /// Those of these sagas, the oldest of each first, whoever has claimed them.
  virtual Result<std::vector<ParkedInput>> parked_of(std::span<const SagaAddress> sagas,
                                                     std::size_t maximum) = 0;

  virtual Result<std::vector<Position>> positions(const std::string& cluster_id) = 0;
  /// Only forward: a position below the recorded one is ignored.
  virtual Result<void> save_positions(const std::string& cluster_id, std::span<const Position> positions) = 0;
  /// An operator's decision: overwrites, also backwards, and records who and why.
  virtual Result<void> accept_position(const std::string& cluster_id, const Position& position,
                                       const std::string& who, const std::string& why) = 0;

  /// Those in force.
  virtual Result<std::vector<Pause>> pauses() = 0;
  /// Both record who and why. False: it was so already.
  virtual Result<bool> pause(const Pause& pause) = 0;
  virtual Result<bool> resume(PauseKind kind, const std::string& name, const std::string& who,
                              const std::string& why) = 0;

  /// By name.
  virtual Result<std::vector<Schedule>> schedules() = 0;
  /// A new one, or in the place of the one of its name, which stays paused if it was and, with the same timing, goes on
  /// at its own next tick. Each change is recorded with who and why.
  virtual Result<void> put_schedule(const Schedule& schedule) = 0;
  /// False: there is none of that name, or it was so already.
  virtual Result<bool> change_schedule(const ScheduleChange& change) = 0;
  /// Schedules not paused of which a tick has come, or waits for a saga that has ended; leased to this caller.
  virtual Result<std::vector<DueSchedule>> claim_schedules(const ScheduleClaim& claim) = 0;
  /// False: somebody else wrote it since the claim; only last_saga_id may have changed.
  virtual Result<bool> advance_schedule(const ScheduleProgress& progress) = 0;

  virtual Result<std::vector<SagaRow>> list(const ListFilter& filter) = 0;

  /// `maximum` sagas with a history are looked at, by key, those between `behind` and `below`; of them those come that
  /// ended before `ended_before`.
  virtual Result<EndedPage> ended_with_history(Time ended_before, SagaKey behind, SagaKey below,
                                               std::size_t maximum) = 0;
  /// Removes the histories of those that have ended and still stand there; how many sagas' they were.
  virtual Result<std::size_t> remove_histories(std::span<const Fence> sagas) = 0;
  /// `maximum` sagas are looked at as above; those that ended before `ended_before` and have no history are removed:
  /// nothing is known of them any more.
  virtual Result<RemovedPage> remove_ended(Time ended_before, SagaKey behind, SagaKey below,
                                           std::size_t maximum) = 0;
  virtual Result<Gauges> gauges() = 0;
  /// True for the one caller that holds the named lease now (taken or extended by this call).
  virtual Result<bool> hold_lease(const std::string& name, Incarnation incarnation,
                                  std::chrono::milliseconds lease) = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  /// kUnavailable: not reached; kRefused: credentials, or a schema this binary does not fit.
  virtual Result<std::unique_ptr<Session>> open() = 0;
};

}  // namespace skald
