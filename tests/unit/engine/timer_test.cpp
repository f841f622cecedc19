// Sagas that sleep: when they wake, what a deadline, a rollback and a crash make of it, and where the limits are. Method:
// scripts in which only pass() moves time; every EngineTest runs again with the saga rebuilt from history after each
// transition.
#include "sagas.hpp"

namespace skald::engine {
namespace {

using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Sleeps : Saga<Order, Done> {
  static constexpr std::string_view name = "sleeps";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    co_await saga.sleep(days{30});
    co_return co_await saga.step<Ship>(order);
  }
};

TEST_P(EngineTest, SleepGoesOnWhenItIsOverAndNotBefore) {
  run.options("reserve").schedule_to_close = 1min;
  run.environment().first_wake_up = 1min;
  run.start<Sleeps>();
  EXPECT_EQ(run.status().wake_at, run.now() + 1min);
  run.sent();
  run.pass(10s);
  run.succeed(1);
  EXPECT_EQ(run.status().wake_at, run.now() + days{30})
      << "the bound that the step left is moved: nobody is woken for nothing";
  EXPECT_EQ(run.instance().next_deadline(), run.now() + days{30});
  EXPECT_EQ(run.status().sequence, 2);
  run.pass(days{30} - 1ms);  // woken early
  EXPECT_THAT(run.sent(), IsEmpty());
  EXPECT_EQ(run.status().sequence, 2) << "an early wake-up writes no history";
  EXPECT_EQ(run.status().wake_at, run.now() + 1ms);
  run.pass(1ms);
  EXPECT_THAT(run.sent(), ElementsAre("ship action 1"));
  EXPECT_THAT(run.stored().history[1].events, HasSubstr(R"({"type":"timer","ordinal":1,"until":)"));
  EXPECT_THAT(run.stored().history[2].events, HasSubstr(R"({"type":"fired","ordinal":1})"));
  run.succeed(2);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

struct SleepsFirst : Saga<Order, Done> {
  static constexpr std::string_view name = "sleeps-first";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.sleep(days{1});
    co_return Done{order.id};
  }
};

TEST_P(EngineTest, SagaThatOnlySleepsHasItsExactWakeUpFromTheStart) {
  run.environment().first_wake_up = 1min;
  run.start<SleepsFirst>();
  EXPECT_EQ(run.status().wake_at, run.now() + days{1});
  EXPECT_TRUE(run.instance().asleep());
}

TEST_P(EngineTest, WakeUpAtItsTimeCountsThoughTheMomentLags) {
  run.start<SleepsFirst>();
  Wake wake{{1}, run.status().wake_at};
  run.advance(wake);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, WakeUpLongAfterItsTimeCounts) {
  run.start<SleepsFirst>();
  run.pass(days{100});
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

/// Every unit and every way to be due already.
struct NeverWaits : Saga<Order, Done> {
  static constexpr std::string_view name = "never-waits";
  Task<Done> run(Context& saga, Order order) override {
    const Time before = saga.now();
    co_await saga.sleep(0s);
    co_await saga.sleep(-5min);
    co_await saga.sleep(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()));
    co_await saga.sleep(std::chrono::hours::min());
    co_await saga.sleep_until(before - days{1});
    co_await saga.sleep_until(Time::min());
    co_await saga.sleep_until(before);
    co_return Done{std::to_string((saga.now() - before).count())};
  }
};

TEST_P(EngineTest, ZeroNegativeAndPastReturnAtOnceAndAreRecorded) {
  run.start<NeverWaits>();
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
  EXPECT_THAT(run.stored().history[0].events, HasSubstr(R"("type":"timer","ordinal":7)"));
  EXPECT_FALSE(run.reload());
}

struct SleepsANanosecond : Saga<Order, Done> {
  static constexpr std::string_view name = "sleeps-a-nanosecond";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.sleep(1ns);
    co_return Done{order.id};
  }
};

