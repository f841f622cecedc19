// Time zones by the date library: libstdc++ 12 has none.
#include "schedules/time_zone.hpp"

#include <cstdio>
#include <exception>

#include <date/tz.h>

namespace skald::schedules {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

date::local_seconds theirs(LocalMinute minute) {
  return date::local_seconds{seconds(minute.time_since_epoch())};
}

/// Is there a database on this machine?
Result<void> database() {
  try {
    static_cast<void>(date::get_tzdb());
    return {};
  } catch (const std::exception& error) {
    return Error{ErrorKind::kInvalid, "",
                 std::string("this machine has no time zones (install tzdata): ") + error.what()};
  }
}

}  // namespace

Result<TimeZone> TimeZone::named(std::string_view name) {
  TimeZone zone;
  if (name == "UTC") return zone;
  const std::string shown = "'" + std::string(name.substr(0, kMaximumTimeZoneBytes)) + "'";
  const auto zones = database();
  if (!zones) return Error{ErrorKind::kInvalid, "", "time zone " + shown + ": " + zones.error().message};
  try {
    zone.zone_ = date::locate_zone(name);
    static_cast<void>(zone.zone_->get_info(date::sys_seconds{}));  // it is read at its first use
  } catch (const std::exception&) {
    return Error{ErrorKind::kInvalid, "",
                 "time zone " + shown +
                     ": this machine knows none of that name; it takes UTC or names like Europe/Oslo"};
  }
  return zone;
}

LocalMinute TimeZone::local(Time time) const {
  const auto moment = std::chrono::floor<seconds>(time);
  const seconds offset = zone_ == nullptr ? seconds(0) : zone_->get_info(moment).offset;
  return LocalMinute{std::chrono::floor<minutes>(moment.time_since_epoch() + offset)};
}

Time TimeZone::moment(LocalMinute minute) const {
  if (zone_ == nullptr) return Time{minute.time_since_epoch()};
  const date::local_info info = zone_->get_info(theirs(minute));
  if (info.result == date::local_info::nonexistent) return info.first.end;
  return Time{minute.time_since_epoch() - info.first.offset};
}

std::string TimeZone::text(Time time) const {
  const auto moment = std::chrono::floor<seconds>(time);
  const date::sys_info info = zone_ == nullptr ? date::sys_info{} : zone_->get_info(moment);
  const std::chrono::sys_seconds shown = moment + info.offset;
  const auto day = std::chrono::floor<std::chrono::days>(shown);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{shown - day};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text + (zone_ == nullptr ? "UTC" : info.abbrev);
}

}  // namespace skald::schedules
