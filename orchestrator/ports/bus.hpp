// Bus: the port to Kafka. connectors/kafka implements it on librdkafka, connectors/memory in the process; the
// same contract tests run on both. Delivery is at-least-once; the position that counts is kept by the Store,
// an offset committed here is only a hint for lag monitors.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ports/message.hpp"
#include "skald/record.hpp"
#include "skald/result.hpp"

namespace skald {

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  auto operator<=>(const TopicPartition&) const = default;
};

struct PartitionOffset {
  TopicPartition partition;
  std::int64_t offset = 0;  ///< the next offset to read
  static constexpr std::int64_t kBeginning = -2;
};

/// What a partition's log holds now: offsets in [start, end).
struct LogRange {
  std::int64_t start = 0;
  std::int64_t end = 0;
};

/// Called inside Consumer::poll, on the polling thread.
class RebalanceListener {
 public:
  virtual ~RebalanceListener() = default;
  /// The partitions this member now owns (eager: the whole set); answers where to start reading each. A
  /// partition left out of the answer is assigned but paused, without a position: seek and resume begin it.
  virtual std::vector<PartitionOffset> assigned(const std::vector<TopicPartition>& partitions) = 0;
  /// These are owned no more. Records of theirs already polled may still be worked on: the fence decides.
  virtual void revoked(const std::vector<TopicPartition>& partitions) = 0;
  /// Reading this partition stopped and stays stopped until it is assigned anew or sought: its offset is out of
  /// range, the topic is gone, its bytes make no sense. Told once per cause; `partition` is -1 for a topic as a whole.
  virtual void failed(const TopicPartition& partition, const std::string& reason) {
    static_cast<void>(partition);
    static_cast<void>(reason);
  }
};

/// One group member, used by one thread (commit, pause and resume included). Its destructor leaves the group
/// without calling the listener.
class Consumer {
 public:
  virtual ~Consumer() = default;
  /// Up to `maximum` (at least 1) records, waiting at most `timeout` for the first. kUnavailable: the cluster is away
  /// (keep polling; the client reconnects or was rebuilt). kRefused: reading is not
  /// authorised now (keep polling: it goes on once it is). Never throws, never drops a record.
  virtual Result<std::vector<Record>> poll(std::size_t maximum, std::chrono::milliseconds timeout) = 0;
  virtual void pause(std::span<const TopicPartition> partitions) = 0;
  virtual void resume(std::span<const TopicPartition> partitions) = 0;
  virtual void seek(const PartitionOffset& position) = 0;
  /// Asynchronous, a hint; failures are ignored.
  virtual void commit(std::span<const PartitionOffset> positions) = 0;
  /// Asks the broker; blocks up to `timeout`.
  virtual Result<LogRange> log_range(const TopicPartition& partition, std::chrono::milliseconds timeout) = 0;
  /// The ends of several partitions' logs, asked for together, in the order of `partitions`; nullopt where the broker
  /// gave an error for that one. Blocks up to `timeout`.
  virtual Result<std::vector<std::optional<std::int64_t>>> log_ends(
      std::span<const TopicPartition> partitions, std::chrono::milliseconds timeout) = 0;
  /// Of several partitions' logs the first offset whose record is of this time or later, the log's end if there is none;
  /// otherwise as log_ends.
  virtual Result<std::vector<std::optional<std::int64_t>>> offsets_at(
      std::span<const TopicPartition> partitions, Time time, std::chrono::milliseconds timeout) = 0;
  /// The end of the log as of the last fetch, without asking; nullopt before the first fetch.
  [[nodiscard]] virtual std::optional<std::int64_t> cached_end(const TopicPartition& partition) const = 0;
};

enum class Delivery {
  kAcknowledged,  ///< durable on all in-sync replicas
  kRefused,       ///< Kafka will never take it: too large, not authorised, topic unknown
  kUnknown,       ///< gave up without an answer: it may be on the topic; publish again under the same id
};

/// Idempotent, acks=all, ordered by key. Thread-safe. Its destructor answers what is outstanding with kUnknown.
class Producer {
 public:
  virtual ~Producer() = default;
  /// Called once for each accepted message, on the producer's own thread; must not block. `reason` names the
  /// cause of anything but an acknowledgement.
  using Callback = std::function<void(Delivery delivery, const std::string& reason)>;
  /// Queues one message. kUnavailable when the local queue (configured bound) is full: try again later, the
  /// callback will not be called.
  virtual Result<void> produce(const Message& message, Callback callback) = 0;
  /// Waits until everything queued was answered, at most `timeout`; false if not.
  virtual bool flush(std::chrono::milliseconds timeout) = 0;
};

struct ConsumerSpec {
  std::vector<std::string> topics;
  std::string group;
  /// Assign all partitions of `topics` directly and join no group (single process: `dev`, tests).
  bool assign_all = false;
};

class Bus {
 public:
  virtual ~Bus() = default;
  /// kRefused: wrong credentials or configuration; kUnavailable: not reached now.
  virtual Result<std::unique_ptr<Consumer>> consumer(const ConsumerSpec& spec,
                                                     RebalanceListener& listener) = 0;
  virtual Result<std::unique_ptr<Producer>> producer() = 0;
  /// Identifies the cluster: recorded positions are keyed by it.
  virtual Result<std::string> cluster_id(std::chrono::milliseconds timeout) = 0;
  /// Partition counts of these topics; a topic that does not exist is left out.
  virtual Result<std::map<std::string, std::int32_t>> partition_counts(std::span<const std::string> topics,
                                                                       std::chrono::milliseconds timeout) = 0;
  /// Creates those that do not exist (used by `dev`, the demo and tests; `serve` only if configured).
  virtual Result<void> create_topics(std::span<const std::string> topics, std::int32_t partitions) = 0;
};

}  // namespace skald
