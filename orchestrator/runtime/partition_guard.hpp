// The rules by which a partition's log is recognised as the one we read before: where to start reading, and
// whether the first record is the last one we applied. Pure functions; the ingress acts on them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ports/bus.hpp"
#include "ports/store.hpp"

namespace skald::runtime {

/// CRC-32C over key and value, as recorded with a position.
[[nodiscard]] std::uint32_t checksum_of(const Record& record);

struct Placement {
  std::int64_t start = 0;
  /// The first record at or after `start` must be this position's last one, or come after it.
  bool verify = false;
  /// Not empty: reading it could skip or repeat records; an operator decides.
  std::string problem;
};

/// Where to go on. Without a position: at the beginning of what there is.
[[nodiscard]] Placement place(const std::optional<Position>& position, const LogRange& log);

enum class FirstRecord {
  kKnown,    ///< it is the last one applied: skip it, go on after it
  kBeyond,   ///< that one is gone (compaction), nothing after it was lost: apply this one
  kForeign,  ///< another record stands where the last one applied stood
};
[[nodiscard]] FirstRecord verify(const Position& position, const Record& first);

}  // namespace skald::runtime
