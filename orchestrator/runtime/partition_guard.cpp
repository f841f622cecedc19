// Telling a partition's log from another one of the same name.
#include "runtime/partition_guard.hpp"

#include "wire/checksum.hpp"

namespace skald::runtime {

std::uint32_t checksum_of(const Record& record) {
  const std::uint32_t key = record.key ? wire::crc32c(*record.key) : 0;
  return record.value ? wire::crc32c(*record.value, key) : key;
}

Placement place(const std::optional<Position>& position, const LogRange& log) {
  if (!position) return {PartitionOffset::kBeginning, false, {}};
  const std::string next = std::to_string(position->next_offset);
  if (log.end < position->next_offset)
    return {0, false,
            "the log ends at " + std::to_string(log.end) + ", before our position " + next +
                ": the topic was recreated or truncated, or the database is ahead of it"};
  if (log.start > position->next_offset)
    return {0, false,
            "the log begins at " + std::to_string(log.start) + ", after our position " + next +
                ": retention removed records that were never read"};
  const bool last_is_there = position->last_offset >= log.start && position->last_offset < log.end;
  if (position->last_offset < 0 || !last_is_there) return {position->next_offset, false, {}};
  return {position->last_offset, true, {}};
}

FirstRecord verify(const Position& position, const Record& first) {
  if (first.offset > position.last_offset) return FirstRecord::kBeyond;
  const bool same = first.offset == position.last_offset && first.timestamp == position.last_timestamp &&
                    checksum_of(first) == position.last_checksum;
  return same ? FirstRecord::kKnown : FirstRecord::kForeign;
}

}  // namespace skald::runtime
