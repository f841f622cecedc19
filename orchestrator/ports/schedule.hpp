// Schedule: sagas started by the clock: at which moments (ticks), with which input, and what happens to a tick whose
// predecessor still runs or that nobody saw pass. And what the store is told and asked about schedules. Plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ports/identity.hpp"
#include "skald/record.hpp"

namespace skald {

/// What becomes of a tick while the saga of the last one started is open.
enum class Overlap {
  allow,  ///< it starts
  skip,   ///< it does not
  wait,   ///< one starts once that saga has ended; more are skipped
};

[[nodiscard]] constexpr std::string_view to_string(Overlap overlap) {
  switch (overlap) {
    case Overlap::allow: return "allow";
    case Overlap::skip: return "skip";
    case Overlap::wait: return "wait";
  }
  return "unknown";
}

[[nodiscard]] constexpr std::optional<Overlap> parse_overlap(std::string_view text) {
  for (const Overlap overlap : {Overlap::allow, Overlap::skip, Overlap::wait})
    if (text == to_string(overlap)) return overlap;
  return std::nullopt;
}

/// When: by a cron expression in a time zone, or every so often. Exactly one of the two.
struct Timing {
  std::string cron;               ///< five fields or @daily and the like; empty: an interval
  std::string time_zone = "UTC";  ///< of the IANA database; for cron
  std::chrono::milliseconds interval{0};
  std::chrono::milliseconds offset{
      0};  ///< ticks of an interval: 1970-01-01T00:00:00Z + offset + n * interval
  bool operator==(const Timing&) const = default;
};

struct Schedule {
  std::string name;
  std::string definition;
  std::string input;  ///< of every saga it starts, JSON
  Timing timing;
  Overlap overlap = Overlap::skip;
  /// A tick that nobody looked at for longer than this is skipped.
  std::chrono::milliseconds catch_up{3'600'000};
  bool paused = false;
  Time next_at{};                  ///< the first tick not dealt with
  std::optional<Time> waiting_at;  ///< Overlap::wait: the tick that waits
  std::string last_saga_id;        ///< of the newest tick started; empty: none yet
  std::string who;                 ///< of the last change, as are the two below
  std::string why;
  Time changed_at{};
  std::int64_t change_number = 0;  ///< counts people's changes; set by the store
};

/// What people do to a schedule that exists.
struct ScheduleChange {
  enum class Kind { pause, resume, remove } kind = Kind::pause;
  std::string name;
  Time next_at{};  ///< resume: the first tick after now; those during the pause have passed by
  std::string who;
  std::string why;
};

[[nodiscard]] constexpr std::string_view to_string(ScheduleChange::Kind kind) {
  switch (kind) {
    case ScheduleChange::Kind::pause: return "pause";
    case ScheduleChange::Kind::resume: return "resume";
    case ScheduleChange::Kind::remove: return "delete";
  }
  return "unknown";
}

struct ScheduleClaim {
  std::vector<std::string> definitions;  ///< whose sagas this process may start now
  Incarnation incarnation = 0;           ///< who claims: once it is dead its claims are void
  std::chrono::milliseconds lease{30'000};
  std::size_t maximum = 100;
};

struct DueSchedule {
  Schedule schedule;
  bool last_open = false;  ///< the saga of schedule.last_saga_id
  Time now{};              ///< the store's clock at the claim
};

/// How far a process has come with a schedule it claimed. Ticks and waiting tick are written only if nobody else wrote
/// them since; the claim is given back.
struct ScheduleProgress {
  std::string name;
  Incarnation incarnation = 0;
  std::int64_t change_number = 0;  ///< as claimed
  Time claimed_at{};               ///< next_at as claimed
  Time next_at{};
  std::optional<Time> waiting_at;
  std::string last_saga_id;  ///< the newest started; empty, or older than the one stored: that one stays
};

}  // namespace skald
