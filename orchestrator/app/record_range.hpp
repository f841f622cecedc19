// A past range of a topic, by time or by offset, read from its beginning to its end. Blocks; joins no group and commits
// nothing.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ports/bus.hpp"
#include "ports/clock.hpp"

namespace skald::app {

struct RangeSpec {
  std::string topic;
  std::optional<std::int32_t> partition;  ///< none: all of them
  std::optional<Time> from;               ///< the first record of this time or later
  std::optional<Time> to;                 ///< up to, and not with, the first record of this time or later
  std::optional<std::int64_t> from_offset;
  std::optional<std::int64_t> to_offset;  ///< likewise
};

/// --from and --to of a command line into `spec`; empty: not given.
[[nodiscard]] Result<void> read_times(const std::string& from, const std::string& to, RangeSpec& spec);

struct PartitionRange {
  TopicPartition partition;
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t gone = 0;  ///< so many of the offsets asked for were removed from the log
};

/// Where the range lies in each partition.
[[nodiscard]] Result<std::vector<PartitionRange>> locate(Bus& bus, const RangeSpec& spec);
/// The records of these ranges, each partition's in order, some at a time. Stops at the first error of `take`.
[[nodiscard]] Result<void> read_ranges(Bus& bus, const Clock& clock,
                                       const std::vector<PartitionRange>& ranges,
                                       const std::function<Result<void>(std::vector<Record>)>& take);

}  // namespace skald::app
