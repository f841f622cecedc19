// Who of the waiting attempts of local steps begins next, with time as a number.
#include "runtime/local_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skald::runtime {
namespace {

using namespace std::chrono_literals;
using limits::BreakerChange;
using testing::ElementsAre;

LocalTask task(const std::string& step, const std::string& input = "",
               std::optional<std::chrono::nanoseconds> stop_at = std::nullopt) {
  LocalTask task;
  task.step = step;
  task.input = input;
  task.stop_at = stop_at;
  return task;
}

/// The steps of the attempts that may begin now.
std::vector<std::string> pop_all(LocalQueue& queue, LocalQueue::Nanoseconds now) {
  std::vector<std::string> steps;
  while (auto started = queue.pop(now)) steps.push_back(started->task.step + started->task.input);
  return steps;
}

TEST(LocalQueue, StepsTakeTurnsAndTheAttemptsOfAStepKeepTheirOrder) {
  LocalQueue queue({});
  for (const char* number : {"1", "2", "3"}) queue.push(task("a", number));
  queue.push(task("b", "1"));
  EXPECT_THAT(pop_all(queue, 1s), ElementsAre("a1", "b1", "a2", "a3"));
  EXPECT_EQ(queue.size(), 0u);
}

TEST(LocalQueue, AStepAtItsLimitHoldsUpNobodyElse) {
  LocalQueue queue({{"a", {.maximum_concurrent = 1}}});
  for (int attempt = 0; attempt < 1000; ++attempt) queue.push(task("a"));
  const auto running = queue.pop(1s);
  ASSERT_TRUE(running);
  EXPECT_FALSE(queue.can_pop(1s));
  EXPECT_EQ(queue.next_pop(1s), std::nullopt);
  queue.push(task("b"));
  EXPECT_THAT(pop_all(queue, 1s), ElementsAre("b"));
  queue.end("a", running->ticket, false, 1s);
  EXPECT_THAT(pop_all(queue, 1s), ElementsAre("a"));
  EXPECT_EQ(queue.waiting().at(0).attempts, 998u);
}

TEST(LocalQueue, TellsWhenTheRateLetsTheNextBegin) {
  LocalQueue queue({{"a", {.maximum_starts_per_second = 4}}});
  queue.push(task("a"));
  queue.push(task("a"));
  EXPECT_EQ(queue.next_pop(1s), std::nullopt) << "one may at once";
  EXPECT_EQ(pop_all(queue, 1s).size(), 1u);
  EXPECT_EQ(queue.next_pop(1s), 1250ms);
  EXPECT_TRUE(queue.can_pop(1250ms));
}

TEST(LocalQueue, AnOpenBreakerLetsItsAttemptsWaitAndOneTry) {
  LocalQueue queue({{"a", {.breaker = {.failures = 2, .open_for = 10s}}}});
  for (int attempt = 0; attempt < 5; ++attempt) queue.push(task("a"));
  const auto first = queue.pop(1s), second = queue.pop(1s), third = queue.pop(1s);
  EXPECT_EQ(queue.end("a", first->ticket, true, 1s), BreakerChange::kNone);
  EXPECT_EQ(queue.end("a", second->ticket, true, 1s), BreakerChange::kOpened);
  EXPECT_EQ(queue.end("a", third->ticket, false, 2s), BreakerChange::kNone) << "it began before";
  EXPECT_EQ(queue.size(), 2u) << "they wait and do not fail";
  EXPECT_EQ(queue.next_pop(2s), 11s);
  const auto trial = queue.pop(11s);
  ASSERT_TRUE(trial);
  EXPECT_FALSE(queue.can_pop(1h)) << "one at a time";
  EXPECT_EQ(queue.end("a", trial->ticket, false, 12s), BreakerChange::kClosed);
  EXPECT_TRUE(queue.can_pop(12s));
}

TEST(LocalQueue, GivesUpWhatHasNotBegunByItsDeadline) {
  LocalQueue queue({{"a", {.maximum_concurrent = 1}}});
  queue.push(task("a", "1", 5s));
  queue.push(task("a", "2"));
  queue.push(task("a", "3", 9s));
  EXPECT_TRUE(queue.take_overdue(5s - 1ns, false).empty());
  const auto overdue = queue.take_overdue(5s, false);
  ASSERT_EQ(overdue.size(), 1u);
  EXPECT_EQ(overdue[0].input, "1");
  EXPECT_EQ(queue.pop(5s)->task.input, "2");
  EXPECT_EQ(queue.size(), 1u);
}

TEST(LocalQueue, GivesUpAllOfTheStepsWithLimitsWhenTheProcessStops) {
  LocalQueue queue({{"a", {.maximum_concurrent = 1}}});
  queue.push(task("a"));
  queue.push(task("b"));
  EXPECT_EQ(queue.take_overdue(1s, true).size(), 1u);
  EXPECT_THAT(pop_all(queue, 1s), ElementsAre("b"));
}

}  // namespace
}  // namespace skald::runtime
