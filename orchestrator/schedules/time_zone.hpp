// TimeZone: between moments and the local time of a zone of the IANA database, which is the machine's (package tzdata).
// UTC needs none. Immutable, any thread. The only place that knows the library it is read with.
#pragma once

#include <string>
#include <string_view>

#include "schedules/cron.hpp"
#include "skald/record.hpp"

namespace date {
class time_zone;
}

namespace skald::schedules {

inline constexpr std::size_t kMaximumTimeZoneBytes = 64;

class TimeZone {
 public:
  /// Like "Europe/Oslo". The error says what is missing: the zone, or the whole database.
  static Result<TimeZone> named(std::string_view name);

  /// The local minute that `time` lies in.
  [[nodiscard]] LocalMinute local(Time time) const;
  /// When this minute begins. One that a change of clocks leaves out: the first moment after it. One that comes twice: the
  /// first time.
  [[nodiscard]] Time moment(LocalMinute minute) const;
  /// Like "2026-11-22 09:00 CET".
  [[nodiscard]] std::string text(Time time) const;

 private:
  const date::time_zone* zone_ = nullptr;  ///< null: UTC; the library's, for the life of the process
};

}  // namespace skald::schedules
