// Cron expressions: the minutes they name, and what is said of those that are wrong.
#include "schedules/cron.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skald::schedules {
namespace {

using namespace std::chrono;
using testing::HasSubstr;

LocalMinute at(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
  return local_days{std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day}} +
         hours(hour) + minutes(minute);
}

/// The first `count` minutes after one, as text.
std::string next(const std::string& cron, LocalMinute from, int count) {
  const auto parsed = Cron::parse(cron);
  if (!parsed) return parsed.error().message;
  std::string text;
  for (int index = 0; index < count; ++index) {
    from = *parsed->after(from);
    const auto day = floor<days>(from);
    const year_month_day date{day};
    char line[32];
    std::snprintf(line, sizeof line, "%s%02u-%02u %02d:%02d", index == 0 ? "" : ", ",
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>((from - day) / hours(1)),
                  static_cast<int>((from - day) % hours(1) / minutes(1)));
    text += line;
  }
  return text;
}

TEST(Cron, NamesMinutesByNumbersListsRangesAndSteps) {
  EXPECT_EQ(next("*/15 * * * *", at(2026, 1, 31, 23, 40), 3), "01-31 23:45, 02-01 00:00, 02-01 00:15");
  EXPECT_EQ(next("5,35 8-10/2 * * *", at(2026, 1, 1), 5),
            "01-01 08:05, 01-01 08:35, 01-01 10:05, 01-01 10:35, 01-02 08:05");
  EXPECT_EQ(next("0 12 1 JAN,jul *", at(2026, 1, 1, 12), 2), "07-01 12:00, 01-01 12:00");
  EXPECT_EQ(next("0\t9  *  * MON-FRI", at(2026, 1, 2, 9), 2), "01-05 09:00, 01-06 09:00")
      << "a weekend between";
  EXPECT_EQ(next("0 0 * * 7", at(2026, 1, 1), 2), next("0 0 * * SUN", at(2026, 1, 1), 2));
  EXPECT_EQ(next("0 0 * * 5-7", at(2026, 1, 1), 3), "01-02 00:00, 01-03 00:00, 01-04 00:00");
}

TEST(Cron, KnowsTheEndsOfMonthsAndLeapYears) {
  EXPECT_EQ(next("0 0 31 * *", at(2026, 1, 31), 3), "03-31 00:00, 05-31 00:00, 07-31 00:00");
  EXPECT_EQ(next("59 23 28-31 2 *", at(2026, 2, 28, 23, 59), 2), "02-28 23:59, 02-28 23:59") << "2027, 2028";
  const auto leap = Cron::parse("0 0 29 2 *");
  ASSERT_TRUE(leap);
  EXPECT_EQ(leap->after(at(2026, 1, 1)), at(2028, 2, 29));
  EXPECT_EQ(leap->after(at(2096, 2, 29)), at(2104, 2, 29)) << "2100 is no leap year";
}

TEST(Cron, TakesADayThatFitsEitherFieldIfBothAreRestricted) {
  EXPECT_EQ(next("0 0 13 * FRI", at(2026, 2, 1), 4), "02-06 00:00, 02-13 00:00, 02-20 00:00, 02-27 00:00");
  EXPECT_EQ(next("0 0 15 * FRI", at(2026, 2, 7), 3), "02-13 00:00, 02-15 00:00, 02-20 00:00");
  EXPECT_EQ(next("0 0 */2 * MON", at(2026, 2, 1), 2), "02-09 00:00, 02-23 00:00")
      << "one begins with *: both";
}

TEST(Cron, HasNames) {
  EXPECT_EQ(next("@hourly", at(2026, 1, 1, 5, 30), 1), "01-01 06:00");
  EXPECT_EQ(next("@daily", at(2026, 1, 1, 5, 30), 1), "01-02 00:00");
  EXPECT_EQ(next("@weekly", at(2026, 1, 1, 5, 30), 1), "01-04 00:00");
  EXPECT_EQ(next("@monthly", at(2026, 1, 1, 5, 30), 1), "02-01 00:00");
  EXPECT_EQ(next("@yearly", at(2026, 1, 1, 5, 30), 1), "01-01 00:00");
}

TEST(Cron, SaysWhichFieldIsWrongAndWhy) {
  const struct {
    const char* cron;
    const char* says;
  } wrong[] = {
      {"", "cron '': it has 0 fields and takes 5"},
      {"0 0 * *", "it has 4 fields and takes 5"},
      {"0 0 0 * * *", "it has 6 fields and takes 5"},
      {"60 * * * *", "field 1 (minute): '60' is not from 0 to 59"},
      {"0 24 * * *", "field 2 (hour): '24' is not from 0 to 23"},
      {"0 0 0 * *", "field 3 (day of month): '0' is not from 1 to 31"},
      {"0 0 * 13 *", "field 4 (month): '13' is not from 1 to 12, nor one of JAN to DEC"},
      {"0 0 * * MOON", "field 5 (day of week): 'MOON' is not from 0 to 7, nor one of SUN to SAT"},
      {"0 0 * * FRI-MON", "the range 'FRI-MON' ends before it begins"},
      {"5/15 * * * *", "the step of '5/15' needs a range or * before it"},
      {"*/0 * * * *", "the step of '*/0' is no number from 1"},
      {"1,,2 * * * *", "field 1 (minute): '' is not from 0 to 59"},
      {"-1 * * * *", "field 1 (minute): '' is not from 0 to 59"},
      {"1- * * * *", "field 1 (minute): '' is not from 0 to 59"},
      {"99999999999 * * * *", "'99999999999' is not from 0 to 59"},
      {"0 0 30 2 *", "no year has such a day"},
      {"0 0 31 4,6,9,11 *", "no year has such a day"},
      {"@reboot", "there are @hourly, @daily"},
  };
  for (const auto& [cron, says] : wrong) {
    const auto parsed = Cron::parse(cron);
    ASSERT_FALSE(parsed) << cron;
    EXPECT_THAT(parsed.error().message, HasSubstr(says)) << cron;
  }
  EXPECT_THAT(Cron::parse(std::string(1000, '*')).error().message, HasSubstr("more than 200 characters"));
}

}  // namespace
}  // namespace skald::schedules
