// Ticks across changes of clocks, of intervals, and what is refused before a schedule is stored.
#include "schedules/ticks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/cloud_events.hpp"

namespace skald::schedules {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

Time at(const char* text) { return wire::parse_time(text).value(); }

std::vector<std::string> next(const Timing& timing, const char* from, std::size_t count) {
  const auto ticks = Ticks::of(timing);
  if (!ticks) return {ticks.error().message};
  std::vector<std::string> found;
  for (Time time = at(from); found.size() < count;) {
    time = ticks->after(time);
    found.push_back(wire::format_time(time).substr(5, 11));
  }
  return found;
}

TEST(Ticks, FollowTheClocksOfTheirZone) {
  EXPECT_THAT(next({"0 9 * * *", "Europe/Oslo"}, "2026-03-27T12:00:00Z", 3),
              ElementsAre("03-28T08:00", "03-29T07:00", "03-30T07:00"));
  EXPECT_THAT(next({"0 9 * * *", "America/New_York"}, "2026-10-31T12:00:00Z", 3),
              ElementsAre("10-31T13:00", "11-01T14:00", "11-02T14:00"));
  EXPECT_THAT(next({"0 0 * * *", "Asia/Kathmandu"}, "2026-01-01T00:00:00Z", 1), ElementsAre("01-01T18:15"));
}

TEST(Ticks, OfALocalTimeThatIsLeftOutComeRightAfterTheGap) {
  EXPECT_THAT(next({"30 2 * * *", "Europe/Oslo"}, "2026-03-28T00:00:00Z", 3),
              ElementsAre("03-28T01:30", "03-29T01:00", "03-30T00:30"))
      << "from 2:00 to 3:00 on the 29th there is no local time";
  EXPECT_THAT(next({"30 2 * * *", "America/New_York"}, "2026-03-08T00:00:00Z", 2),
              ElementsAre("03-08T07:00", "03-09T06:30"));
  EXPECT_THAT(next({"*/15 * * * *", "Europe/Oslo"}, "2026-03-29T00:40:00Z", 4),
              ElementsAre("03-29T00:45", "03-29T01:00", "03-29T01:15", "03-29T01:30"))
      << "the four of the gap and the one after it are one moment";
}

TEST(Ticks, OfALocalTimeThatComesTwiceComeOnce) {
  EXPECT_THAT(next({"30 2 * * *", "Europe/Oslo"}, "2026-10-24T12:00:00Z", 2),
              ElementsAre("10-25T00:30", "10-26T01:30"));
  EXPECT_THAT(next({"30 1 * * *", "America/New_York"}, "2026-11-01T00:00:00Z", 2),
              ElementsAre("11-01T05:30", "11-02T06:30"));
  EXPECT_THAT(next({"*/30 * * * *", "Europe/Oslo"}, "2026-10-25T00:00:00Z", 3),
              ElementsAre("10-25T00:30", "10-25T02:00", "10-25T02:30"))
      << "the second time 2:00 to 3:00 is local time that has been";
  EXPECT_THAT(next({"30 2 * * *", "Europe/Oslo"}, "2026-10-25T01:10:00Z", 1), ElementsAre("10-26T01:30"))
      << "asked during the second time";
}

TEST(Ticks, OfAnIntervalAreAlignedToTheEpoch) {
  EXPECT_THAT(next({"", "UTC", 15min}, "2026-03-29T00:59:59Z", 2), ElementsAre("03-29T01:00", "03-29T01:15"));
  EXPECT_THAT(next({"", "UTC", 24h, 5min}, "2026-03-29T00:05:00Z", 1), ElementsAre("03-30T00:05"));
  const auto ticks = Ticks::of({"", "UTC", 10s, 3s});
  EXPECT_EQ(ticks->after(Time(-100ms)), Time(3s)) << "before the epoch, too";
  EXPECT_EQ(ticks->after(Time(-7001ms)), Time(-7s));
}

TEST(Ticks, NameTheSagasTheyStart) {
  EXPECT_EQ(saga_id_of("nightly", at("2026-11-22T02:00:00Z")), "nightly/2026-11-22T02:00:00Z");
  EXPECT_EQ(Ticks::of({"0 3 * * *", "Europe/Oslo"})->text(at("2026-11-22T02:00:00Z")),
            "2026-11-22 03:00:00 CET");
  EXPECT_EQ(Ticks::of({"", "UTC", 1s})->text(at("2026-11-22T02:00:01Z")), "2026-11-22 02:00:01 UTC");
}

Schedule nightly() {
  Schedule schedule;
  schedule.name = "nightly";
  schedule.definition = "close-day";
  schedule.input = "{}";
  schedule.timing.cron = "0 3 * * *";
  return schedule;
}

TEST(ASchedule, IsCheckedBeforeItIsStored) {
  const Time now = at("2026-11-22T12:00:00Z");
  const auto fine = checked(nightly(), now, 1);
  ASSERT_TRUE(fine) << fine.error().message;
  EXPECT_EQ(fine->next_at, at("2026-11-23T03:00:00Z"));

  const struct {
    std::function<void(Schedule&)> change;
    const char* says;
  } wrong[] = {
      {[](Schedule& s) { s.name = "a b"; }, "a schedule's name is"},
      {[](Schedule& s) { s.timing.cron = ""; }, "a cron expression or an interval"},
      {[](Schedule& s) { s.timing.interval = 1s; }, "a cron expression or an interval"},
      {[](Schedule& s) { s.timing.offset = 1s; }, "an offset goes with an interval"},
      {[](Schedule& s) { s.timing.cron = "61 * * * *"; }, "field 1 (minute)"},
      {[](Schedule& s) { s.timing.time_zone = "Europe/Olso"; },
       "time zone 'Europe/Olso': this machine knows none"},
      {[](Schedule& s) { s.timing.time_zone = "../../etc/passwd"; }, "this machine knows none of that name"},
      {[](Schedule& s) {
         s.timing = {"", "Europe/Oslo", 1s};
       },
       "a time zone goes with cron"},
      {[](Schedule& s) {
         s.timing = {"", "UTC", 1500ms};
       },
       "whole seconds from 1s to 366d"},
      {[](Schedule& s) {
         s.timing = {"", "UTC", 10s, 10s};
       },
       "less than the interval"},
      {[](Schedule& s) { s.catch_up = 5s; }, "the catch-up window is from 10s to 366d"},
      {[](Schedule& s) { s.input = std::string(16'385, ' '); }, "at most 16 KiB"},
  };
  for (const auto& [change, says] : wrong) {
    Schedule schedule = nightly();
    change(schedule);
    const auto answer = checked(schedule, now, 1);
    ASSERT_FALSE(answer) << says;
    EXPECT_EQ(answer.error().code, kDoesNotFit);
    EXPECT_THAT(answer.error().message, HasSubstr(says));
  }
}

TEST(ASchedule, OfSeveralDatabasesMayOnlyOverlap) {
  Schedule schedule = nightly();
  EXPECT_THAT(checked(schedule, Time{}, 2).error().message, HasSubstr("overlap takes only allow"));
  schedule.overlap = Overlap::allow;
  EXPECT_TRUE(checked(schedule, Time{}, 2));
}

}  // namespace
}  // namespace skald::schedules
