// Plan: what to do about the ticks of a schedule that have come: start, skip, or let one wait. Pure: the same schedule at
// the same time gives the same plan.
#pragma once

#include <cstddef>
#include <vector>

#include "schedules/ticks.hpp"

namespace skald::schedules {

struct Plan {
  std::vector<Time> start;  ///< oldest first
  Time next_at{};  ///< the first tick not dealt with; may have come, too: there are more than one look takes
  std::optional<Time> waiting_at;
  std::size_t late = 0;         ///< skipped: they came longer ago than the catch-up window
  std::size_t overlapping = 0;  ///< skipped: the saga before them is open
};

/// Ticks skipped for being late that are counted one by one; beyond it a plan says so many.
inline constexpr std::size_t kMaximumCounted = 10'000;

/// Starts at most `maximum`, one at least.
[[nodiscard]] Plan plan(const DueSchedule& due, const Ticks& ticks, std::size_t maximum);

}  // namespace skald::schedules
