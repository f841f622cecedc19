// Contract: schedules. One process deals with a schedule at a time, what people change meanwhile wins over what it had
// claimed, and none of it can be written back over what is newer.
#include <gmock/gmock.h>

#include "contract/store_contract.hpp"

namespace skald::contract {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;

namespace {

Schedule nightly(Time next_at) {
  Schedule schedule;
  schedule.name = "nightly";
  schedule.definition = "PlaceOrder";
  schedule.input = R"({"day":"today"})";
  schedule.timing.cron = "0 3 * * *";
  schedule.timing.time_zone = "Europe/Oslo";
  schedule.overlap = Overlap::wait;
  schedule.catch_up = minutes(90);
  schedule.next_at = next_at;
  schedule.who = "ann";
  schedule.why = "orders are closed at night";
  return schedule;
}

/// What was claimed, moved on by a minute.
ScheduleProgress moved_on(const DueSchedule& due, Incarnation incarnation) {
  const Schedule& schedule = due.schedule;
  return {
      schedule.name, incarnation,   schedule.change_number, schedule.next_at, schedule.next_at + minutes(1),
      std::nullopt,  "nightly/2026"};
}

}  // namespace

TEST_P(StoreContract, AScheduleIsKeptAsItWasPut) {
  EXPECT_THAT(must(session_->schedules()), IsEmpty());
  const Schedule put = nightly(Time(seconds(1'800'000'000)));
  must(session_->put_schedule(put));
  Schedule second = put;
  second.name = "every-minute";
  second.timing = {"", "UTC", minutes(1), seconds(5)};
  must(session_->put_schedule(second));
  const auto all = must(open()->schedules());
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].name, "every-minute");
  EXPECT_EQ(all[0].timing, second.timing);
  const Schedule& kept = all[1];
  EXPECT_EQ(kept.name, put.name);
  EXPECT_EQ(kept.definition, put.definition);
  EXPECT_EQ(kept.input, put.input);
  EXPECT_EQ(kept.timing, put.timing);
  EXPECT_EQ(kept.overlap, Overlap::wait);
  EXPECT_EQ(kept.catch_up, put.catch_up);
  EXPECT_FALSE(kept.paused);
  EXPECT_EQ(kept.next_at, put.next_at);
  EXPECT_FALSE(kept.waiting_at);
  EXPECT_EQ(kept.last_saga_id, "");
  EXPECT_EQ(kept.who, "ann");
  EXPECT_EQ(kept.why, put.why);
  EXPECT_GT(kept.changed_at, Time{});
  EXPECT_EQ(kept.change_number, 1);
}

TEST_P(StoreContract, AChangeOfAScheduleNeedsWhoAndWhy) {
  const Time now = must(session_->now());
  Schedule nobodys = nightly(now);
  nobodys.who.clear();
  EXPECT_EQ(session_->put_schedule(nobodys).error().kind, ErrorKind::kInvalid);
  must(session_->put_schedule(nightly(now)));
  EXPECT_EQ(session_->change_schedule({ScheduleChange::Kind::pause, "nightly", {}, "ann", ""}).error().kind,
            ErrorKind::kInvalid);
}

TEST_P(StoreContract, AScheduleWithTheSameTimingGoesOnAtItsNextTick) {
  const Time now = must(session_->now());
  must(session_->put_schedule(nightly(now)));
  Schedule again = nightly(now + minutes(5));
  again.input = "{}";
  must(session_->put_schedule(again));
  EXPECT_EQ(must(session_->schedules()).front().next_at, now);
  EXPECT_EQ(must(session_->schedules()).front().input, "{}");
  again.timing.cron = "0 4 * * *";
  must(session_->put_schedule(again));
  EXPECT_EQ(must(session_->schedules()).front().next_at, now + minutes(5));
  EXPECT_EQ(must(session_->schedules()).front().change_number, 3);
}

TEST_P(StoreContract, ADueScheduleIsClaimedByOneProcess) {
  const Time now = must(session_->now());
  must(session_->put_schedule(nightly(now - seconds(1))));
  Schedule later = nightly(now + minutes(5));
  later.name = "later";
  must(session_->put_schedule(later));
  const auto other = must(session_->register_incarnation("host-b", "build-1"));
  EXPECT_THAT(must(session_->claim_schedules({{"CancelOrder"}, incarnation_})), IsEmpty());
  const auto due = must(session_->claim_schedules({{"CancelOrder", "PlaceOrder"}, incarnation_}));
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due[0].schedule.name, "nightly");
  EXPECT_FALSE(due[0].last_open);
  EXPECT_GE(due[0].now, now);
  EXPECT_THAT(must(session_->claim_schedules({{"PlaceOrder"}, other})), IsEmpty());
  EXPECT_TRUE(must(session_->advance_schedule(moved_on(due[0], incarnation_))));
  const Schedule moved = must(session_->schedules()).back();
  EXPECT_EQ(moved.next_at, now - seconds(1) + minutes(1));
  EXPECT_EQ(moved.last_saga_id, "nightly/2026");
  EXPECT_EQ(moved.change_number, 1) << "no person changed it";
  EXPECT_THAT(must(session_->claim_schedules({{"PlaceOrder"}, other})), IsEmpty()) << "nothing is due";
}

TEST_P(StoreContract, AScheduleOfADeadProcessOrAnExpiredLeaseIsClaimedByAnother) {
  must(session_->put_schedule(nightly(must(session_->now()) - seconds(1))));
  const auto other = must(session_->register_incarnation("host-b", "build-1"));
  const auto first = must(session_->claim_schedules({{"PlaceOrder"}, incarnation_}));
  ASSERT_THAT(first, SizeIs(1));
  must(session_->retire_incarnation(incarnation_));
  const auto second = must(session_->claim_schedules({{"PlaceOrder"}, other, seconds(10)}));
  ASSERT_THAT(second, SizeIs(1));
  harness_->let_time_pass(seconds(11));
  const auto third = must(session_->register_incarnation("host-c", "build-1"));
  ASSERT_THAT(must(session_->claim_schedules({{"PlaceOrder"}, third})), SizeIs(1));
  EXPECT_TRUE(must(session_->advance_schedule(moved_on(second[0], other)))) << "nobody else was faster";
  ScheduleProgress late = moved_on(first[0], incarnation_);
  late.last_saga_id = "nightly/2025";
  EXPECT_FALSE(must(session_->advance_schedule(late)));
  EXPECT_EQ(must(session_->schedules()).front().last_saga_id, "nightly/2026") << "never an older one";
}

TEST_P(StoreContract, WhatAPersonChangedIsNotWrittenOver) {
  const Time now = must(session_->now());
  must(session_->put_schedule(nightly(now - seconds(1))));
  const auto due = must(session_->claim_schedules({{"PlaceOrder"}, incarnation_}));
  ASSERT_THAT(due, SizeIs(1));
  Schedule changed = nightly(now + minutes(30));
  changed.timing.cron = "0 4 * * *";
  must(session_->put_schedule(changed));
  EXPECT_FALSE(must(session_->advance_schedule(moved_on(due[0], incarnation_))));
  const Schedule kept = must(session_->schedules()).front();
  EXPECT_EQ(kept.next_at, now + minutes(30));
  EXPECT_EQ(kept.last_saga_id, "nightly/2026") << "it was started all the same";
  EXPECT_TRUE(must(session_->change_schedule({ScheduleChange::Kind::remove, "nightly", {}, "ann", "over"})));
  EXPECT_FALSE(must(session_->advance_schedule(moved_on(due[0], incarnation_))));
  EXPECT_THAT(must(session_->schedules()), IsEmpty());
}

TEST_P(StoreContract, APausedScheduleIsNotDueAndGoesOnWhereItIsTold) {
  using Kind = ScheduleChange::Kind;
  const Time now = must(session_->now());
  must(session_->put_schedule(nightly(now - seconds(1))));
  EXPECT_TRUE(must(session_->change_schedule({Kind::pause, "nightly", {}, "bob", "a holiday"})));
  EXPECT_FALSE(must(session_->change_schedule({Kind::pause, "nightly", {}, "bob", "a holiday"})));
  EXPECT_FALSE(must(session_->change_schedule({Kind::pause, "daily", {}, "bob", "a holiday"})));
  EXPECT_THAT(must(session_->claim_schedules({{"PlaceOrder"}, incarnation_})), IsEmpty());
  must(session_->put_schedule(nightly(now - seconds(1))));
  const Schedule paused = must(session_->schedules()).front();
  EXPECT_TRUE(paused.paused) << "also put again";
  EXPECT_TRUE(must(session_->change_schedule({Kind::resume, "nightly", now + minutes(2), "bob", "back"})));
  EXPECT_FALSE(must(session_->change_schedule({Kind::resume, "nightly", now + minutes(3), "bob", "back"})));
  const Schedule resumed = must(session_->schedules()).front();
  EXPECT_FALSE(resumed.paused);
  EXPECT_EQ(resumed.next_at, now + minutes(2));
  EXPECT_EQ(resumed.who, "bob");
  EXPECT_EQ(resumed.why, "back");
  EXPECT_TRUE(must(session_->change_schedule({Kind::remove, "nightly", {}, "bob", "not needed"})));
  EXPECT_FALSE(must(session_->change_schedule({Kind::remove, "nightly", {}, "bob", "not needed"})));
}

TEST_P(StoreContract, AWaitingTickIsDueOnceTheLastSagaHasEnded) {
  must(session_->commit(batch({start(1001, "nightly/2026")})));
  const Time now = must(session_->now());
  must(session_->put_schedule(nightly(now - seconds(1))));
  auto due = must(session_->claim_schedules({{"PlaceOrder"}, incarnation_}));
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_FALSE(due[0].last_open) << "it has started none";
  ScheduleProgress progress = moved_on(due[0], incarnation_);
  progress.next_at = now + minutes(60);
  progress.waiting_at = now;
  EXPECT_TRUE(must(session_->advance_schedule(progress)));
  EXPECT_EQ(must(session_->schedules()).front().waiting_at, now);
  EXPECT_THAT(must(session_->claim_schedules({{"PlaceOrder"}, incarnation_})), IsEmpty())
      << "the last is open";
  must(session_->commit(batch({advance(1001, 1, SagaStatus::kCompleted)})));
  due = must(session_->claim_schedules({{"PlaceOrder"}, incarnation_}));
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due[0].schedule.waiting_at, now);
  EXPECT_FALSE(due[0].last_open);
}

TEST_P(StoreContract, TheLastSagaIsOpenUntilItHasEnded) {
  must(session_->commit(batch({start(1001, "nightly/2026")})));
  must(session_->put_schedule(nightly(must(session_->now()) - minutes(10))));
  const auto claim = [&] { return must(session_->claim_schedules({{"PlaceOrder"}, incarnation_})); };
  auto due = claim();
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_TRUE(must(session_->advance_schedule(moved_on(due[0], incarnation_))));
  due = claim();
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_TRUE(due[0].last_open);
}

}  // namespace skald::contract
