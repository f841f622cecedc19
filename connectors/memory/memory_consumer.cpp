// The memory bus's consumer: takes part in its group's eager rebalances and reads its partitions in turn.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "memory/memory_cluster.hpp"

namespace skald::memory {
namespace {

struct Reading {
  std::int64_t next = 0;
  bool started = false;  ///< false: left out by the listener and not sought since
  bool paused = true;
  bool failed = false;
};

class MemoryConsumer final : public Consumer {
 public:
  MemoryConsumer(std::shared_ptr<MemoryCluster> cluster, ConsumerSpec spec, RebalanceListener& listener)
      : cluster_(std::move(cluster)), spec_(std::move(spec)), listener_(listener) {
    const std::lock_guard lock(cluster_->mutex);
    member_ = cluster_->next_id++;
    if (!spec_.assign_all) cluster_->join_locked(spec_.group, member_, spec_.topics);
  }

  ~MemoryConsumer() override {
    const std::lock_guard lock(cluster_->mutex);
    if (!spec_.assign_all) cluster_->leave_locked(spec_.group, member_);
  }

  Result<std::vector<Record>> poll(std::size_t maximum, std::chrono::milliseconds timeout) override {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    std::unique_lock lock(cluster_->mutex);
    while (true) {
      if (!cluster_->available) {
        if (cluster_->changed.wait_until(lock, deadline, [&] { return cluster_->available; })) continue;
        return unavailable();
      }
      take_part(lock);
      report_failures(lock);
      auto records = read_locked(maximum);
      if (!records.empty() || maximum == 0) return records;
      if (std::chrono::steady_clock::now() >= deadline) return records;
      cluster_->changed.wait_until(lock, deadline);
    }
  }

  void pause(std::span<const TopicPartition> partitions) override { set_paused(partitions, true); }
  void resume(std::span<const TopicPartition> partitions) override { set_paused(partitions, false); }

  void seek(const PartitionOffset& position) override {
    const std::lock_guard lock(cluster_->mutex);
    if (const auto reading = readings_.find(position.partition); reading != readings_.end())
      start_locked(position.partition, reading->second, position.offset);
  }

  void commit(std::span<const PartitionOffset> positions) override {
    const std::lock_guard lock(cluster_->mutex);
    if (spec_.group.empty()) return;
    auto& group = cluster_->groups[spec_.group];
    const bool member = spec_.assign_all || group.members.contains(member_);
    if (!member || !cluster_->available) return;
    for (const auto& position : positions) group.committed[position.partition] = position.offset;
  }

  Result<LogRange> log_range(const TopicPartition& partition, std::chrono::milliseconds timeout) override {
    const std::lock_guard lock(cluster_->mutex);
    if (!cluster_->available) return unanswered(*cluster_, timeout);
    const auto* log = cluster_->log_locked(partition);
    if (log == nullptr)
      return Error{
          ErrorKind::kRefused, "SKALD-205",
          "no partition " + std::to_string(partition.partition) + " of topic '" + partition.topic + "'"};
    return LogRange{log->start, log->end};
  }

  Result<std::vector<std::optional<std::int64_t>>> log_ends(std::span<const TopicPartition> partitions,
                                                            std::chrono::milliseconds timeout) override {
    return offset_of_each(partitions, timeout, [](const Log& log) { return log.end; });
  }

  Result<std::vector<std::optional<std::int64_t>>> offsets_at(std::span<const TopicPartition> partitions,
                                                              Time time,
                                                              std::chrono::milliseconds timeout) override {
    return offset_of_each(partitions, timeout, [time](const Log& log) {
      const auto first = std::find_if(log.records.begin(), log.records.end(),
                                      [time](const Record& record) { return record.timestamp >= time; });
      return first == log.records.end() ? log.end : first->offset;
    });
  }

  [[nodiscard]] std::optional<std::int64_t> cached_end(const TopicPartition& partition) const override {
    const std::lock_guard lock(cluster_->mutex);
    const auto known = known_ends_.find(partition);
    if (known == known_ends_.end()) return std::nullopt;
    return known->second;
  }

  [[nodiscard]] std::uint64_t member() const { return member_; }
  [[nodiscard]] const std::string& group() const { return spec_.group; }

 private:
  using Lock = std::unique_lock<std::mutex>;

  template <class OffsetOf>
  Result<std::vector<std::optional<std::int64_t>>> offset_of_each(std::span<const TopicPartition> partitions,
                                                                  std::chrono::milliseconds timeout,
                                                                  OffsetOf offset_of) {
    const std::lock_guard lock(cluster_->mutex);
    if (!cluster_->available) return unanswered(*cluster_, timeout);
    std::vector<std::optional<std::int64_t>> offsets;
    offsets.reserve(partitions.size());
    for (const TopicPartition& partition : partitions) {
      const auto* log = cluster_->log_locked(partition);
      offsets.push_back(log == nullptr ? std::nullopt : std::optional(offset_of(*log)));
    }
    return offsets;
  }

  // --- the group ---

