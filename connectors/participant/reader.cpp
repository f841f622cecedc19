// Starting, verifying, pausing and restarting partitions.
#include "reader.hpp"

#include <algorithm>
#include <iterator>

#include "log.hpp"

namespace skald::participant::detail {
namespace {

constexpr std::chrono::seconds kRestartInterval{5};

}  // namespace

std::vector<PartitionOffset> Reader::assigned(const std::vector<TopicPartition>& partitions) {
  partitions_ = {partitions.begin(), partitions.end()};
  unstarted_ = partitions_;
  unverified_.clear();
  failed_.clear();
  held_.clear();
  ++assignments_;
  paused_ = false;
  log_info("partitions assigned", {{"count", std::to_string(partitions.size())}});
  std::vector<PartitionOffset> starts;
  if (connection_ == nullptr) return starts;
  try {
    const auto recorded = load_positions(*connection_, id_);
    for (const auto& partition : partitions) starts.push_back({partition, start(partition, recorded)});
    unstarted_.clear();
  } catch (const std::exception& error) {
    log_warning("positions not read, partitions wait", {{"reason", error.what()}});
  }
  return starts;
}

std::int64_t Reader::start(const TopicPartition& partition,
                           const std::map<TopicPartition, ReadPosition>& recorded) {
  const auto found = recorded.find(partition);
  if (found == recorded.end()) return PartitionOffset::kBeginning;
  unverified_[partition] = found->second;
  return found->second.next.offset - 1;
}

void Reader::revoked(const std::vector<TopicPartition>& partitions) {
  for (const auto& partition : partitions) {
    partitions_.erase(partition);
    unstarted_.erase(partition);
    unverified_.erase(partition);
    failed_.erase(partition);
    held_.erase(partition);
  }
  ++assignments_;
}

void Reader::failed(const TopicPartition& partition, const std::string& reason) {
  log_warning(
      "reading stopped",
      {{"topic", partition.topic}, {"partition", std::to_string(partition.partition)}, {"reason", reason}});
  if (partition.partition >= 0) failed_.insert(partition);
}

bool Reader::accept(const Record& record) {
  const TopicPartition partition{record.topic, record.partition};
  if (failed_.contains(partition)) return false;
  const auto found = unverified_.find(partition);
  if (found == unverified_.end()) return true;
  const auto position = found->second;
  unverified_.erase(found);
  if (record.offset != position.next.offset - 1) return true;  // retention took it, or a gap in the offsets
  if (checksum_of(record) != position.last_checksum)
    failed(partition, "the record before the recorded position is another one: the topic was made anew");
  return false;
}

std::vector<Record> Reader::without_foreign(std::vector<Record> records) {
  if (!unverified_.empty() || !failed_.empty())
    std::erase_if(records, [this](const Record& record) { return !accept(record); });
  return records;
}

void Reader::start_waiting() {
  if (unstarted_.empty()) return;
  const auto recorded = load_positions(*connection_, id_);
  const std::vector<TopicPartition> starting(unstarted_.begin(), unstarted_.end());
  for (const auto& partition : starting) consumer_->seek({partition, start(partition, recorded)});
  unstarted_.clear();
  for (const auto& partition : starting) held_.erase(partition);
  if (!paused_) consumer_->resume(starting);
}

void Reader::restart(std::chrono::steady_clock::time_point now, std::vector<ReadPosition>& positions) {
  for (const auto& partition : failed_) {
    forget_position(*connection_, id_, partition);
    unverified_.erase(partition);
    unstarted_.insert(partition);
    std::erase_if(positions, [&partition](const ReadPosition& position) {
      return position.next.partition == partition;
    });
  }
  failed_.clear();
  next_restart_ = now + kRestartInterval;
}

void Reader::set_paused(bool paused) {
  if (paused == paused_) return;
  std::vector<TopicPartition> all;
  for (const auto& partition : partitions_)
    if (!unstarted_.contains(partition) && !held_.contains(partition)) all.push_back(partition);
  if (paused)
    consumer_->pause(all);
  else
    consumer_->resume(all);
  paused_ = paused;
}

void Reader::hold(std::set<TopicPartition> partitions) {
  std::erase_if(partitions, [this](const TopicPartition& partition) {
    return !partitions_.contains(partition) || unstarted_.contains(partition);
  });
  if (partitions == held_) return;
  std::vector<TopicPartition> taken, freed;
  std::set_difference(partitions.begin(), partitions.end(), held_.begin(), held_.end(),
                      std::back_inserter(taken));
  std::set_difference(held_.begin(), held_.end(), partitions.begin(), partitions.end(),
                      std::back_inserter(freed));
  held_ = std::move(partitions);
  if (paused_) return;
  consumer_->pause(taken);
  consumer_->resume(freed);
}

}  // namespace skald::participant::detail
