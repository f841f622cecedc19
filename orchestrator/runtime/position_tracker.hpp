// PositionTracker: how far each assigned partition has been applied without a gap. Records are begun in offset
// order by the ingress and done in any order by the lanes; the mark below which all are done is what may be
// recorded. Marks of a partition revoked meanwhile count for nothing. Thread-safe by one mutex, taken once a
// poll and once a batch.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "ports/store.hpp"

namespace skald::runtime {

/// One record under way.
struct RecordMark {
  std::size_t slot = 0;
  std::uint64_t generation = 0;  ///< of the assignment
  std::uint64_t ordinal = 0;     ///< of the record in it
};

class PositionTracker {
 public:
  void assign(const TopicPartition& partition);
  void revoke(const TopicPartition& partition);
  void revoke_all();

  /// `parts`: how many Works were made of it; each calls done. 0: it is done at once.
  RecordMark begin(const Record& record, std::uint32_t checksum, int parts);
  void done(std::span<const RecordMark> marks);

  /// The positions that moved since they were last taken.
  [[nodiscard]] std::vector<Position> take_moved();
  /// These could not be recorded: take_moved gives them (or newer ones) again.
  void give_back(std::span<const Position> positions);
  /// The next one to apply; nullopt before the first was applied since the partition was assigned.
  [[nodiscard]] std::optional<std::int64_t> next_offset(const TopicPartition& partition) const;
  /// Records begun and not done.
  [[nodiscard]] std::size_t pending() const;

 private:
  struct Entry {
    std::int64_t offset = 0;
    Time timestamp{};
    std::uint32_t checksum = 0;
    int parts = 0;
  };
  struct Slot {
    TopicPartition partition;
    std::uint64_t generation = 0;  ///< 0: not assigned
    std::uint64_t first = 0;       ///< ordinal of entries.front()
    std::deque<Entry> entries;
    std::optional<Position> position;
    bool moved = false;
  };
  static void advance(Slot& slot);

  mutable std::mutex mutex_;  ///< guards everything below
  std::vector<Slot> slots_;
  std::map<TopicPartition, std::size_t> by_partition_;
  std::uint64_t generations_ = 0;
};

}  // namespace skald::runtime
