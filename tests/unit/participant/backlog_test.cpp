// What a participant read and may not do yet: who waits, whose turn it is, and how far a partition counts as done.
#include "participant/backlog.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skald::participant::detail {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// A backlog of a participant with these limits; each command is an offset of a partition.
class Held {
 public:
  explicit Held(CommandLimits::Limits given, std::size_t maximum_batch = 500)
      : limits(given, statistics), backlog(limits, statistics, maximum_batch) {}

  static Record record(std::int64_t offset, std::int32_t partition = 0) {
    Record record;
    record.topic = "commands";
    record.partition = partition;
    record.offset = offset;
    record.value = std::to_string(offset);
    return record;
  }

  /// These steps, one record each, from offset `first` on.
  static Work read(const std::vector<std::string>& steps, std::int64_t first, std::int32_t partition = 0) {
    Work work;
    for (const auto& step : steps) {
      wire::Command command;
      command.step = step;
      work.command_records.push_back(work.records.size());
      work.records.push_back(record(first++, partition));
      work.commands.push_back(command);
    }
    return work;
  }

  Work admit(const std::vector<std::string>& steps, std::int64_t first, std::int32_t partition = 0) {
    return backlog.admit(read(steps, first, partition), now);
  }

  /// They were executed, successfully or not; answers where their partitions are then.
  std::vector<std::int64_t> done(Work work, bool failed = false) {
    for (std::size_t index = 0; index < work.commands.size(); ++index) {
      limits.tell(work.commands[index].step, work.tickets[index], failed, now);
      limits.end(work.commands[index].step, work.tickets[index]);
    }
    std::vector<std::int64_t> offsets;
    for (const auto& position : backlog.finish(work.records, {})) {
      EXPECT_EQ(position.last_checksum,
                checksum_of(record(position.next.offset - 1, position.next.partition.partition)));
      offsets.push_back(position.next.offset);
    }
    return offsets;
  }

  static std::vector<std::string> steps(const Work& work) {
    std::vector<std::string> all;
    for (const auto& command : work.commands) all.push_back(command.step);
    return all;
  }
  static std::vector<std::int64_t> offsets(const Work& work) {
    std::vector<std::int64_t> all;
    for (const auto place : work.command_records) all.push_back(work.records[place].offset);
    return all;
  }

  Statistics statistics;
  CommandLimits limits;
  Backlog backlog;
  CommandLimits::Now now = 1h;
};

TEST(Backlog, WithoutLimitsHoldsNothing) {
  Held held({});
  auto work = held.admit({"a", "b", "a"}, 5);
  EXPECT_EQ(work.commands.size(), 3u);
  EXPECT_TRUE(held.backlog.empty());
  EXPECT_THAT(held.done(std::move(work)), ElementsAre(8));
}

TEST(Backlog, HoldsWhatIsBeyondTheLimitAndLetsItGoInItsOrder) {
  Held held({{"a", {.maximum_concurrent = 2}}});
  auto work = held.admit({"a", "a", "a", "a", "a"}, 0);
  EXPECT_THAT(Held::offsets(work), ElementsAre(0, 1));
  EXPECT_EQ(held.statistics.waiting, 3u);
  EXPECT_THAT(held.backlog.partitions(), ElementsAre(TopicPartition{"commands", 0}));
  EXPECT_THAT(Held::offsets(held.backlog.release(held.now)), IsEmpty()) << "the two are not over yet";
  EXPECT_THAT(held.done(std::move(work)), ElementsAre(2));
  work = held.backlog.release(held.now);
  EXPECT_THAT(Held::offsets(work), ElementsAre(2, 3));
  EXPECT_THAT(held.done(std::move(work)), ElementsAre(4));
  EXPECT_THAT(held.done(held.backlog.release(held.now)), ElementsAre(5));
  EXPECT_TRUE(held.backlog.empty());
  EXPECT_EQ(held.backlog.bytes(), 0u);
}

TEST(Backlog, OneStepsLimitDoesNotHoldUpAnother) {
  Held held({{"a", {.maximum_concurrent = 1}}});
  const auto work = held.admit({"a", "a", "b", "a", "b"}, 0);
  EXPECT_THAT(Held::steps(work), ElementsAre("a", "b", "b"));
}

