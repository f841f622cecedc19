// Logs and groups of the memory bus: how a message is written, and who gets which partition.
#include "memory/memory_cluster.hpp"

#include <algorithm>
#include <utility>

#include "wire/murmur2.hpp"

namespace skald::memory {
namespace {

std::size_t size_of(const Message& message) {
  std::size_t size = message.key.value_or("").size() + message.value.value_or("").size();
  for (const auto& header : message.headers) size += header.name.size() + header.value.size();
  return size;
}

}  // namespace

Error unavailable() { return {ErrorKind::kUnavailable, "SKALD-203", "the memory bus was taken away"}; }

Error unanswered(const MemoryCluster& cluster, std::chrono::milliseconds timeout) {
  if (cluster.options.spend) cluster.options.spend(timeout);
  return unavailable();
}

void MemoryCluster::append_locked(Log& log, const Message& message, std::int32_t partition) {
  ++written;
  Record record;
  record.topic = message.topic;
  record.partition = partition;
  record.offset = log.end++;
  record.timestamp =
      options.clock != nullptr ? options.clock->wall() : Time{std::chrono::milliseconds{written}};
  record.key = message.key;
  record.value = message.value;
  record.headers = message.headers;
  log.records.push_back(std::move(record));
  while (log.records.size() > options.partition_records_limit) {
    log.records.pop_front();
    log.start = log.records.empty() ? log.end : log.records.front().offset;
  }
}

Answer MemoryCluster::write_locked(const Message& message) {
  const auto refused = refused_topics.find(message.topic);
  if (refused != refused_topics.end()) return {Delivery::kRefused, refused->second};
  std::optional<ProduceFault> fault;
  if (auto planned = planned_faults.find(message.topic); planned != planned_faults.end()) {
    fault = planned->second.front();
    planned->second.pop_front();
    if (planned->second.empty()) planned_faults.erase(planned);
  }
  if (fault == ProduceFault::kRefused) return {Delivery::kRefused, "refused on purpose"};
  if (fault == ProduceFault::kUnknownLost) return {Delivery::kUnknown, "timed out on purpose"};
  const auto topic = topics.find(message.topic);
  if (topic == topics.end()) return {Delivery::kRefused, "unknown topic '" + message.topic + "'"};
  if (size_of(message) > options.message_bytes_limit) return {Delivery::kRefused, "message too large"};
  const auto count = static_cast<std::int32_t>(topic->second.size());
  const auto partition = message.partition.value_or(wire::route_of(message.key.value_or("")) % count);
  if (partition < 0 || partition >= count)
    return {Delivery::kRefused, "unknown partition " + std::to_string(partition)};
  auto& log = topic->second[static_cast<std::size_t>(partition)];
  append_locked(log, message, partition);
  if (fault == ProduceFault::kTwice) append_locked(log, message, partition);
  changed.notify_all();
  if (fault == ProduceFault::kUnknownWritten) return {Delivery::kUnknown, "timed out on purpose"};
  return {};
}

Log* MemoryCluster::log_locked(const TopicPartition& partition) {
  const auto topic = topics.find(partition.topic);
  if (topic == topics.end() || partition.partition < 0 ||
      static_cast<std::size_t>(partition.partition) >= topic->second.size())
    return nullptr;
  return &topic->second[static_cast<std::size_t>(partition.partition)];
}

std::vector<TopicPartition> MemoryCluster::partitions_locked(const std::vector<std::string>& names) const {
  std::vector<TopicPartition> all;
  for (const auto& name : std::set<std::string>(names.begin(), names.end()))
    if (const auto topic = topics.find(name); topic != topics.end())
      for (std::size_t index = 0; index < topic->second.size(); ++index)
        all.push_back({name, static_cast<std::int32_t>(index)});
  return all;
}

void MemoryCluster::join_locked(const std::string& name, std::uint64_t member,
                                const std::vector<std::string>& wanted) {
  auto& group = groups[name];
  for (auto& [id, other] : group.members) other.state = MemberState::kMustJoin;
  group.members[member] = Member{wanted, MemberState::kMustJoin, {}};
  changed.notify_all();
}

void MemoryCluster::leave_locked(const std::string& name, std::uint64_t member) {
  auto& group = groups[name];
  if (group.members.erase(member) == 0) return;
  for (auto& [id, other] : group.members)
    if (other.state != MemberState::kJoined) other.state = MemberState::kMustJoin;
  assign_if_complete_locked(group);
  changed.notify_all();
}

// The range assignor: per topic, the members in order of their ids take contiguous runs of partitions, the first
// ones one more where it does not come out even.
void MemoryCluster::assign_if_complete_locked(Group& group) {
  const bool complete = std::all_of(group.members.begin(), group.members.end(), [](const auto& entry) {
    return entry.second.state == MemberState::kJoined;
  });
  if (!complete) return;
  std::map<std::string, std::vector<Member*>> by_topic;
  for (auto& [id, member] : group.members) {
    member.assignment.clear();
    member.state = MemberState::kAssigned;
    for (const auto& topic : std::set<std::string>(member.topics.begin(), member.topics.end()))
      by_topic[topic].push_back(&member);
  }
  for (const auto& [topic, members] : by_topic) {
    const auto partitions = partitions_locked({topic});
    std::size_t next = 0;
    for (std::size_t index = 0; index < members.size(); ++index) {
      auto share = partitions.size() / members.size() + (index < partitions.size() % members.size() ? 1 : 0);
      for (; share > 0; --share) members[index]->assignment.push_back(partitions[next++]);
    }
  }
  changed.notify_all();
}

void MemoryCluster::topics_changed_locked(const std::set<std::string>& names) {
  for (auto& [name, group] : groups) {
    const bool concerned = std::any_of(group.members.begin(), group.members.end(), [&](const auto& entry) {
      const auto& wanted = entry.second.topics;
      return std::any_of(wanted.begin(), wanted.end(),
                         [&](const auto& topic) { return names.contains(topic); });
    });
    if (concerned)
      for (auto& [id, member] : group.members) member.state = MemberState::kMustJoin;
  }
  changed.notify_all();
}

}  // namespace skald::memory
