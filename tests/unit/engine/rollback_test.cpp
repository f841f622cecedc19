// Rollback, unknown outcomes, pivots, deadlines. Method: scripts as in forward_test.
#include "sagas.hpp"

namespace skald::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Rollback : public EngineTest {};
INSTANTIATE_TEST_SUITE_P(Modes, Rollback, ::testing::Values(Mode::kCached, Mode::kReplayedEachTime),
                         [](const auto& info) {
                           return info.param == Mode::kCached ? "cached" : "replayed";
                         });

TEST_P(Rollback, CompensatesInReverseOrderOneAfterTheOther) {
  run.start<ThreeSteps>();
  run.succeed(1);
  run.succeed(2);
  run.sent();
  run.fail(3, "no-truck", Retry::never);
  EXPECT_THAT(run.sent(), ElementsAre("charge compensation 1"));
  EXPECT_EQ(*run.messages().back().value, R"({"order":"done-1","output":"done-2"})");
  EXPECT_EQ(run.status().status, SagaStatus::kRollingBack);
  EXPECT_EQ(run.undone(2), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
  EXPECT_EQ(run.undone(2), Judgement::kDuplicate);
  run.undone(1);
  EXPECT_THAT(run.sent(), ElementsAre("saga.compensated"));
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
  EXPECT_THAT(*run.messages().back().value, HasSubstr("no-truck"));
}

TEST_P(Rollback, StepRefusedWithCertaintyIsNotCompensated) {
  run.start<ThreeSteps>();
  run.sent();
  run.fail(1, "sold-out", Retry::never);
  EXPECT_THAT(run.sent(), ElementsAre("saga.compensated"));
}

TEST_P(Rollback, TimeoutIsAnUnknownOutcomeAndIsCompensatedWithoutOutput) {
  run.options("reserve").schedule_to_close = 10s;
  run.start<ThreeSteps>();
  run.sent();
  run.pass(10s);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
  EXPECT_EQ(*run.messages().back().value, R"({"order":"o-1"})");
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(Rollback, LateSuccessBeforeItsCompensationIsSentGivesItTheOutput) {
  run.options("charge").schedule_to_close = 10s;
  run.start<Parallel>();
  run.succeed(1);
  run.pass(10s);
  EXPECT_EQ(run.status().status, SagaStatus::kRollingBack);
  run.sent();
  EXPECT_EQ(run.succeed(2), Judgement::kLate);  // its compensation is on its way
  run.undone(2);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
}

TEST_P(Rollback, UnknownOutcomeThatTheSagaCaughtIsADebtPaidBeforeTheEnd) {
  run.options("charge").schedule_to_close = 10s;
  run.start<Falls>();
  run.sent();
  run.pass(10s);
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 1", "charge compensation 1"));
  run.succeed(2);
  EXPECT_EQ(run.status().status, SagaStatus::kRunning);
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(Rollback, StepsOfAGroupAreCompensatedInReverseOfTheirStartWhenOneFails) {
  run.start<Parallel>();
  run.succeed(1);
  run.sent();
  run.fail(2, "declined", Retry::never);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(Rollback, SagaFailedOnPurposeRollsBack) {
  run.start<Helper>(R"({"id":"o-1","cents":0})");
  run.succeed(1);
  run.sent();
  run.succeed(2);
  EXPECT_THAT(run.sent(), ElementsAre("charge compensation 1"));
}

TEST_P(Rollback, FailingCompensationIsTriedAgainForEver) {
  run.start<ThreeSteps>();
  run.succeed(1);
  run.fail(2, "declined", Retry::never);
  run.sent();
  for (int attempt = 1; attempt <= 20; ++attempt) {
    EXPECT_EQ(run.undo_fails(1, Retry::allowed, attempt), Judgement::kApplied);
    run.pass(60s);
    EXPECT_THAT(run.sent(), ElementsAre("reserve compensation " + std::to_string(attempt + 1)));
  }
  run.undone(1, 21);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(Rollback, RefusedCompensationIsStuckUntilAnOperatorRetries) {
  run.start<ThreeSteps>();
  run.succeed(1);
  run.fail(2, "declined", Retry::never);
  run.undo_fails(1, Retry::never);
  EXPECT_EQ(run.status().status, SagaStatus::kStuck);
  EXPECT_EQ(run.status().stuck_reason, "compensation-refused");
  EXPECT_EQ(run.status().stuck_step, "reserve");
  run.sent();
  EXPECT_EQ(run.decide(OperatorVerb::retry, 2), Judgement::kRefused);
  EXPECT_EQ(run.decide(OperatorVerb::retry, 1), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 2"));
  run.undone(1, 2);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(Rollback, RefusedPivotRollsBack) {
  run.start<WithPivot>();
  run.succeed(1);
  run.sent();
  run.fail(2, "declined", Retry::never);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
}

TEST_P(Rollback, PivotOfUnknownOutcomeIsRetriedUnderItsKeyUntilKnown) {
  run.options("charge").schedule_to_close = 10s;
  run.start<WithPivot>();
  run.succeed(1);
  run.sent();
  run.pass(10s);
  EXPECT_THAT(run.sent(), IsEmpty());
  run.pass(1s);
  EXPECT_THAT(run.sent(), ElementsAre("charge action 2"));
  EXPECT_EQ(run.header(run.messages().size() - 1, "ce_idempotencykey"), "test/with-pivot/o-1/2");
  EXPECT_EQ(run.header(run.messages().size() - 1, "ce_expirytime"), "");
  run.pass(10s);
  run.pass(2s);
  EXPECT_THAT(run.sent(), ElementsAre("charge action 3"));
  run.succeed(2, 3);
  EXPECT_THAT(run.sent(), ElementsAre("ship action 1"));
}

TEST_P(Rollback, PivotThatStaysUnknownIsStuckAndCanBeSkippedWithAResult) {
  run.options("charge").schedule_to_close = 10s;
  run.options("charge").retry.maximum_attempts = 1;
  run.start<WithPivot>();
  run.succeed(1);
  run.pass(10s);
  EXPECT_EQ(run.status().stuck_reason, "pivot-unknown");
  EXPECT_EQ(run.decide(OperatorVerb::skip, 2, R"({"nope":1})"), Judgement::kRefused);
  EXPECT_THAT(run.reason(), HasSubstr("does not fit"));
  run.sent();
  EXPECT_EQ(run.decide(OperatorVerb::skip, 2, R"({"id":"by-hand"})"), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("ship action 1"));
  run.succeed(3);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(Rollback, FailureAfterThePivotIsStuckAndItsRetryTakesANewKey) {
  run.start<WithPivot>();
  run.succeed(1);
  run.succeed(2);
  run.fail(3, "no-truck", Retry::never);
  EXPECT_EQ(run.status().stuck_reason, "failed-after-pivot");
  run.sent();
  EXPECT_EQ(run.decide(OperatorVerb::retry, 3), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("ship action 2"));
  EXPECT_EQ(run.header(run.messages().size() - 1, "ce_idempotencykey"), "test/with-pivot/o-1/3/retry-1");
  run.succeed(3, 2);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(Rollback, DeadlineRollsBackAndCompensatesTheOpenStep) {
  run.start<WithDeadline>();
  run.sent();
  run.pass(1h);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(Rollback, DeadlineWaitsForAnOpenPivotAndPassesItBy) {
  run.start<WithDeadline>();
  run.succeed(1);
  run.sent();
  run.pass(2h);
  EXPECT_THAT(run.sent(), IsEmpty());
  run.succeed(2);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(Rollback, LocalStepThatStillRunsIsAwaitedBeforeItIsCompensated) {
  run.start<LocalWithDeadline>();
  run.sent();
  run.pass(1h);
  EXPECT_THAT(run.sent(), IsEmpty());
  EXPECT_EQ(run.status().status, SagaStatus::kRollingBack);
  run.advance(LocalResult{{1, Phase::kAction, 1}, {LocalOutcome::Kind::succeeded, R"({"id":"b"})", {}}});
  EXPECT_THAT(run.sent(), ElementsAre("local book compensation 1"));
  run.advance(LocalResult{{1, Phase::kCompensation, 1}, {LocalOutcome::Kind::succeeded, "", {}}});
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

}  // namespace
}  // namespace skald::engine
