// Cancelling and terminating: by people, against a pivot, behind a shield, by the deadline. Method: as timer_test.cpp.
#include "sagas.hpp"

namespace skald::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_P(EngineTest, CancelRollsBackAndEndsCancelled) {
  run.start<ThreeSteps>();
  run.succeed(1);
  run.sent();
  EXPECT_EQ(run.decide(OperatorVerb::cancel, 0), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("charge compensation 1")) << "the step under way may have taken effect";
  EXPECT_THAT(
      run.stored().history.back().events,
      HasSubstr(
          R"({"type":"cancel","code":"cancelled","message":"ann: because","final":true,"who":"ann","why":"because"})"));
  run.undone(2);
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCancelled);
  EXPECT_EQ(run.sent().back(), "saga.cancelled");
}

struct OnlySleeps : Saga<Order, Done> {
  static constexpr std::string_view name = "only-sleeps";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.sleep(1h);
    co_return Done{order.id};
  }
};

TEST_P(EngineTest, CancelOfASagaThatOnlyWaitsEndsItAtOnce) {
  run.start<OnlySleeps>();
  run.decide(OperatorVerb::cancel, 0);
  EXPECT_EQ(run.status().status, SagaStatus::kCancelled);
}

TEST_P(EngineTest, SecondCancelAndOneDuringRollbackAreRefused) {
  run.start<ThreeSteps>();
  run.decide(OperatorVerb::cancel, 0);
  EXPECT_EQ(run.decide(OperatorVerb::cancel, 0), Judgement::kRefused);
  EXPECT_EQ(run.reason(), "the saga rolls back already");
}

TEST_P(EngineTest, CancelWaitsForThePivot) {
  run.start<WithPivot>();
  run.succeed(1);
  run.sent();
  EXPECT_EQ(run.decide(OperatorVerb::cancel, 0), Judgement::kApplied);
  EXPECT_THAT(run.sent(), IsEmpty()) << "nothing is decided before the pivot is";
  EXPECT_EQ(run.decide(OperatorVerb::cancel, 0), Judgement::kDuplicate);
  run.fail(2, "declined", Retry::never);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCancelled);
}

TEST_P(EngineTest, PivotThatTookEffectWinsOverACancellation) {
  run.start<WithPivot>();
  run.succeed(1);
  run.decide(OperatorVerb::cancel, 0);
  run.succeed(2);
  EXPECT_EQ(run.decide(OperatorVerb::cancel, 0), Judgement::kDuplicate);
  run.succeed(3);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, CancelAfterThePivotIsRefused) {
  run.start<WithPivot>();
  run.succeed(1);
  run.succeed(2);
  EXPECT_EQ(run.decide(OperatorVerb::cancel, 0), Judgement::kRefused);
  EXPECT_THAT(run.reason(), HasSubstr("only goes forward"));
}

TEST_P(EngineTest, CancelOfAStuckSagaSaysWhatDoesIt) {
  run.start<ThreeSteps>();
  run.advance(Poison{"history-corrupt", "a test says so", {}});
  ASSERT_EQ(run.status().status, SagaStatus::kStuck);
  EXPECT_EQ(run.decide(OperatorVerb::cancel, 0), Judgement::kRefused);
  EXPECT_EQ(run.reason(), "the saga is stuck: compensate rolls it back");
}

TEST_P(EngineTest, TerminateEndsWithoutRollbackWhereverTheSagaIs) {
  run.start<ThreeSteps>();
  run.succeed(1);
  run.sent();
  EXPECT_EQ(run.decide(OperatorVerb::terminate, 0), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("saga.terminated"));
  EXPECT_EQ(run.status().status, SagaStatus::kTerminated);
}

TEST_P(EngineTest, TerminateEndsARollback) {
  run.start<ThreeSteps>();
  run.succeed(1);
  run.fail(2, "declined", Retry::never);
  ASSERT_EQ(run.status().status, SagaStatus::kRollingBack);
  run.decide(OperatorVerb::terminate, 0);
  EXPECT_EQ(run.status().status, SagaStatus::kTerminated);
}

TEST_P(EngineTest, ActionOnASequenceThatPassedIsRefused) {
  run.start<ThreeSteps>();
  run.succeed(1);
  EXPECT_EQ(run.advance(OperatorAction{OperatorVerb::cancel, 1, 0, "", "ann", "because"}),
            Judgement::kRefused);
  EXPECT_EQ(run.reason(), "the saga moved since you looked: it is at sequence 2");
  EXPECT_EQ(run.advance(OperatorAction{OperatorVerb::cancel, 0, 0, "", "ann", "because"}),
            Judgement::kApplied);
}

/// Finishes what it began, then decides.
struct Shielded : Saga<Order, Done> {
  static constexpr std::string_view name = "shielded";
  static constexpr SagaOptions options{.deadline = std::chrono::hours{1}};
  Task<Done> run(Context& saga, Order order) override {
    {
      const auto shield = saga.shield();
      co_await saga.step<Reserve>(order);
      if (saga.cancel_requested()) co_await saga.step<Notify>(order);
    }
    co_return co_await saga.step<Ship>(order);
  }
};

TEST_P(EngineTest, ShieldedPartEndsBeforeACancellationTakesEffect) {
  run.start<Shielded>();
  run.decide(OperatorVerb::cancel, 0);
  EXPECT_EQ(run.status().status, SagaStatus::kRunning);
  run.sent();
  run.succeed(1);
  EXPECT_THAT(run.sent(), ElementsAre("notify action 1")) << "the code was asked and decided";
  run.succeed(2, 1, "{}");
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1")) << "nothing new is begun without the shield";
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCancelled);
}

TEST_P(EngineTest, DeadlineBehindAShieldIsAskedForAndThenHappens) {
  run.start<Shielded>();
  run.pass(1h);
  EXPECT_THAT(run.stored().history.back().events, HasSubstr(R"({"type":"cancel","code":"deadline")"));
  EXPECT_EQ(run.status().status, SagaStatus::kRunning);
  EXPECT_EQ(run.instance().next_deadline(), kNever) << "it is told once";
  run.succeed(1);
  run.succeed(2, 1, "{}");
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated) << "a deadline is no cancellation";
}

TEST_P(EngineTest, DeadlineWithoutAShieldIsAsBefore) {
  run.start<Shielded>();
  run.succeed(1);
  run.pass(1h);
  EXPECT_EQ(run.status().status, SagaStatus::kRollingBack);
}

}  // namespace
}  // namespace skald::engine
