// Starting, pausing and restarting partitions.
#include "reader.hpp"

#include "log.hpp"

namespace skald::participant::detail {
namespace {

constexpr std::chrono::seconds kRestartInterval{5};

std::int64_t start_of(const std::map<TopicPartition, std::int64_t>& positions,
                      const TopicPartition& partition) {
  const auto found = positions.find(partition);
  return found == positions.end() ? PartitionOffset::kBeginning : found->second;
}

}  // namespace

std::vector<PartitionOffset> Reader::assigned(const std::vector<TopicPartition>& partitions) {
  partitions_ = {partitions.begin(), partitions.end()};
  unstarted_ = partitions_;
  failed_.clear();
  paused_ = false;
  log_info("partitions assigned", {{"count", std::to_string(partitions.size())}});
  std::vector<PartitionOffset> starts;
  if (connection_ == nullptr) return starts;
  try {
    const auto positions = load_positions(*connection_, id_);
    for (const auto& partition : partitions) starts.push_back({partition, start_of(positions, partition)});
    unstarted_.clear();
  } catch (const std::exception& error) {
    log_warning("positions not read, partitions wait", {{"reason", error.what()}});
  }
  return starts;
}

void Reader::revoked(const std::vector<TopicPartition>& partitions) {
  for (const auto& partition : partitions) {
    partitions_.erase(partition);
    unstarted_.erase(partition);
    failed_.erase(partition);
  }
}

void Reader::failed(const TopicPartition& partition, const std::string& reason) {
  log_warning(
      "reading stopped",
      {{"topic", partition.topic}, {"partition", std::to_string(partition.partition)}, {"reason", reason}});
  if (partition.partition >= 0) failed_.insert(partition);
}

void Reader::start_waiting(std::chrono::steady_clock::time_point now) {
  if (unstarted_.empty() && (failed_.empty() || now < next_restart_)) return;
  if (now >= next_restart_) {
    for (const auto& partition : failed_) {
      forget_position(*connection_, id_, partition);
      unstarted_.insert(partition);
    }
    if (!failed_.empty()) next_restart_ = now + kRestartInterval;
    failed_.clear();
  }
  const auto positions = load_positions(*connection_, id_);
  const std::vector<TopicPartition> starting(unstarted_.begin(), unstarted_.end());
  for (const auto& partition : starting) consumer_->seek({partition, start_of(positions, partition)});
  if (!paused_) consumer_->resume(starting);
  unstarted_.clear();
}

void Reader::set_paused(bool paused) {
  if (paused == paused_) return;
  std::vector<TopicPartition> all;
  for (const auto& partition : partitions_)
    if (!unstarted_.contains(partition)) all.push_back(partition);
  if (paused)
    consumer_->pause(all);
  else
    consumer_->resume(all);
  paused_ = paused;
}

}  // namespace skald::participant::detail
