// The memory bus as its users and its tests see it.
#include "memory/memory_bus.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "memory/memory_cluster.hpp"

namespace skald::memory {

MemoryBus::MemoryBus(MemoryBusOptions options)
    : cluster_(std::make_shared<MemoryCluster>(std::move(options))) {}

MemoryBus::~MemoryBus() = default;

Result<std::unique_ptr<Consumer>> MemoryBus::consumer(const ConsumerSpec& spec, RebalanceListener& listener) {
  if (spec.group.empty() && !spec.assign_all)
    return Error{ErrorKind::kRefused, "SKALD-202", "a consumer needs a group"};
  return make_consumer(cluster_, spec, listener);
}

Result<std::unique_ptr<Producer>> MemoryBus::producer() { return make_producer(cluster_); }

Result<std::string> MemoryBus::cluster_id(std::chrono::milliseconds timeout) {
  const std::lock_guard lock(cluster_->mutex);
  if (!cluster_->available) return unanswered(*cluster_, timeout);
  return cluster_->options.cluster_id;
}

Result<std::map<std::string, std::int32_t>> MemoryBus::partition_counts(std::span<const std::string> topics,
                                                                        std::chrono::milliseconds timeout) {
  const std::lock_guard lock(cluster_->mutex);
  if (!cluster_->available) return unanswered(*cluster_, timeout);
  std::map<std::string, std::int32_t> counts;
  for (const auto& topic : topics)
    if (const auto known = cluster_->topics.find(topic); known != cluster_->topics.end())
      counts[topic] = static_cast<std::int32_t>(known->second.size());
  return counts;
}

Result<void> MemoryBus::create_topics(std::span<const std::string> topics, std::int32_t partitions) {
  if (partitions < 1) return Error{ErrorKind::kRefused, "SKALD-202", "a topic needs at least one partition"};
  const std::lock_guard lock(cluster_->mutex);
  if (!cluster_->available) return unavailable();
  std::set<std::string> created;
  for (const auto& topic : topics) {
    if (cluster_->topics.contains(topic)) continue;
    cluster_->topics[topic].resize(static_cast<std::size_t>(partitions));
    created.insert(topic);
  }
  if (!created.empty()) cluster_->topics_changed_locked(created);
  return {};
}

void MemoryBus::fail_next(const std::string& topic, ProduceFault fault, std::size_t count) {
  const std::lock_guard lock(cluster_->mutex);
  for (; count > 0; --count) cluster_->planned_faults[topic].push_back(fault);
}

void MemoryBus::refuse(const std::string& topic, const std::string& reason) {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->refused_topics[topic] = reason;
}

void MemoryBus::allow(const std::string& topic) {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->refused_topics.erase(topic);
}

void MemoryBus::set_available(bool available) {
  std::vector<std::shared_ptr<ProducerQueue>> queues;
  {
    const std::lock_guard lock(cluster_->mutex);
    cluster_->available = available;
    cluster_->changed.notify_all();
    if (available && cluster_->options.answering == Answering::kInProduce)
      queues.assign(cluster_->queues.begin(), cluster_->queues.end());
  }
  for (const auto& queue : queues) answer_queued(*cluster_, *queue, std::nullopt);
}

void MemoryBus::time_out_queued() {
  std::vector<std::shared_ptr<ProducerQueue>> queues;
  {
    const std::lock_guard lock(cluster_->mutex);
    queues.assign(cluster_->queues.begin(), cluster_->queues.end());
  }
  for (const auto& queue : queues)
    answer_queued(*cluster_, *queue, Answer{Delivery::kUnknown, "timed out in the queue"});
}

void MemoryBus::delete_topic(const std::string& topic) {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->topics.erase(topic);
  cluster_->changed.notify_all();
}

void MemoryBus::add_partitions(const std::string& topic, std::int32_t total) {
  const std::lock_guard lock(cluster_->mutex);
  const auto known = cluster_->topics.find(topic);
  if (known == cluster_->topics.end() || total <= static_cast<std::int32_t>(known->second.size())) return;
  known->second.resize(static_cast<std::size_t>(total));
  cluster_->topics_changed_locked({topic});
}

void MemoryBus::remove_before(const TopicPartition& partition, std::int64_t offset) {
  const std::lock_guard lock(cluster_->mutex);
  auto* log = cluster_->log_locked(partition);
  if (log == nullptr) return;
  log->start = std::clamp(offset, log->start, log->end);
  while (!log->records.empty() && log->records.front().offset < log->start) log->records.pop_front();
  cluster_->changed.notify_all();
}

void MemoryBus::remove_from(const TopicPartition& partition, std::int64_t offset) {
  const std::lock_guard lock(cluster_->mutex);
  auto* log = cluster_->log_locked(partition);
  if (log == nullptr) return;
  log->end = std::clamp(offset, log->start, log->end);
  while (!log->records.empty() && log->records.back().offset >= log->end) log->records.pop_back();
  cluster_->changed.notify_all();
}

void MemoryBus::skip_offsets(const TopicPartition& partition, std::int64_t count) {
  const std::lock_guard lock(cluster_->mutex);
  if (auto* log = cluster_->log_locked(partition); log != nullptr) log->end += count;
}

void MemoryBus::set_cluster_id(const std::string& cluster_id) {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->options.cluster_id = cluster_id;
}

void MemoryBus::expire_silent_members(const std::string& name) {
  const std::lock_guard lock(cluster_->mutex);
  auto& group = cluster_->groups[name];
  std::erase_if(group.members,
                [](const auto& entry) { return entry.second.state == MemberState::kMustJoin; });
  cluster_->assign_if_complete_locked(group);
  cluster_->changed.notify_all();
}

void MemoryBus::expire_member(const Consumer& consumer) {
  const std::lock_guard lock(cluster_->mutex);
  cluster_->leave_locked(group_of(consumer), member_of(consumer));
}

std::vector<Record> MemoryBus::records(const TopicPartition& partition) const {
  const std::lock_guard lock(cluster_->mutex);
  const auto* log = cluster_->log_locked(partition);
  if (log == nullptr) return {};
  return {log->records.begin(), log->records.end()};
}

std::vector<Record> MemoryBus::records(const std::string& topic) const {
  const std::lock_guard lock(cluster_->mutex);
  std::vector<Record> all;
  if (const auto known = cluster_->topics.find(topic); known != cluster_->topics.end())
    for (const auto& log : known->second) all.insert(all.end(), log.records.begin(), log.records.end());
  return all;
}

std::map<TopicPartition, std::int64_t> MemoryBus::committed(const std::string& group) const {
  const std::lock_guard lock(cluster_->mutex);
  const auto known = cluster_->groups.find(group);
  if (known == cluster_->groups.end()) return {};
  return known->second.committed;
}

}  // namespace skald::memory