TEST(Backlog, ThePositionStopsAtTheFirstThatIsNotDoneAndThenTakesAllAtOnce) {
  Held held({{"a", {.maximum_concurrent = 1}}});
  EXPECT_THAT(held.done(held.admit({"a", "a", "b", "b"}, 10)), ElementsAre(11));
  EXPECT_THAT(held.done(held.backlog.release(held.now)), ElementsAre(14))
      << "those behind it were done before";
}

TEST(Backlog, NewcomersDoNotOvertakeWhatWaits) {
  Held held({{"a", {.maximum_starts_per_second = 1}}});
  held.done(held.admit({"a", "a"}, 0));
  held.now += 1s;
  EXPECT_THAT(Held::offsets(held.admit({"a"}, 0, 1)), IsEmpty());
  const auto work = held.backlog.release(held.now);
  EXPECT_EQ(work.records.at(0).offset, 1);
}

TEST(Backlog, TheRateLetsOneGoWhenItsTimeHasCome) {
  Held held({{"a", {.maximum_starts_per_second = 2}}});
  held.done(held.admit({"a", "a"}, 0));
  EXPECT_EQ(held.backlog.next_start(held.now), held.now + 500ms);
  held.now += 499ms;
  EXPECT_TRUE(held.backlog.release(held.now).commands.empty());
  held.now += 1ms;
  EXPECT_EQ(held.backlog.release(held.now).commands.size(), 1u);
}

TEST(Backlog, StepsTakeTurnsAtWhatIsCommonToAll) {
  Held held({{"*", {.maximum_concurrent = 4}}});
  held.done(held.admit({"a", "a", "a", "a"}, 0));
  auto busy = held.admit({"c", "c", "c", "c"}, 0, 2);
  std::vector<std::string> many(100, "a");
  many.insert(many.end(), {"b", "b"});
  EXPECT_TRUE(held.admit(many, 0, 1).commands.empty());
  held.done(std::move(busy));
  EXPECT_THAT(Held::steps(held.backlog.release(held.now)), testing::UnorderedElementsAre("a", "a", "b", "b"));
}

TEST(Backlog, StepsTakeTurnsThoughOnlyOneMayStartAtATime) {
  Held held({{"*", {.maximum_concurrent = 1}}});
  auto busy = held.admit({"c"}, 0, 1);
  held.admit({"a", "a", "a", "b", "b"}, 0);
  std::vector<std::string> order;
  for (int round = 0; round < 4; ++round) {
    held.done(std::move(busy));
    busy = held.backlog.release(held.now);
    order.push_back(Held::steps(busy).at(0));
  }
  EXPECT_THAT(order, ElementsAre("a", "b", "a", "b"));
}

TEST(Backlog, AnOpenBreakerHoldsEverythingAndLetsOneTry) {
  Held held({{"a", {.breaker = {.failures = 2, .open_for = 10s}}}});
  held.done(held.admit({"a", "a"}, 0), true);
  EXPECT_EQ(held.statistics.breakers_open, 1u);
  EXPECT_TRUE(held.admit({"a", "a", "a"}, 2).commands.empty());
  EXPECT_EQ(held.backlog.next_start(held.now), held.now + 10s);
  held.now += 10s;
  auto trial = held.backlog.release(held.now);
  EXPECT_THAT(Held::offsets(trial), ElementsAre(2));
  held.done(std::move(trial), true);
  EXPECT_TRUE(held.backlog.release(held.now).commands.empty());
  held.now += 10s;
  held.done(held.backlog.release(held.now));
  EXPECT_EQ(held.statistics.breakers_open, 0u);
  EXPECT_THAT(held.done(held.backlog.release(held.now)), ElementsAre(5));
}

