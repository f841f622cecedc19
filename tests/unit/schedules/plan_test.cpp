// What is done about ticks that have come, policy by policy.
#include "schedules/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skald::schedules {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Time minute(int number) { return Time(std::chrono::minutes(number)); }

/// Every minute; the next tick is that of minute 10.
struct Planned : testing::Test {
  Planned() {
    due.schedule.timing = {"", "UTC", 1min};
    due.schedule.next_at = minute(10);
    due.schedule.overlap = Overlap::allow;
    due.now = minute(10);
  }
  [[nodiscard]] Plan made(std::size_t maximum = 100) const {
    return plan(due, Ticks::of(due.schedule.timing).value(), maximum);
  }
  DueSchedule due;
};

TEST_F(Planned, StartsWhatHasCome) {
  EXPECT_THAT(made().start, ElementsAre(minute(10)));
  EXPECT_EQ(made().next_at, minute(11));
  due.now = minute(10) - 1ms;
  EXPECT_THAT(made().start, IsEmpty());
  EXPECT_EQ(made().next_at, minute(10));
}

TEST_F(Planned, CatchesUpOldestFirstWithinItsWindow) {
  due.now = minute(100);
  due.schedule.catch_up = 3min;
  const Plan plan = made();
  EXPECT_THAT(plan.start, ElementsAre(minute(97), minute(98), minute(99), minute(100)));
  EXPECT_EQ(plan.late, 87u);
  EXPECT_EQ(plan.next_at, minute(101));
}

TEST_F(Planned, TakesSoManyAtOnce) {
  due.now = minute(30);
  EXPECT_THAT(made(5).start, SizeIs(5));
  EXPECT_EQ(made(5).next_at, minute(15));
  EXPECT_THAT(made(0).start, SizeIs(1)) << "one at least";
}

TEST_F(Planned, GetsPastYearsThatNobodySaw) {
  due.now = minute(5'000'000);
  due.schedule.catch_up = 10min;
  const Plan plan = made();
  EXPECT_EQ(plan.late, kMaximumCounted);
  EXPECT_THAT(plan.start, SizeIs(11));
  EXPECT_EQ(plan.next_at, minute(5'000'001));
}

TEST_F(Planned, SkipsWhileTheLastIsOpen) {
  due.schedule.overlap = Overlap::skip;
  due.last_open = true;
  due.now = minute(12);
  EXPECT_THAT(made().start, IsEmpty());
  EXPECT_EQ(made().overlapping, 3u);
  EXPECT_EQ(made().next_at, minute(13));
  due.last_open = false;
  EXPECT_THAT(made().start, ElementsAre(minute(10)));
  EXPECT_EQ(made().overlapping, 2u) << "the one just started is open";
}

TEST_F(Planned, KeepsOneWaitingWhileTheLastIsOpen) {
  due.schedule.overlap = Overlap::wait;
  due.last_open = true;
  due.now = minute(12);
  Plan plan = made();
  EXPECT_THAT(plan.start, IsEmpty());
  EXPECT_EQ(plan.waiting_at, minute(10));
  EXPECT_EQ(plan.overlapping, 2u);

  due.schedule.waiting_at = plan.waiting_at;
  due.schedule.next_at = plan.next_at;
  due.now = minute(500);
  due.schedule.catch_up = 490min;
  due.last_open = false;
  plan = made();
  EXPECT_THAT(plan.start, ElementsAre(minute(10))) << "however long it waited";
  EXPECT_EQ(plan.waiting_at, minute(13));
  EXPECT_EQ(plan.overlapping, 487u);
  EXPECT_EQ(plan.next_at, minute(501));
}

TEST_F(Planned, StartsWhatWaitedOnceOverlapIsAllowed) {
  due.schedule.waiting_at = minute(8);
  due.last_open = true;
  EXPECT_THAT(made().start, ElementsAre(minute(8), minute(10)));
}

}  // namespace
}  // namespace skald::schedules