  void take_part(Lock& lock) {
    if (spec_.assign_all) return follow_topics(lock);
    while (true) {
      auto& group = cluster_->groups[spec_.group];
      const auto self = group.members.find(member_);
      if (self == group.members.end()) {  // put out while silent
        cluster_->join_locked(spec_.group, member_, spec_.topics);
      } else if (self->second.state == MemberState::kMustJoin && owns_) {
        revoke(lock);
      } else if (self->second.state == MemberState::kMustJoin) {
        self->second.state = MemberState::kJoined;
        cluster_->assign_if_complete_locked(group);
      } else if (self->second.state == MemberState::kAssigned) {
        self->second.state = MemberState::kStable;
        assign(lock, self->second.assignment);
      } else {
        return;
      }
    }
  }

  void follow_topics(Lock& lock) {
    const auto partitions = cluster_->partitions_locked(spec_.topics);
    if (owns_ && partitions.size() <= readings_.size()) return;
    if (owns_) revoke(lock);
    assign(lock, partitions);
  }

  void revoke(Lock& lock) {
    std::vector<TopicPartition> owned;
    owned.reserve(readings_.size());
    for (const auto& [partition, reading] : readings_) owned.push_back(partition);
    readings_.clear();
    known_ends_.clear();
    owns_ = false;
    if (owned.empty()) return;
    lock.unlock();
    listener_.revoked(owned);
    lock.lock();
  }

  void assign(Lock& lock, const std::vector<TopicPartition>& assignment) {
    // The group may change while the listener is called, and with it what `assignment` refers to.
    const auto partitions = assignment;  // NOLINT(performance-unnecessary-copy-initialization)
    lock.unlock();
    const auto starts = listener_.assigned(partitions);
    lock.lock();
    owns_ = true;
    for (const auto& partition : partitions) readings_[partition] = Reading{};
    for (const auto& start : starts)
      if (const auto reading = readings_.find(start.partition); reading != readings_.end())
        start_assigned_locked(start, reading->second);
  }

  // --- reading ---

  void start_locked(const TopicPartition& partition, Reading& reading, std::int64_t offset) {
    const auto* log = cluster_->log_locked(partition);
    const bool from_beginning = offset == PartitionOffset::kBeginning;
    reading.next = from_beginning && log != nullptr ? log->start : std::max<std::int64_t>(offset, 0);
    reading.started = true;
    reading.failed = false;
  }

  void start_assigned_locked(const PartitionOffset& start, Reading& reading) {
    start_locked(start.partition, reading, start.offset);
    reading.paused = false;
  }

  void set_paused(std::span<const TopicPartition> partitions, bool paused) {
    const std::lock_guard lock(cluster_->mutex);
    for (const auto& partition : partitions)
      if (const auto reading = readings_.find(partition); reading != readings_.end())
        reading->second.paused = paused;
  }

  void report_failures(Lock& lock) {
    std::vector<std::pair<TopicPartition, std::string>> failures;
    for (auto& [partition, reading] : readings_) {
      if (!reading.started || reading.paused || reading.failed) continue;
      const auto* log = cluster_->log_locked(partition);
      std::string reason;
      if (log == nullptr)
        reason = "the topic is gone";
      else if (reading.next < log->start || reading.next > log->end)
        reason = "offset " + std::to_string(reading.next) + " is out of range: the log holds " +
                 std::to_string(log->start) + " to " + std::to_string(log->end);
      if (reason.empty()) continue;
      reading.failed = true;
      failures.emplace_back(partition, std::move(reason));
    }
    if (failures.empty()) return;
    lock.unlock();
    for (const auto& [partition, reason] : failures) listener_.failed(partition, reason);
    lock.lock();
  }

  std::vector<Record> read_locked(std::size_t maximum) {
    std::vector<Record> records;
    std::vector<TopicPartition> order;
    for (const auto& [partition, reading] : readings_)
      if (reading.started && !reading.paused && !reading.failed) order.push_back(partition);
    if (order.empty()) return records;
    // Each poll begins with the next partition, so that a full one does not starve the others.
    std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(turn_++ % order.size()),
                order.end());
    for (const auto& partition : order) {
      const auto* log = cluster_->log_locked(partition);
      if (log == nullptr) continue;
      known_ends_[partition] = log->end;
      auto& reading = readings_[partition];
      auto next =
          std::lower_bound(log->records.begin(), log->records.end(), reading.next,
                           [](const Record& record, std::int64_t offset) { return record.offset < offset; });
      for (; next != log->records.end() && records.size() < maximum; ++next) {
        records.push_back(*next);
        reading.next = next->offset + 1;
      }
    }
    return records;
  }

  std::shared_ptr<MemoryCluster> cluster_;
  const ConsumerSpec spec_;
  RebalanceListener& listener_;
  std::uint64_t member_ = 0;
  bool owns_ = false;  ///< assigned(), even of nothing, was the last word to the listener
  std::size_t turn_ = 0;
  std::map<TopicPartition, Reading> readings_;
  std::map<TopicPartition, std::int64_t> known_ends_;
};

}  // namespace

std::unique_ptr<Consumer> make_consumer(std::shared_ptr<MemoryCluster> cluster, const ConsumerSpec& spec,
                                        RebalanceListener& listener) {
  return std::make_unique<MemoryConsumer>(std::move(cluster), spec, listener);
}

std::uint64_t member_of(const Consumer& consumer) {
  return dynamic_cast<const MemoryConsumer&>(consumer).member();
}

const std::string& group_of(const Consumer& consumer) {
  return dynamic_cast<const MemoryConsumer&>(consumer).group();
}

}  // namespace skald::memory