TEST(Backlog, WhatWasGivenBackComesFirstAgainAndIsNotDone) {
  Held held({{"a", {.maximum_concurrent = 3}}});
  auto work = held.admit({"a", "a", "a", "a"}, 0);
  for (std::size_t index = 0; index < 3; ++index) held.limits.end("a", work.tickets[index]);
  EXPECT_THAT(held.backlog.finish(work.records, {1, 2}), testing::SizeIs(1));
  for (const std::size_t index : {2, 1})
    held.backlog.give_back(std::move(work.records[index]), std::move(work.commands[index]));
  work = held.backlog.release(held.now);
  EXPECT_THAT(Held::offsets(work), ElementsAre(1, 2, 3));
  EXPECT_THAT(held.done(std::move(work)), ElementsAre(4));
}

TEST(Backlog, RecordsThatAreNoCommandsAreNotHeld) {
  Held held({{"a", {.maximum_concurrent = 1}}});
  auto arrived = Held::read({"a", "a"}, 0);
  arrived.records.push_back(Held::record(2));
  arrived.dead_letters.push_back({{}, 2, true});
  const auto work = held.backlog.admit(std::move(arrived), held.now);
  ASSERT_EQ(work.dead_letters.size(), 1u);
  EXPECT_EQ(work.records.at(work.dead_letters[0].record).offset, 2);
}

TEST(Backlog, ForgetsWhatItHeldWhenThePartitionsGoAndTakesNoPositionFromIt) {
  Held held({{"a", {.maximum_concurrent = 1}}});
  auto under_way = held.admit({"a", "a", "a"}, 7);
  held.backlog.forget();
  EXPECT_TRUE(held.backlog.empty());
  EXPECT_EQ(held.statistics.waiting, 0u);
  EXPECT_THAT(held.done(std::move(under_way)), IsEmpty()) << "somebody else reads from where we were";
  auto again = held.admit({"a", "a", "a"}, 7);
  EXPECT_THAT(held.done(std::move(again)), ElementsAre(8));
}

TEST(Backlog, APartitionThatIsReadAnewIsCountedAnew) {
  Held held({});
  auto work = held.admit({"a", "a"}, 7);
  auto again = held.admit({"a", "a", "a"}, 6);
  EXPECT_THAT(held.done(std::move(work)), IsEmpty()) << "6 is not done";
  EXPECT_THAT(held.done(std::move(again)), ElementsAre(9));
}

// --- settings -----------------------------------------------------------------------------------------------------

TEST(LimitSettings, NameAStepAndAKey) {
  CommandLimits::Limits limits;
  for (const char* good : {"charge-card.maximum_concurrent=4", "charge-card.breaker.failures=5",
                           "v1.charge.breaker.open_for=30s", "*.maximum_starts_per_second=0.5"})
    EXPECT_EQ(set_limit(limits, good), std::nullopt) << good;
  EXPECT_EQ(limits["charge-card"].maximum_concurrent, 4);
  EXPECT_EQ(limits["charge-card"].breaker.failures, 5);
  EXPECT_EQ(limits["v1.charge"].breaker.open_for, 30s);
  EXPECT_EQ(limits["*"].maximum_starts_per_second, 0.5);
}

TEST(LimitSettings, ThatAreWrongAreToldByName) {
  CommandLimits::Limits limits;
  EXPECT_THAT(set_limit(limits, "charge-card.maximum_concurrent=four").value(),
              testing::HasSubstr("charge-card.maximum_concurrent does not take 'four'"));
  EXPECT_THAT(set_limit(limits, "charge-card.breaker.open_for=30").value(),
              testing::HasSubstr("takes a number with its unit"));
  for (const char* wrong : {"", "maximum_concurrent=4", ".maximum_concurrent=4", "a.maximum=4",
                            "a.maximum_concurrent", "a b.maximum_concurrent=4", "a*.maximum_concurrent=1"})
    EXPECT_THAT(set_limit(limits, wrong).value_or(""), testing::HasSubstr("is not STEP.KEY=VALUE")) << wrong;
  EXPECT_TRUE(limits.empty());
  EXPECT_EQ(problem_of("a", {.breaker = {.failures = 5, .attempts = 2}}),
            "a.breaker.attempts (2) has to be at least breaker.failures (5)");
}

}  // namespace
}  // namespace skald::participant::detail
