// The bus inside one process: topics, partitions and consumer groups with the semantics Kafka has, for unit tests,
// the simulator and the test kit. One MemoryBus is one cluster; several consumers and producers play several
// processes. It has no threads and no clock of its own: everything happens inside the calls of its users, so a run
// on one thread is deterministic. All of it is thread-safe (a Consumer, as the port says, by its own thread only);
// listeners and delivery callbacks are called without a lock held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "ports/bus.hpp"
#include "ports/clock.hpp"

namespace skald::memory {

/// When a produced message is written and answered.
enum class Answering {
  kInProduce,  ///< inside produce()
  kInFlush,    ///< inside flush(); before that it is on no topic
};

/// What becomes of one produced message.
enum class ProduceFault {
  kUnknownWritten,  ///< answered kUnknown, and it is on the topic
  kUnknownLost,     ///< answered kUnknown, and it is not
  kRefused,         ///< answered kRefused
  kTwice,           ///< acknowledged, and it is on the topic twice
  kQueueFull,       ///< produce() itself answers kUnavailable
};

struct MemoryBusOptions {
  std::string cluster_id = "memory";
  Answering answering = Answering::kInProduce;
  std::size_t queued_messages_limit = 100'000;    ///< of one producer
  std::size_t message_bytes_limit = 1'000'000;    ///< key, value and headers together
  std::size_t partition_records_limit = 1 << 20;  ///< beyond it the oldest go, as retention does it
  /// Gives the records their timestamps; without one the n-th record of the bus has n milliseconds.
  const Clock* clock = nullptr;
  /// Called with the timeout of each question that an absent cluster leaves unanswered: a virtual clock moves on by it.
  std::function<void(std::chrono::milliseconds)> spend{};
};

class MemoryCluster;

class MemoryBus final : public Bus {
 public:
  explicit MemoryBus(MemoryBusOptions options = {});
  ~MemoryBus() override;

  // A consumer or producer outlives its bus safely: they share the cluster.
  Result<std::unique_ptr<Consumer>> consumer(const ConsumerSpec& spec, RebalanceListener& listener) override;
  Result<std::unique_ptr<Producer>> producer() override;
  Result<std::string> cluster_id(std::chrono::milliseconds timeout) override;
  Result<std::map<std::string, std::int32_t>> partition_counts(std::span<const std::string> topics,
                                                               std::chrono::milliseconds timeout) override;
  Result<void> create_topics(std::span<const std::string> topics, std::int32_t partitions) override;

  // --- what a test does to the cluster ---

  /// The next `count` messages produced to `topic` meet this fault.
  void fail_next(const std::string& topic, ProduceFault fault, std::size_t count = 1);
  /// Every message to `topic` is refused for this reason, until allow().
  void refuse(const std::string& topic, const std::string& reason);
  void allow(const std::string& topic);
  /// Takes the cluster away: polls and questions answer kUnavailable, produced messages stay queued. Bringing it
  /// back answers what is queued, on this thread, unless answering is kInFlush.
  void set_available(bool available);
  /// Answers everything queued while the cluster was away with kUnknown, as a delivery timeout does.
  void time_out_queued();
  /// create_topics() makes it anew, with offsets from zero.
  void delete_topic(const std::string& topic);
  /// Adds partitions until there are `total`; groups rebalance.
  void add_partitions(const std::string& topic, std::int32_t total);
  /// Retention: records below `offset` go.
  void remove_before(const TopicPartition& partition, std::int64_t offset);
  /// An unclean leader election: records from `offset` on go and their offsets are given again.
  void remove_from(const TopicPartition& partition, std::int64_t offset);
  /// Leaves a gap in the offsets, as transaction markers and compaction do.
  void skip_offsets(const TopicPartition& partition, std::int64_t count);
  void set_cluster_id(const std::string& cluster_id);
  /// The session timeout of members that have not answered the pending rebalance of `group`: they are put out
  /// and join again at their next poll.
  void expire_silent_members(const std::string& group);
  /// The session timeout of one member, silent or not: a zombie until it polls.
  void expire_member(const Consumer& consumer);

  // --- what a test looks at ---

  /// Everything a partition holds now, or a topic, in partition order.
  [[nodiscard]] std::vector<Record> records(const TopicPartition& partition) const;
  [[nodiscard]] std::vector<Record> records(const std::string& topic) const;
  /// The offsets a group has committed.
  [[nodiscard]] std::map<TopicPartition, std::int64_t> committed(const std::string& group) const;

 private:
  std::shared_ptr<MemoryCluster> cluster_;
};

}  // namespace skald::memory
