// Keeping the low-water mark of applied records per partition.
#include "runtime/position_tracker.hpp"

#include "skald/assert.hpp"

namespace skald::runtime {

void PositionTracker::assign(const TopicPartition& partition) {
  const std::scoped_lock lock(mutex_);
  const auto [place, added] = by_partition_.emplace(partition, slots_.size());
  if (added) slots_.emplace_back();
  Slot& slot = slots_[place->second];
  slot = Slot{};
  slot.partition = partition;
  slot.generation = ++generations_;
}

void PositionTracker::revoke(const TopicPartition& partition) {
  const std::scoped_lock lock(mutex_);
  const auto place = by_partition_.find(partition);
  if (place == by_partition_.end()) return;
  Slot& slot = slots_[place->second];
  slot = Slot{};
  slot.partition = partition;
}

void PositionTracker::revoke_all() {
  const std::scoped_lock lock(mutex_);
  for (Slot& slot : slots_) {
    TopicPartition partition = std::move(slot.partition);
    slot = Slot{};
    slot.partition = std::move(partition);
  }
}

RecordMark PositionTracker::begin(const Record& record, std::uint32_t checksum, int parts) {
  const std::scoped_lock lock(mutex_);
  const auto place = by_partition_.find({record.topic, record.partition});
  if (place == by_partition_.end() || slots_[place->second].generation == 0) return {};
  Slot& slot = slots_[place->second];
  const RecordMark mark{place->second, slot.generation, slot.first + slot.entries.size()};
  slot.entries.push_back({record.offset, record.timestamp, checksum, parts});
  if (parts == 0) advance(slot);
  return mark;
}

void PositionTracker::done(std::span<const RecordMark> marks) {
  const std::scoped_lock lock(mutex_);
  for (const RecordMark& mark : marks) {
    if (mark.generation == 0 || mark.slot >= slots_.size()) continue;
    Slot& slot = slots_[mark.slot];
    if (slot.generation != mark.generation) continue;
    SKALD_ASSERT(mark.ordinal >= slot.first && mark.ordinal - slot.first < slot.entries.size(),
                 slot.partition.topic.c_str());
    Entry& entry = slot.entries[mark.ordinal - slot.first];
    SKALD_ASSERT(entry.parts > 0, slot.partition.topic.c_str());
    --entry.parts;
    if (mark.ordinal == slot.first) advance(slot);
  }
}

void PositionTracker::advance(Slot& slot) {
  while (!slot.entries.empty() && slot.entries.front().parts == 0) {
    const Entry& entry = slot.entries.front();
    slot.position = Position{slot.partition, entry.offset + 1, entry.offset, entry.timestamp, entry.checksum};
    slot.moved = true;
    slot.entries.pop_front();
    ++slot.first;
  }
}

std::vector<Position> PositionTracker::take_moved() {
  const std::scoped_lock lock(mutex_);
  std::vector<Position> moved;
  for (Slot& slot : slots_) {
    if (!slot.moved) continue;
    moved.push_back(*slot.position);
    slot.moved = false;
  }
  return moved;
}

void PositionTracker::give_back(std::span<const Position> positions) {
  const std::scoped_lock lock(mutex_);
  for (const Position& position : positions) {
    const auto place = by_partition_.find(position.partition);
    if (place == by_partition_.end()) continue;
    Slot& slot = slots_[place->second];
    if (slot.generation != 0 && slot.position) slot.moved = true;
  }
}

std::optional<std::int64_t> PositionTracker::next_offset(const TopicPartition& partition) const {
  const std::scoped_lock lock(mutex_);
  const auto place = by_partition_.find(partition);
  if (place == by_partition_.end() || !slots_[place->second].position) return std::nullopt;
  return slots_[place->second].position->next_offset;
}

std::size_t PositionTracker::pending() const {
  const std::scoped_lock lock(mutex_);
  std::size_t count = 0;
  for (const Slot& slot : slots_) count += slot.entries.size();
  return count;
}

}  // namespace skald::runtime
