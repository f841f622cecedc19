// Ticks: the moments at which a schedule starts a saga, from its Timing; and what is checked of a schedule before it is
// stored. Pure; immutable, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ports/schedule.hpp"
#include "schedules/time_zone.hpp"

namespace skald::schedules {

inline constexpr const char* kDoesNotFit = "SKALD-430";
inline constexpr std::chrono::seconds kShortestInterval{1};
inline constexpr std::chrono::days kLongestInterval{366};
inline constexpr std::chrono::seconds kShortestCatchUp{10};
inline constexpr std::chrono::days kLongestCatchUp{366};
inline constexpr std::size_t kMaximumInputBytes = 16 * 1024;

class Ticks {
 public:
  static Result<Ticks> of(const Timing& timing);

  /// The first tick after `time`. Ticks are whole seconds, of a cron expression whole minutes of its zone.
  [[nodiscard]] Time after(Time time) const;
  /// A tick in local time, for people.
  [[nodiscard]] std::string text(Time tick) const { return zone_.text(tick); }

 private:
  std::optional<Cron> cron_;
  TimeZone zone_;
  std::chrono::milliseconds interval_{0};
  std::chrono::milliseconds offset_{0};
};

/// The id of the saga that a tick starts: "nightly/2026-11-22T02:00:00Z". Ids of one schedule sort as their ticks do.
[[nodiscard]] std::string saga_id_of(std::string_view schedule, Time tick);

/// The schedule with its first tick after `now`, if all of it fits but the definition and its input, which only the
/// program's registry knows. `databases`: among how many the sagas are divided.
[[nodiscard]] Result<Schedule> checked(Schedule schedule, Time now, std::size_t databases);

}  // namespace skald::schedules