TEST_P(EngineTest, SleepIsRoundedUpSoThatItIsNeverTooShort) {
  run.start<SleepsANanosecond>();
  EXPECT_EQ(run.status().wake_at, run.now() + 1ms);
  run.pass(1ms);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

/// A step beside a sleep: whichever is first, both are waited for.
struct SleepsBesideAStep : Saga<Order, Done> {
  static constexpr std::string_view name = "sleeps-beside-a-step";
  Task<Done> run(Context& saga, Order order) override {
    auto reserved = saga.start<Reserve>(order);
    co_await saga.sleep(1h);
    co_return co_await reserved;
  }
};

TEST_P(EngineTest, StepAnsweredDuringASleepIsThereAfterIt) {
  run.start<SleepsBesideAStep>();
  EXPECT_EQ(run.status().wake_at, run.now() + 1h);
  EXPECT_FALSE(run.instance().asleep()) << "an answer may come";
  run.pass(10min);
  run.succeed(1);
  EXPECT_EQ(run.status().status, SagaStatus::kRunning);
  EXPECT_TRUE(run.instance().asleep());
  EXPECT_EQ(run.status().wake_at, run.now() + 50min);
  run.pass(50min);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, StepAnsweredAfterASleepIsWaitedFor) {
  run.start<SleepsBesideAStep>();
  run.pass(1h);
  EXPECT_EQ(run.status().wake_at, kNever);
  run.succeed(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, DeadlinesOfStepsAndTimersFallDueEachAtItsTime) {
  run.options("reserve").start_to_close = 10min;
  run.start<SleepsBesideAStep>();
  EXPECT_EQ(run.status().wake_at, run.now() + 10min);
  run.sent();
  run.pass(10min);
  run.pass(2s);
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 2"));
  run.pass(1h);  // the attempt's time and the timer are over together
  EXPECT_THAT(run.stored().history.back().events, HasSubstr(R"({"type":"fired","ordinal":1})"));
  EXPECT_THAT(run.stored().history.back().events, HasSubstr("attempt-timeout"));
}

struct StartsEarly : Saga<Order, Done> {
  static constexpr std::string_view name = "starts-early";
  Task<Done> run(Context& saga, Order order) override {
    auto timer = saga.sleep(1h);
    auto later = saga.sleep(2h);
    co_await saga.step<Reserve>(order);
    co_await timer;
    if (order.cents == 0) co_return Done{"left one open"};
    co_await later;
    co_return Done{order.id};
  }
};

TEST_P(EngineTest, TimersRunFromTheirStartAndFireInAnyNumber) {
  run.start<StartsEarly>();
  run.pass(90min);
  run.succeed(1);
  EXPECT_EQ(run.status().wake_at, run.now() + 30min);
  run.pass(30min);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, TimerStillOpenAtReturnIsNotWaitedFor) {
  run.start<StartsEarly>(R"({"id":"o-1","cents":0})");
  run.succeed(1);
  run.pass(1h);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
  EXPECT_EQ(run.instance().next_deadline(), kNever);
}

struct SleepsWithDeadline : Sleeps {
  static constexpr SagaOptions options{.deadline = 1h};
};

TEST_P(EngineTest, DeadlineDuringASleepRollsBackAndTheTimerIsForgotten) {
  run.start<SleepsWithDeadline>();
  const Time deadline = run.now() + 1h;
  run.pass(1min);
  run.succeed(1);
  EXPECT_EQ(run.status().wake_at, deadline);
  run.sent();
  run.pass(59min);
  EXPECT_EQ(run.status().status, SagaStatus::kRollingBack);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
  EXPECT_EQ(run.instance().next_deadline(), kNever);
  run.pass(days{31});
  EXPECT_THAT(run.stored().history.back().events, Not(HasSubstr("fired")));
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

struct SleepsAfterThePivot : Saga<Order, Done> {
  static constexpr std::string_view name = "sleeps-after-the-pivot";
  static constexpr SagaOptions options{.deadline = 1h};
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.pivot<Charge>(order);
    co_await saga.sleep(days{2});
    co_return Done{order.id};
  }
};

TEST_P(EngineTest, SagaThatOnlyGoesForwardSleepsPastItsDeadline) {
  run.start<SleepsAfterThePivot>();
  run.succeed(1);
  EXPECT_EQ(run.status().wake_at, run.now() + days{2});
  run.pass(days{2});
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, SleepingSagaIsStuckAndWokenAgainByAnOperator) {
  run.start<SleepsFirst>();
  run.advance(Poison{"poison-input", "x", "y"});
  run.pass(days{2});
  EXPECT_EQ(run.status().status, SagaStatus::kStuck);
  run.decide(OperatorVerb::retry, 0);
  EXPECT_LE(run.status().wake_at, run.now());
  run.pass(0ms);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

template <class Duration, std::int64_t kCount>
struct SleepsFor : Saga<Order, Done> {
  static constexpr std::string_view name = "sleeps-for";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    co_await saga.sleep(Duration{kCount});
    co_return Done{order.id};
  }
};

template <class S>
void expect_timer_limit() {
  Script run;
  run.start<S>();
  run.succeed(1);
  EXPECT_EQ(run.status().stuck_reason, "timer-limit");
  EXPECT_THAT(run.stored().history.back().events, HasSubstr("timer #1 is due in more than 36525 days"));
  EXPECT_THAT(run.stored().history.back().events, Not(HasSubstr(R"("type":"timer")")));
  EXPECT_FALSE(run.deploy<Sleeps>()) << "mended code starts before the defect";
  run.decide(OperatorVerb::retry, 0);
  EXPECT_EQ(run.status().wake_at, run.now() + days{30});
}

TEST(Timer, BeyondItsLimitMakesTheSagaStuck) {
  expect_timer_limit<SleepsFor<days, 36'526>>();
  expect_timer_limit<SleepsFor<std::chrono::hours, INT64_MAX>>();
  expect_timer_limit<SleepsFor<std::chrono::milliseconds, INT64_MAX>>();
}

TEST(Timer, OfAHundredYearsIsFine) {
  Script run;
  run.start<SleepsFor<days, 36'525>>();
  run.succeed(1);
  EXPECT_EQ(run.status().wake_at, run.now() + days{36'525});
}

struct NeverStops : Saga<Order, Done> {
  static constexpr std::string_view name = "never-stops";
  Task<Done> run(Context& saga, Order) override {
    while (true) co_await saga.sleep(0s);
  }
};

TEST(Timer, CountsAgainstWhatATransitionMayStart) {
  Script run;
  run.environment().limits.maximum_steps_per_transition = 100;
  run.start<NeverStops>();
  EXPECT_EQ(run.status().stuck_reason, "step-limit");
  EXPECT_EQ(run.instance().next_deadline(), kNever);
}

struct SleepsLess : Saga<Order, Done> {
  static constexpr std::string_view name = "sleeps";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    co_await saga.sleep(days{20});
    co_return co_await saga.step<Ship>(order);
  }
};
struct SleepsNoMore : Saga<Order, Done> {
  static constexpr std::string_view name = "sleeps";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    co_return co_await saga.step<Ship>(order);
  }
};
struct SleepsAtOnce : Saga<Order, Done> {
  static constexpr std::string_view name = "sleeps";
  Task<Done> run(Context& saga, Order order) override {
    auto reserved = saga.start<Reserve>(order);
    co_await reserved;
    co_return Done{order.id};
  }
};

TEST(Timer, OfOtherCodeIsADivergenceThatNamesIt) {
  Script run;
  run.start<Sleeps>();
  run.succeed(1);
  EXPECT_EQ(run.deploy<SleepsLess>()->message,
            "history has `timer #1 until 1970-01-31T00:16:40.000Z`, the code gives `timer #1 until "
            "1970-01-21T00:16:40.000Z`");
  EXPECT_EQ(run.deploy<SleepsNoMore>()->message,
            "history has `timer #1 until 1970-01-31T00:16:40.000Z`, the code gives `step ship #2`");
  EXPECT_THAT(run.deploy<SleepsAtOnce>()->message, HasSubstr("the code gives `returned`"));
  ASSERT_FALSE(run.deploy<Sleeps>());
  run.pass(days{30});
  EXPECT_THAT(run.deploy<SleepsNoMore>()->message, HasSubstr("timer #1"));
  EXPECT_FALSE(run.deploy<Sleeps>());
}

TEST(Timer, ThatHistoryFiresAndTheCodeNeverStartedIsADivergence) {
  Script run;
  run.start<SleepsFirst>();
  HistoryEntry entry;
  entry.at = run.now();
  Event fired;
  fired.kind = EventKind::kFired;
  fired.ordinal = 2;
  entry.events.push_back(fired);
  run.stored().history.push_back({2, write_entry(entry)});
  run.stored().row.sequence = 2;
  const auto problem = run.reload();
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->message, "history has timer #2 fired, which the code never started");
}

TEST(Timer, SameInputsGiveTheSameHistoryByteForByte) {
  const auto play = [] {
    Script run;
    run.start<StartsEarly>();
    run.pass(90min);
    run.succeed(1);
    run.pass(30min);
    std::string histories;
    for (const HistoryRow& row : run.stored().history) histories += row.events;
    return histories;
  };
  EXPECT_EQ(play(), play());
}

}  // namespace
}  // namespace skald::engine
