// Paused sagas: what comes in is kept, nothing goes out, and all of it happens when they are resumed. Method: as
// timer_test.cpp.
#include "sagas.hpp"

namespace skald::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_P(EngineTest, PausedSagaKeepsWhatComesInAndSendsNothing) {
  run.start<ThreeSteps>();
  run.sent();
  EXPECT_EQ(run.decide(OperatorVerb::pause, 0), Judgement::kApplied);
  EXPECT_EQ(run.succeed(1), Judgement::kApplied);
  EXPECT_THAT(run.sent(), IsEmpty());
  EXPECT_EQ(run.instance().next_deadline(), kNever);
  EXPECT_EQ(run.decide(OperatorVerb::pause, 0), Judgement::kDuplicate);
  EXPECT_EQ(run.decide(OperatorVerb::resume, 0), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1"));
  EXPECT_EQ(run.decide(OperatorVerb::resume, 0), Judgement::kRefused);
  run.succeed(2);
  run.succeed(3);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, PausedRollbackGoesOnWhenItIsResumed) {
  run.start<ThreeSteps>();
  run.succeed(1);
  run.succeed(2);
  run.decide(OperatorVerb::pause, 0);
  run.sent();
  run.fail(3, "no-truck", Retry::never);
  EXPECT_EQ(run.status().status, SagaStatus::kRunning) << "nothing follows yet";
  EXPECT_THAT(run.sent(), IsEmpty());
  run.decide(OperatorVerb::resume, 0);
  EXPECT_THAT(run.sent(), ElementsAre("charge compensation 1"));
  run.decide(OperatorVerb::pause, 0);
  run.undone(2);
  EXPECT_THAT(run.sent(), IsEmpty());
  run.decide(OperatorVerb::resume, 0);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
}

TEST_P(EngineTest, WhatFellDueDuringAPauseIsDueWhenItIsResumed) {
  run.options("reserve").start_to_close = 1min;
  run.options("reserve").retry = {.initial_interval = 1s, .jitter = 0};
  run.start<ThreeSteps>();
  run.decide(OperatorVerb::pause, 0);
  run.sent();
  run.pass(1h);
  EXPECT_EQ(run.status().sequence, 2) << "a wake-up writes nothing";
  run.decide(OperatorVerb::resume, 0);
  EXPECT_LE(run.status().wake_at, run.now());
  run.pass(0ms);
  run.pass(1s);
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 2"));
}

TEST_P(EngineTest, PausedSagaIsCancelledWhenItIsResumedAndTerminatedAtOnce) {
  run.start<ThreeSteps>();
  run.decide(OperatorVerb::pause, 0);
  EXPECT_EQ(run.decide(OperatorVerb::cancel, 0), Judgement::kApplied);
  EXPECT_EQ(run.status().status, SagaStatus::kRunning);
  run.decide(OperatorVerb::resume, 0);
  EXPECT_EQ(run.status().status, SagaStatus::kRollingBack);
  run.decide(OperatorVerb::pause, 0);
  EXPECT_EQ(run.decide(OperatorVerb::terminate, 0), Judgement::kApplied);
  EXPECT_EQ(run.status().status, SagaStatus::kTerminated);
}

TEST_P(EngineTest, StuckSagaIsNotPaused) {
  run.start<ThreeSteps>();
  run.advance(Poison{"poison-input", "x", "y"});
  EXPECT_EQ(run.decide(OperatorVerb::pause, 0), Judgement::kRefused);
}

// --- a step type that is paused ---

TEST_P(EngineTest, AStepOfAPausedTypeIsHeldUntilItGoesOn) {
  run.options("reserve").start_to_close = 1min;
  run.pauses.steps = {"reserve"};
  run.start<ThreeSteps>();
  EXPECT_THAT(run.sent(), IsEmpty());
  EXPECT_EQ(run.instance().next_deadline(), run.now() + 5s) << "looked at again";
  run.pass(5s);
  EXPECT_THAT(run.sent(), IsEmpty());
  EXPECT_EQ(run.status().sequence, 1) << "looking writes no history";
  run.pauses.steps.clear();
  run.pass(1h);
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 1"));
  EXPECT_EQ(run.instance().next_deadline(), run.now() + 1min) << "its time begins with its attempt";
  run.succeed(1);
  run.succeed(2);
  run.succeed(3);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, RetriesAndCompensationsOfAPausedTypeAreHeldToo) {
  run.options("reserve").retry = {.initial_interval = 1s, .jitter = 0};
  run.start<ThreeSteps>();
  run.fail(1, "busy", Retry::allowed);
  run.pauses.steps = {"reserve"};
  run.sent();
  run.pass(1s);
  EXPECT_THAT(run.sent(), IsEmpty());
  run.pauses.steps.clear();
  run.pass(1min);
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 2"));
  run.succeed(1, 2);
  run.pauses.steps = {"reserve"};
  run.fail(2, "no", Retry::never);
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1"));
  EXPECT_EQ(run.status().status, SagaStatus::kRollingBack);
  run.pass(1min);
  EXPECT_THAT(run.sent(), IsEmpty());
  run.pauses.steps.clear();
  run.pass(1min);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(EngineTest, AHeldStepThatNeverWentOutFailsWithoutACompensation) {
  run.options("reserve").schedule_to_close = 10min;
  run.pauses.steps = {"reserve"};
  run.start<ThreeSteps>();
  run.pass(10min);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
  EXPECT_THAT(run.sent(), ElementsAre("saga.compensated"));
}

TEST_P(EngineTest, AnOperatorSendsAHeldStepByHand) {
  run.pauses.steps = {"reserve"};
  run.start<ThreeSteps>();
  EXPECT_EQ(run.decide(OperatorVerb::retry, 1), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 1"));
}

TEST_P(EngineTest, ALocalStepOfAPausedTypeIsHeldAsWell) {
  run.pauses.steps = {"book"};
  run.start<Local>();
  run.pass(1min);
  EXPECT_THAT(run.local(), IsEmpty());
  run.pauses.steps.clear();
  run.pass(1min);
  ASSERT_EQ(run.local().size(), 1u);
  EXPECT_EQ(run.local().front().id.attempt, 1);
}

}  // namespace
}  // namespace skald::engine
