// Settings of the runtime: every bound, interval and grace, with its default. Read from the configuration by
// the composition root; immutable once the Runtime is built.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace skald::runtime {

struct Settings {
  // --- lanes ---
  /// Threads that judge and commit, each with a database connection.
  std::size_t lanes = 4;
  /// Inputs in one transaction, at most. There is no linger: a lane takes what is there.
  std::size_t maximum_batch = 500;
  /// Bytes of inputs in one transaction, about.
  std::size_t maximum_batch_bytes = 4u << 20;
  /// Memory of all lanes' cached sagas together.
  std::size_t cache_bytes = 256u << 20;
  /// A saga that only time can move, and not before this has passed, leaves the cache at once; one that sleeps for less
  /// is cheaper to keep (5 KB) than to load and to replay.
  std::chrono::milliseconds cache_sleep{5'000};

  // --- back-pressure: above a high mark trigger partitions pause, below the low mark (half, if there is none) they
  // resume; above a harder one, twice as high if it has no name, reply partitions pause too. Bytes are what things
  // occupy in memory (ports/footprint.hpp); docs/memory.md adds them up ---
  /// Trigger inputs waiting in one lane.
  std::size_t queue_high = 4'000;
  std::size_t queue_low = 1'000;
  /// Replies and other urgent inputs waiting in one lane: beyond it the reply partitions pause too.
  std::size_t queue_urgent_high = 20'000;
  /// Bytes of inputs in one lane, waiting or being judged.
  std::size_t queue_bytes_high = 16u << 20;
  /// Messages committed and not yet acknowledged by Kafka.
  std::size_t outbox_high = 50'000;
  std::size_t outbox_low = 10'000;
  /// Their bytes, the Kafka client's copies included. At twice this the lanes wait as well.
  std::size_t outbox_bytes_high = 64u << 20;
  /// Attempts of local steps waiting or running.
  std::size_t local_high = 10'000;
  /// Bytes of their inputs.
  std::size_t local_bytes_high = 16u << 20;
  /// Records read that are not applied, or behind one that is not.
  std::size_t open_records_high = 200'000;

  // --- ingress ---
  std::size_t maximum_poll = 500;  ///< records taken from the client at once
  std::chrono::milliseconds poll_timeout{100};
  std::chrono::milliseconds save_positions_interval{200};
  /// How long one question to the broker (log range, cluster id) may take.
  std::chrono::milliseconds broker_timeout{5'000};
  /// How often stopped partitions are looked at again: has an operator accepted a position?
  std::chrono::milliseconds stopped_recheck{3'000};
  std::string consumer_group = "skald";
  /// Assign all partitions and join no group: a single process, `dev` and tests.
  bool assign_all_partitions = false;

  // --- time ---
  std::chrono::milliseconds heartbeat_interval{3'000};
  /// A process whose heartbeat is older is dead to the others.
  std::chrono::milliseconds incarnation_lease{15'000};
  std::chrono::milliseconds claim_interval{200};  ///< at most this between two looks for due sagas
  std::size_t maximum_claim = 5'000;
  /// A claimed saga is nobody else's for this long.
  std::chrono::milliseconds claim_lease{30'000};
  /// Due sagas whose reply partition another process owns are left to it for this long.
  std::chrono::milliseconds foreign_grace{15'000};
  /// A deadline is judged after the replies that were in Kafka when it fell due; without any progress there
  /// for this long it is judged all the same.
  std::chrono::milliseconds reply_wait{10'000};
  /// The same where another process reads the replies: it may be dead, and nobody reads them before the group knows.
  /// Longer than Kafka's session timeout.
  std::chrono::milliseconds foreign_reply_wait{60'000};
  std::chrono::milliseconds parked_interval{500};  ///< between two looks for parked inputs
  std::chrono::milliseconds parked_lease{5'000};
  /// An input for a saga that does not exist becomes a dead letter after this.
  std::chrono::milliseconds parked_saga_absent_after{600'000};
  /// A saga whose history another build wrote and that does not fit this one's code becomes stuck when no
  /// process could take its input for this long.
  std::chrono::milliseconds parked_divergence_after{600'000};
  std::chrono::milliseconds adopt_interval{2'000};  ///< between two looks for outbox rows of the dead
  std::chrono::milliseconds gauges_interval{15'000};
  std::chrono::milliseconds schedules_interval{1'000};  ///< between two looks for ticks that have come
  std::size_t schedule_starts = 100;                    ///< sagas that ticks start at once, at most
  std::chrono::milliseconds pauses_interval{1'000};     ///< a pause is heeded within this

  /// A saga whose history grows beyond either is told of, once.
  std::size_t history_warning_transitions = 10'000;
  std::size_t history_warning_bytes = 16u << 20;

  // --- outbox ---
  /// Acknowledged rows wait this long for a lane's transaction to take them along.
  std::chrono::milliseconds outbox_delete_after{50};

  // --- retention ---
  /// A saga that ended so long ago loses its history, later its row, by which a start that comes again is told; none:
  /// they are kept.
  std::optional<std::chrono::milliseconds> history_retention, saga_retention;
  std::chrono::milliseconds retention_interval{60'000};  ///< between two passes

  // --- failures ---
  std::chrono::milliseconds backoff_initial{50};
  std::chrono::milliseconds backoff_maximum{5'000};
  /// After a commit of unknown outcome its transaction may still be at work in the database: how long its
  /// traces are looked for, and how often.
  std::chrono::milliseconds doubt_period{120'000};
  std::chrono::milliseconds doubt_interval{1'000};

  // --- local steps ---
  std::size_t local_threads = 8;
  /// A local step that runs on this long after its deadline ends the process; none: it only alerts.
  std::optional<std::chrono::milliseconds> local_overrun_exit;

  // --- the process ---
  std::string host;                                  ///< for the incarnation row
  std::chrono::milliseconds shutdown_grace{20'000};  ///< for draining after SIGTERM
  /// A lane that made no progress for this long, though not waiting for the store, is not alive.
  std::chrono::milliseconds liveness_limit{30'000};
};

}  // namespace skald::runtime
