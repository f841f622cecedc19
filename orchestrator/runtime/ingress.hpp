// Ingress: owns the consumer: polls, decodes, hands the works to the lanes, records how far each partition is
// applied (first in the store, then as a hint in Kafka), and pauses partitions when the lanes or the outbox
// are full, and those that could only start sagas of paused definitions. A partition whose log is not the one read before is stopped, alone and visibly. One thread calls
// run_once and finish; stopped(), recheck() and the flags are for any thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "runtime/decoder.hpp"
#include "runtime/partition_guard.hpp"
#include "runtime/pauses.hpp"
#include "runtime/position_tracker.hpp"
#include "runtime/reply_progress.hpp"
#include "runtime/store_link.hpp"

namespace skald::runtime {

/// The fullest of each: what back-pressure goes by.
struct Pressure {
  std::size_t starts = 0;
  std::size_t urgent = 0;
  std::size_t bytes = 0;
  std::size_t outbox = 0;
  std::size_t outbox_bytes = 0;
  std::size_t local = 0;
  std::size_t local_bytes = 0;
};

/// A partition nobody reads until an operator decides (or its cause goes away).
struct StoppedPartition {
  TopicPartition partition;
  std::string reason;
  std::optional<Position> position;
};

class Ingress final : private RebalanceListener {
 public:
  struct Parts {
    Seams seams;
    const Settings& settings;
    const Decoder& decoder;
    PositionTracker& tracker;
    ReplyProgress& progress;
    LaneRouter& router;
    const Pauses& pauses;
    std::function<Pressure()> pressure;
  };
  explicit Ingress(Parts parts);
  ~Ingress() override;

  /// One round. False: nothing to do, or Kafka is away; wait a little before the next.
  bool run_once(std::chrono::milliseconds timeout);
  /// Records the last positions and leaves the group.
  void finish();

  [[nodiscard]] std::vector<StoppedPartition> stopped() const;
  /// Look at the stopped partitions now: a position was accepted.
  void recheck() { recheck_.store(true); }
  [[nodiscard]] bool reached() const noexcept { return reached_.load(); }
  /// When the last round ended: one that does not end reads nothing, whatever it last knew of Kafka.
  [[nodiscard]] std::chrono::nanoseconds progressed_at() const noexcept { return progressed_at_.load(); }
  [[nodiscard]] bool waits_for_store() const noexcept { return link_.away(); }

 private:
  enum class State { kUnplaced, kVerifying, kReading, kStopped };
  struct Partition {
    State state = State::kUnplaced;
    std::optional<Position> position;
    std::string reason;
    bool retry = false;                    ///< stopped by the client: try again by ourselves
    std::chrono::nanoseconds asked_at{0};  ///< the broker, for its range
    std::int64_t next = -1;                ///< offset where reading began; -1: not yet
  };

  std::vector<PartitionOffset> assigned(const std::vector<TopicPartition>& partitions) override;
  void revoked(const std::vector<TopicPartition>& partitions) override;
  void failed(const TopicPartition& partition, const std::string& reason) override;

  bool ensure_consumer();
  bool read_once(std::chrono::milliseconds timeout);
  void count_partitions();
  void tell_partitions(const std::map<std::string, std::int32_t>& counts);
  void tell_assigned();
  void tell_lag();
  void bus_failed(const Error& error);
  void bus_works();
  std::optional<std::vector<Position>> load_positions();
  /// Where to start; nullopt: stopped, or the broker did not answer within what is left of this round's time.
  std::optional<std::int64_t> place_partition(const TopicPartition& partition, Partition& state,
                                              const std::vector<Position>& positions);
  void stop_partition(const TopicPartition& partition, Partition& state, std::string reason, bool retry);
  void place_waiting();
  void answer_ends();
  /// Of one question of several: a partition without a leader leaves it unanswered, and there are others.
  [[nodiscard]] std::chrono::milliseconds question_timeout() const {
    return std::min(parts_.settings.broker_timeout, std::chrono::milliseconds{1'000});
  }
  void take(std::vector<Record> records);
  bool accept_first(const Record& record, Partition& state);
  void save_positions();
  void apply_pressure();
  void publish_stopped();
  [[nodiscard]] bool is_reply(const TopicPartition& partition) const {
    return partition.topic == parts_.decoder.reply_topic();
  }

  const Parts parts_;
  StoreLink link_;
  Backoff backoff_;
  std::string cluster_id_;
  std::unique_ptr<Consumer> consumer_;
  std::map<TopicPartition, Partition> partitions_;
  std::set<TopicPartition> paused_;
  bool starts_paused_ = false;
  bool replies_paused_ = false;
  bool recount_ = false;  ///< the partitions of the topics
  std::chrono::nanoseconds connect_at_{0};
  std::chrono::nanoseconds save_at_{0};
  std::chrono::nanoseconds place_at_{0};
  std::chrono::nanoseconds ends_at_{0};
  std::chrono::nanoseconds lag_at_{0};
  std::chrono::nanoseconds paused_ends_at_{0};
  std::map<TopicPartition, std::int64_t> paused_ends_;  ///< of partitions nobody fetches
  std::chrono::nanoseconds answering_until_{0};
  std::chrono::nanoseconds questions_until_{
      0};  ///< an absent broker costs one timeout a round, not one a partition
  std::atomic<bool> recheck_{false};
  std::atomic<bool> reached_{false};
  std::atomic<std::chrono::nanoseconds> progressed_at_{std::chrono::nanoseconds{0}};
  mutable std::mutex stopped_mutex_;  ///< guards stopped_
  std::vector<StoppedPartition> stopped_;
};

}  // namespace skald::runtime
