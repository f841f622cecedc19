// RFC 3339 date-times, read and written with integers only: no locale, no overflow, no exception.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>

#include "wire/cloud_events.hpp"

namespace skald::wire {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;
using std::chrono::sys_days;

constexpr Time kFirstWritten{sys_days{std::chrono::year{1} / 1 / 1}};
constexpr Time kLastMoment{sys_days{std::chrono::year{10000} / 1 / 1} - milliseconds{1}};

/// Reads fixed-width fields from the left; any misfit makes it fail for good.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    if (rest_.size() < count) return fail();
    int number = 0;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return fail();
      number = number * 10 + (c - '0');
    }
    rest_.remove_prefix(count);
    return number;
  }

  void expect(char wanted, char alternative = '\0') {
    if (rest_.empty() || (rest_.front() != wanted && (alternative == '\0' || rest_.front() != alternative)))
      fail();
    else
      rest_.remove_prefix(1);
  }

  /// The first three of any number of digits after a dot; the rest is cut, not rounded.
  int fraction_ms() {
    if (rest_.empty() || rest_.front() != '.') return 0;
    rest_.remove_prefix(1);
    int number = 0;
    std::size_t count = 0;
    for (; !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; rest_.remove_prefix(1), ++count)
      if (count < 3) number = number * 10 + (rest_.front() - '0');
    if (count == 0) return fail();
    for (; count < 3; ++count) number *= 10;
    return number;
  }

  std::chrono::minutes offset() {
    if (rest_.empty()) return std::chrono::minutes{fail()};
    const char sign = rest_.front();
    rest_.remove_prefix(1);
    if (sign == 'Z' || sign == 'z') return {};
    if (sign != '+' && sign != '-') return std::chrono::minutes{fail()};
    const int hours = digits(2);
    expect(':');
    const int minutes = digits(2);
    if (hours > 23 || minutes > 59) fail();
    const std::chrono::minutes offset{hours * 60 + minutes};
    return sign == '+' ? offset : -offset;
  }

  [[nodiscard]] bool finished() const { return ok_ && rest_.empty(); }

 private:
  int fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::string format_time(Time time) {
  const auto clamped = std::clamp(time, kFirstWritten, kLastMoment);
  const auto day = std::chrono::floor<days>(clamped);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{clamped - day};
  char text[40];
  const int size =
      std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return {text, static_cast<std::size_t>(size)};
}

std::optional<Time> parse_time(std::string_view text) {
  if (text.size() > 64) return std::nullopt;
  Cursor cursor(text);
  const int year = cursor.digits(4);
  cursor.expect('-');
  const int month = cursor.digits(2);
  cursor.expect('-');
  const int day = cursor.digits(2);
  cursor.expect('T', 't');
  const int hour = cursor.digits(2);
  cursor.expect(':');
  const int minute = cursor.digits(2);
  cursor.expect(':');
  const int second = cursor.digits(2);
  const int fraction_ms = cursor.fraction_ms();
  const auto offset = cursor.offset();
  if (!cursor.finished() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  const milliseconds in_minute =
      second == 60 ? milliseconds{59'999} : milliseconds{second * 1000 + fraction_ms};
  const Time time =
      Time{sys_days{date}} + std::chrono::hours{hour} + std::chrono::minutes{minute} + in_minute - offset;
  return std::clamp(time, Time{}, kLastMoment);
}

}  // namespace skald::wire
