// The parts of a limit, with time as a number: the rate that holds over every span, each transition of the breaker, and
// what a limiter of all of them lets begin.
#include <gtest/gtest.h>

#include <limits>

#include "limits/step_limiter.hpp"

namespace skald::limits {
namespace {

using namespace std::chrono_literals;
using State = CircuitBreaker::State;

// --- rate ---------------------------------------------------------------------------------------------------------

/// Takes whatever is available, a millisecond at a time, and answers when each start was.
std::vector<Nanoseconds> starts(TokenBucket& bucket, Nanoseconds from, Nanoseconds to) {
  std::vector<Nanoseconds> all;
  for (auto now = from; now < to; now += 1ms)
    while (bucket.available(now)) {
      bucket.take(now);
      all.push_back(now);
    }
  return all;
}

TEST(TokenBucket, LetsThroughItsRateAndATenthOfASecondsWorthInEverySpan) {
  for (const double rate : {0.5, 1.0, 3.0, 50.0, 400.0}) {
    TokenBucket bucket(rate);
    const auto all = starts(bucket, 7h, 7h + 5s);
    EXPECT_GE(static_cast<double>(all.size()), 5 * rate) << "no less than the rate";
    const double kept = std::max(1.0, rate / 10);
    for (std::size_t first = 0; first < all.size(); ++first)
      for (std::size_t last = first; last < all.size(); ++last) {
        const double span = std::chrono::duration<double>(all[last] - all[first]).count();
        ASSERT_LE(static_cast<double>(last - first + 1), span * rate + kept + 1e-6) << rate;
      }
  }
}

TEST(TokenBucket, KeepsNoMoreForAQuietMoment) {
  TokenBucket bucket(100);
  EXPECT_EQ(starts(bucket, 0s, 1ms).size(), 10u);
  EXPECT_EQ(starts(bucket, 24h, 24h + 1ms).size(), 10u);
}

TEST(TokenBucket, SaysWhenTheNextMayStartAndHoldsTo) {
  TokenBucket bucket(3);
  bucket.take(5s);
  const auto next = bucket.next(5s);
  EXPECT_FALSE(bucket.available(next - 1ns));
  EXPECT_TRUE(bucket.available(next));
  EXPECT_NEAR(static_cast<double>((next - 5s).count()), 1e9 / 3, 1);
}

TEST(TokenBucket, WhatWasNotUsedIsThereAgain) {
  TokenBucket bucket(1);
  bucket.take(5s);
  EXPECT_FALSE(bucket.available(5s));
  bucket.give_back();
  EXPECT_TRUE(bucket.available(5s));
}

TEST(TokenBucket, OfNoRateLetsEverythingThrough) {
  TokenBucket bucket(0);
  for (int start = 0; start < 1000; ++start) bucket.take(1s);
  EXPECT_TRUE(bucket.available(1s));
}

// --- breaker ------------------------------------------------------------------------------------------------------

BreakerChange run(CircuitBreaker& breaker, bool failed, Nanoseconds now) {
  EXPECT_TRUE(breaker.lets_through(now));
  const auto epoch = breaker.begin(now);
  const auto change = breaker.tell(epoch, failed, now);
  breaker.end(epoch);
  return change;
}

/// Open since `at`.
CircuitBreaker opened(Nanoseconds at) {
  CircuitBreaker breaker({.failures = 3, .open_for = 10s});
  EXPECT_EQ(run(breaker, true, at), BreakerChange::kNone);
  EXPECT_EQ(run(breaker, true, at), BreakerChange::kNone);
  EXPECT_EQ(run(breaker, true, at), BreakerChange::kOpened);
  return breaker;
}

TEST(CircuitBreaker, OpensAfterSoManyFailuresInARow) {
  CircuitBreaker breaker({.failures = 3});
  for (int round = 0; round < 10; ++round) {
    EXPECT_EQ(run(breaker, true, 1s), BreakerChange::kNone);
    EXPECT_EQ(run(breaker, true, 1s), BreakerChange::kNone);
    EXPECT_EQ(run(breaker, false, 1s), BreakerChange::kNone) << "a success between them";
  }
  EXPECT_EQ(breaker.state(1s), State::kClosed);
  EXPECT_EQ(opened(1s).state(1s), State::kOpen);
}

TEST(CircuitBreaker, OpensAfterSoManyFailuresAmongTheLastAttempts) {
  CircuitBreaker breaker({.failures = 5, .attempts = 10});
  for (int round = 0; round < 8; ++round) run(breaker, round % 2 == 0, 1s);
  EXPECT_EQ(breaker.state(1s), State::kClosed) << "four of eight";
  EXPECT_EQ(run(breaker, true, 1s), BreakerChange::kOpened);
}

TEST(CircuitBreaker, ForgetsFailuresThatAreNotAmongTheLastAttempts) {
  CircuitBreaker breaker({.failures = 3, .attempts = 4});
  run(breaker, true, 1s);
  run(breaker, true, 1s);
  run(breaker, false, 1s);
  run(breaker, false, 1s);
  EXPECT_EQ(run(breaker, true, 1s), BreakerChange::kNone);
  EXPECT_EQ(run(breaker, true, 1s), BreakerChange::kNone);
  EXPECT_EQ(run(breaker, true, 1s), BreakerChange::kOpened);
}

TEST(CircuitBreaker, LetsNothingThroughWhileOpenAndOneWhenHalfOpen) {
  auto breaker = opened(100s);
  EXPECT_FALSE(breaker.lets_through(110s - 1ns));
  EXPECT_EQ(breaker.half_open_at(), 110s);
  EXPECT_EQ(breaker.state(110s), State::kHalfOpen);
  EXPECT_TRUE(breaker.lets_through(110s));
  breaker.begin(110s);
  EXPECT_FALSE(breaker.lets_through(111s)) << "one at a time";
  EXPECT_EQ(breaker.half_open_at(), std::nullopt) << "not by time alone";
}

TEST(CircuitBreaker, ClosesOnItsSuccessAndCountsAnew) {
  auto breaker = opened(100s);
  EXPECT_EQ(run(breaker, false, 110s), BreakerChange::kClosed);
  EXPECT_EQ(run(breaker, true, 110s), BreakerChange::kNone);
  EXPECT_EQ(run(breaker, true, 110s), BreakerChange::kNone);
  EXPECT_EQ(run(breaker, true, 110s), BreakerChange::kOpened);
}

TEST(CircuitBreaker, OpensAgainOnItsFailure) {
  auto breaker = opened(100s);
  EXPECT_EQ(run(breaker, true, 113s), BreakerChange::kReopened);
  EXPECT_FALSE(breaker.lets_through(123s - 1ns));
  EXPECT_TRUE(breaker.lets_through(123s));
}

TEST(CircuitBreaker, LetsTheNextThroughIfTheOneWasNotExecuted) {
  auto breaker = opened(100s);
  breaker.end(breaker.begin(110s));
  EXPECT_EQ(run(breaker, false, 110s), BreakerChange::kClosed);
}

TEST(CircuitBreaker, IsNotToldByAttemptsThatBeganUnderAnEarlierState) {
  CircuitBreaker breaker({.failures = 1, .open_for = 10s});
  const auto early = breaker.begin(100s), late = breaker.begin(100s);
  EXPECT_TRUE(breaker.still_lets_through(late));
  EXPECT_EQ(breaker.tell(early, true, 100s), BreakerChange::kOpened);
  EXPECT_FALSE(breaker.still_lets_through(late));
  EXPECT_EQ(breaker.tell(late, false, 101s), BreakerChange::kNone)
      << "a success from before does not close it";
  const auto trial = breaker.begin(110s);
  EXPECT_EQ(breaker.tell(late, true, 111s), BreakerChange::kNone) << "nor does a failure decide the trial";
  breaker.end(late);
  EXPECT_FALSE(breaker.lets_through(111s)) << "nor does its end make place for a second one";
  EXPECT_EQ(breaker.tell(trial, false, 112s), BreakerChange::kClosed);
}

TEST(CircuitBreaker, WithoutFailuresNeverOpens) {
  CircuitBreaker breaker(BreakerOptions{});
  for (int attempt = 0; attempt < 2000; ++attempt) EXPECT_EQ(run(breaker, true, 1s), BreakerChange::kNone);
}

// --- together -----------------------------------------------------------------------------------------------------

TEST(StepLimiter, LetsSoManyRunAtOnce) {
  StepLimiter limiter({.maximum_concurrent = 2});
  const auto first = limiter.start(1s);
  limiter.start(1s);
  EXPECT_FALSE(limiter.may_start(1s));
  EXPECT_EQ(limiter.next_start(1s), std::nullopt) << "time alone does not help";
  limiter.end(first, true);
  EXPECT_TRUE(limiter.may_start(1s));
}

TEST(StepLimiter, SaysWhenAllOfItsLimitsLetTheNextStart) {
  StepLimiter limiter({.maximum_starts_per_second = 1, .breaker = {.failures = 1, .open_for = 10s}});
  const auto ticket = limiter.start(100s);
  EXPECT_EQ(limiter.next_start(100s), 101s);
  limiter.tell(ticket, true, 100s);
  limiter.end(ticket, true);
  EXPECT_EQ(limiter.next_start(100s), 110s);
  EXPECT_TRUE(limiter.may_start(110s));
  EXPECT_EQ(limiter.next_start(120s), 120s);
}

TEST(StepLimiter, DoesNotChargeForWhatWasNotExecuted) {
  StepLimiter limiter({.maximum_starts_per_second = 1});
  limiter.end(limiter.start(1s), false);
  EXPECT_TRUE(limiter.may_start(1s));
  limiter.end(limiter.start(1s), true);
  EXPECT_FALSE(limiter.may_start(1s));
}

TEST(StepLimits, ThatCannotBeAreNamed) {
  const auto key = [](const StepLimits& limits) {
    const auto problem = problem_of(limits);
    return problem ? problem->key : "";
  };
  EXPECT_EQ(key({}), "");
  EXPECT_EQ(key({.maximum_concurrent = 8, .maximum_starts_per_second = 0.5, .breaker = {.failures = 5}}), "");
  EXPECT_EQ(key({.maximum_concurrent = -1}), "maximum_concurrent");
  EXPECT_EQ(key({.maximum_starts_per_second = 0.0001}), "maximum_starts_per_second");
  EXPECT_EQ(key({.maximum_starts_per_second = std::numeric_limits<double>::quiet_NaN()}),
            "maximum_starts_per_second");
  EXPECT_EQ(key({.breaker = {.failures = 1001}}), "breaker.failures");
  EXPECT_EQ(key({.breaker = {.failures = 5, .attempts = 3}}), "breaker.attempts");
  EXPECT_EQ(key({.breaker = {.failures = 5, .open_for = 0ms}}), "breaker.open_for");
}

}  // namespace
}  // namespace skald::limits
