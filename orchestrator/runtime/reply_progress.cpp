// Telling the timekeeper how far replies have been read.
#include "runtime/reply_progress.hpp"

#include <algorithm>

namespace skald::runtime {

void ReplyProgress::set_cluster(std::string cluster_id, std::int32_t reply_partitions) {
  const std::scoped_lock lock(mutex_);
  cluster_id_ = std::move(cluster_id);
  reply_partitions_ = reply_partitions;
}

void ReplyProgress::set_assigned(bool assigned) {
  const std::scoped_lock lock(mutex_);
  assigned_ = assigned;
}

void ReplyProgress::own(std::int32_t partition, std::int64_t next_offset) {
  const std::scoped_lock lock(mutex_);
  owned_[partition] = next_offset;
}

void ReplyProgress::disown(std::int32_t partition) {
  const std::scoped_lock lock(mutex_);
  owned_.erase(partition);
}

void ReplyProgress::handed_over(std::int32_t partition, std::int64_t next_offset) {
  const std::scoped_lock lock(mutex_);
  const auto place = owned_.find(partition);
  if (place != owned_.end()) place->second = std::max(place->second, next_offset);
}

std::vector<std::int32_t> ReplyProgress::asked() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::int32_t> partitions;
  for (const auto& [partition, question] : questions_)
    if (question.answered < question.asked) partitions.push_back(partition);
  return partitions;
}

std::uint64_t ReplyProgress::newest_ticket() const {
  const std::scoped_lock lock(mutex_);
  return tickets_;
}

void ReplyProgress::answer(std::int32_t partition, std::int64_t end, std::uint64_t ticket) {
  const std::scoped_lock lock(mutex_);
  Question& question = questions_[partition];
  question.answered = std::max(question.answered, ticket);
  question.end = end;
}

std::uint64_t ReplyProgress::ask(std::int32_t partition) {
  const std::scoped_lock lock(mutex_);
  return questions_[partition].asked = ++tickets_;
}

std::optional<std::int64_t> ReplyProgress::end(std::int32_t partition, std::uint64_t ticket) const {
  const std::scoped_lock lock(mutex_);
  const auto place = questions_.find(partition);
  if (place == questions_.end() || place->second.answered < ticket) return std::nullopt;
  return place->second.end;
}

std::optional<std::int64_t> ReplyProgress::handed_over(std::int32_t partition) const {
  const std::scoped_lock lock(mutex_);
  const auto place = owned_.find(partition);
  if (place == owned_.end()) return std::nullopt;
  return place->second;
}

std::vector<std::int32_t> ReplyProgress::owned() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::int32_t> partitions;
  partitions.reserve(owned_.size());
  for (const auto& [partition, offset] : owned_) partitions.push_back(partition);
  return partitions;
}

bool ReplyProgress::assigned() const {
  const std::scoped_lock lock(mutex_);
  return assigned_;
}

std::string ReplyProgress::cluster_id() const {
  const std::scoped_lock lock(mutex_);
  return cluster_id_;
}

std::int32_t ReplyProgress::reply_partitions() const {
  const std::scoped_lock lock(mutex_);
  return reply_partitions_;
}

}  // namespace skald::runtime
