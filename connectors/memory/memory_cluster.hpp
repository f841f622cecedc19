// What the memory bus's consumers and producers share: logs, groups and planned faults behind one mutex. Internal
// to connectors/memory. Methods named *_locked are called with `mutex` held and call nobody back.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "memory/memory_bus.hpp"

namespace skald::memory {

struct Log {
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::deque<Record> records;  ///< ascending offsets in [start, end), gaps allowed
};

enum class MemberState {
  kMustJoin,  ///< a rebalance began: it has yet to give up what it owns
  kJoined,    ///< waits for the others
  kAssigned,  ///< its new assignment waits for its next poll
  kStable,
};

struct Member {
  std::vector<std::string> topics;
  MemberState state = MemberState::kMustJoin;
  std::vector<TopicPartition> assignment;
};

struct Group {
  std::map<std::uint64_t, Member> members;
  std::map<TopicPartition, std::int64_t> committed;
};

struct Answer {
  Delivery delivery = Delivery::kAcknowledged;
  std::string reason;
};

/// What one producer has accepted and not answered.
struct ProducerQueue {
  struct Entry {
    Message message;
    Producer::Callback callback;
  };
  std::deque<Entry> waiting;
  std::size_t unanswered = 0;  ///< waiting, or in its callback now
};

class MemoryCluster {
 public:
  explicit MemoryCluster(MemoryBusOptions options) : options(std::move(options)) {}

  /// Writes a message, or not, as limits and planned faults have it.
  Answer write_locked(const Message& message);
  [[nodiscard]] Log* log_locked(const TopicPartition& partition);
  [[nodiscard]] std::vector<TopicPartition> partitions_locked(const std::vector<std::string>& topics) const;

  void join_locked(const std::string& group, std::uint64_t member, const std::vector<std::string>& topics);
  void leave_locked(const std::string& group, std::uint64_t member);
  /// Gives out the partitions if every member has joined.
  void assign_if_complete_locked(Group& group);
  void topics_changed_locked(const std::set<std::string>& changed);

  std::mutex mutex;  ///< guards everything below
  std::condition_variable changed;
  MemoryBusOptions options;
  bool available = true;
  std::map<std::string, std::vector<Log>> topics;
  std::map<std::string, Group> groups;
  std::map<std::string, std::deque<ProduceFault>> planned_faults;
  std::map<std::string, std::string> refused_topics;
  std::set<std::shared_ptr<ProducerQueue>> queues;
  std::uint64_t next_id = 1;
  std::int64_t written = 0;

 private:
  void append_locked(Log& log, const Message& message, std::int32_t partition);
};

std::unique_ptr<Consumer> make_consumer(std::shared_ptr<MemoryCluster> cluster, const ConsumerSpec& spec,
                                        RebalanceListener& listener);
/// The member id of a consumer made above.
std::uint64_t member_of(const Consumer& consumer);
const std::string& group_of(const Consumer& consumer);
std::unique_ptr<Producer> make_producer(std::shared_ptr<MemoryCluster> cluster);
/// Answers what a producer has queued: with `forced`, else by writing it while the cluster is available.
void answer_queued(MemoryCluster& cluster, ProducerQueue& queue, const std::optional<Answer>& forced);

Error unavailable();
/// The same for a question that waited for its answer.
Error unanswered(const MemoryCluster& cluster, std::chrono::milliseconds timeout);

}  // namespace skald::memory
