// Cron: a cron expression of five fields, and the local minutes it names. Knows neither time zones nor clocks: minutes
// are those of a wall calendar. Immutable, any thread.
#pragma once

#include <bitset>
#include <chrono>
#include <optional>
#include <string_view>

#include "skald/result.hpp"

namespace skald::schedules {

inline constexpr std::size_t kMaximumCronBytes = 200;

using LocalMinute = std::chrono::local_time<std::chrono::minutes>;

class Cron {
 public:
  /// Minute, hour, day of month, month, day of week: lists of numbers or names (JAN, SUN), ranges, `*`, and steps of
  /// ranges and of `*`. Or @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually. If neither day field
  /// begins with `*`, a day that fits one of them fits, as in Vixie cron; else it has to fit both. The error says
  /// which field is wrong, and why.
  static Result<Cron> parse(std::string_view text);

  /// The first minute after `minute` that it names; nullopt: none in the next 41 years.
  [[nodiscard]] std::optional<LocalMinute> after(LocalMinute minute) const;

 private:
  [[nodiscard]] bool has_day(const std::chrono::year_month_day& date) const;
  /// The first minute of the day from `from` on.
  [[nodiscard]] std::optional<std::chrono::minutes> in_day(std::chrono::minutes from) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;  ///< Sunday is 0
  bool either_day_ = false;
};

}  // namespace skald::schedules
