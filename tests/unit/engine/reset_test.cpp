// Reset: the code goes on from an earlier transition; what took effect after it is undone first, or kept. Method: as
// timer_test.cpp; another definition of the same name stands for mended code.
#include "sagas.hpp"

namespace skald::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// As ThreeSteps, with another way after the first step.
struct Mended : Saga<Order, Done> {
  static constexpr std::string_view name = ThreeSteps::name;
  Task<Done> run(Context& saga, Order order) override {
    auto reserved = co_await saga.step<Reserve>(order);
    auto charged = co_await saga.step<Charge>(reserved.id, order.cents * 2);
    co_return co_await saga.step<Ship>(charged.id, order.cents);
  }
};

/// Three steps, two of them done.
void two_done(Script& run) {
  run.start<ThreeSteps>();
  run.succeed(1);
  run.succeed(2);
  run.sent();
}

TEST_P(EngineTest, WhatTookEffectAfterTheTargetIsUndoneLatestFirstBeforeTheCodeGoesOn) {
  two_done(run);
  EXPECT_EQ(run.reset(1, false), Judgement::kApplied);
  EXPECT_THAT(run.sent(), IsEmpty());
  EXPECT_LE(run.status().wake_at, run.now());
  run.pass(0ms);
  EXPECT_THAT(run.sent(), ElementsAre("ship compensation 1")) << "under way: it may have taken effect";
  run.undone(3);
  EXPECT_THAT(run.sent(), ElementsAre("charge compensation 1"));
  run.undone(2);
  EXPECT_THAT(run.sent(), IsEmpty());
  run.pass(0ms);
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1"));
}

TEST_P(EngineTest, TheCodeGoesOnAsItIsNow) {
  two_done(run);
  run.reset(1, false);
  ASSERT_FALSE(run.deploy<Mended>());
  run.pass(0ms);
  run.undone(3);
  run.undone(2);
  run.pass(0ms);
  EXPECT_THAT(run.sent(), ElementsAre("ship compensation 1", "charge compensation 1", "charge action 1"))
      << "its first step's answer came after the target and is a fact";
  EXPECT_THAT(run.messages().back().value.value_or(""), HasSubstr("200"));
  EXPECT_EQ(run.header(run.messages().size() - 1, "ce_idempotencykey"), "test/three-steps/o-1/4");
  run.succeed(4);
  run.succeed(5);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, WhatIsKeptCountsAsDoneWhereTheCodeComesToItWithTheSameInput) {
  two_done(run);
  EXPECT_EQ(run.reset(1, true), Judgement::kApplied);
  run.pass(0ms);
  EXPECT_THAT(run.sent(), ElementsAre("ship compensation 1")) << "of unknown outcome: a debt in any case";
  run.undone(3);
  run.pass(0ms);
  EXPECT_THAT(run.sent(), ElementsAre("ship action 1")) << "charged already";
  EXPECT_EQ(run.succeed(4), Judgement::kApplied);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, WhatIsKeptAndNotComeToAgainStandsUntilTheSagaRollsBack) {
  two_done(run);
  run.reset(1, true);
  ASSERT_FALSE(run.deploy<Mended>());
  run.pass(0ms);
  run.undone(3);
  run.pass(0ms);
  EXPECT_THAT(run.sent(), ElementsAre("ship compensation 1", "charge action 1"));
  run.fail(4, "no-money", Retry::never);
  EXPECT_THAT(run.sent(), ElementsAre("charge compensation 1"));
  run.undone(2);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(EngineTest, ARolledBackSagaUndoesWhatWasTakenOver) {
  two_done(run);
  run.reset(1, true);
  run.pass(0ms);
  run.undone(3);
  run.pass(0ms);
  run.sent();
  run.fail(4, "no-truck", Retry::never);
  EXPECT_THAT(run.sent(), ElementsAre("charge compensation 1"));
  run.undone(2);
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(EngineTest, ASagaWhoseCodeNoLongerFitsIsResetToBeforeTheDifference) {
  two_done(run);
  auto problem = run.deploy<Mended>();
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->sequence, 2);
  run.keep_stuck();
  EXPECT_EQ(run.reset(2, false), Judgement::kRefused);
  EXPECT_THAT(run.reason(), HasSubstr("differ at transition 2"));
  EXPECT_EQ(run.reset(1, false), Judgement::kApplied);
  run.pass(0ms);
  run.undone(3);
  run.undone(2);
  run.pass(0ms);
  EXPECT_THAT(run.sent(), ElementsAre("ship compensation 1", "charge compensation 1", "charge action 1"));
}

TEST_P(EngineTest, AStuckSagaIsReset) {
  Broken::mended = false;
  run.start<Broken>();
  run.succeed(1);
  ASSERT_EQ(run.status().status, SagaStatus::kStuck);
  Broken::mended = true;
  EXPECT_EQ(run.reset(1, false), Judgement::kApplied);
  EXPECT_EQ(run.status().status, SagaStatus::kRunning);
  EXPECT_EQ(run.status().stuck_reason, "");
  run.sent();
  run.pass(0ms);
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1"));
}

TEST_P(EngineTest, AResetIsRefusedWithItsReason) {
  run.start<ThreeSteps>();
  EXPECT_EQ(run.reset(1, false), Judgement::kRefused);
  EXPECT_THAT(run.reason(), HasSubstr("earlier transition"));
  run.succeed(1);
  EXPECT_EQ(run.reset(0, false), Judgement::kRefused);
  OperatorAction stale{OperatorVerb::reset, 1, 0, "", "ann", "late", {1, false}};
  EXPECT_EQ(run.advance(stale), Judgement::kRefused);
  EXPECT_THAT(run.reason(), HasSubstr("moved"));
  run.fail(2, "no-money", Retry::never);
  EXPECT_EQ(run.reset(1, false), Judgement::kRefused);
  EXPECT_THAT(run.reason(), HasSubstr("rolls back"));
}

TEST_P(EngineTest, OverAPivotThereIsAWayBackOnlyIfItsOutcomeIsKnown) {
  run.start<WithPivot>();
  run.succeed(1);
  EXPECT_EQ(run.reset(1, false), Judgement::kRefused);
  EXPECT_THAT(run.reason(), HasSubstr("outcome is not known"));
  run.succeed(2);
  EXPECT_EQ(run.reset(1, false), Judgement::kApplied);
  run.sent();
  run.pass(0ms);
  run.undone(3);
  run.undone(2);
  run.pass(0ms);
  EXPECT_THAT(run.sent(), ElementsAre("ship compensation 1", "charge compensation 1", "charge action 1"));
  run.fail(4, "no-money", Retry::never);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1")) << "no pivot stands any more";
}

TEST_P(EngineTest, AKeptPivotHoldsTheSagaOnItsWayForward) {
  run.start<WithPivot>();
  run.succeed(1);
  run.succeed(2);
  run.sent();
  run.reset(1, true);
  run.pass(0ms);
  run.undone(3);
  run.pass(0ms);
  EXPECT_THAT(run.sent(), ElementsAre("ship compensation 1", "ship action 1"));
  run.fail(4, "no-truck", Retry::never);
  EXPECT_EQ(run.status().status, SagaStatus::kStuck);
}

struct Raced : Saga<Order, Done> {
  static constexpr std::string_view name = "raced";
  Task<Done> run(Context& saga, Order order) override {
    auto reserved = saga.start<Reserve>(order);
    auto charged = saga.start<Charge>(order);
    static_cast<void>(co_await saga.any(reserved, charged));
    saga.cancel(reserved);
    co_return co_await saga.step<Ship>(order);
  }
};

TEST_P(EngineTest, AStepThatTheCodeGaveUpStandsInTheWay) {
  run.start<Raced>();
  run.succeed(2);
  EXPECT_EQ(run.reset(1, false), Judgement::kRefused);
  EXPECT_THAT(run.reason(), HasSubstr("step #1 reserve was given up after transition 1"));
}

struct SignalledThenSleeps : Saga<Order, Done> {
  static constexpr std::string_view name = "waits";
  static constexpr std::array signals{signal<Done>("go")};
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    const auto go = co_await saga.signal<Done>("go");
    co_await saga.sleep(1h);
    co_return go;
  }
};

TEST_P(EngineTest, TimersAndSignalsComeOnceMore) {
  run.start<SignalledThenSleeps>();
  run.succeed(1);
  run.advance(SignalInput{"go", "/test", "s", R"({"id":"x"})", false});
  EXPECT_EQ(run.reset(1, false), Judgement::kApplied);
  run.pass(0ms);
  EXPECT_EQ(run.instance().next_deadline(), run.now() + 1h) << "the signal is there, the code sleeps anew";
  run.pass(1h);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, AResetMayBeResetToo) {
  two_done(run);
  run.reset(2, false);
  run.pass(0ms);
  run.undone(3);
  run.pass(0ms);
  EXPECT_THAT(run.sent(), ElementsAre("ship compensation 1", "ship action 1"));
  ASSERT_EQ(run.succeed(4), Judgement::kApplied);
  ASSERT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, AResetToBeforeAnotherLeapsOverBoth) {
  two_done(run);
  run.reset(2, false);  // transition 4
  run.pass(0ms);
  run.undone(3);
  run.pass(0ms);
  run.sent();
  EXPECT_EQ(run.reset(1, false), Judgement::kApplied);
  run.pass(0ms);
  run.undone(4);
  run.undone(2);
  run.pass(0ms);
  EXPECT_THAT(run.sent(), ElementsAre("ship compensation 1", "charge compensation 1", "charge action 1"));
  run.succeed(5);
  run.succeed(6);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, WhatAResetLeftBehindIsNoTarget) {
  two_done(run);
  run.reset(1, false);  // transition 4
  run.pass(0ms);
  run.undone(3);
  EXPECT_EQ(run.reset(2, false), Judgement::kRefused);
  EXPECT_THAT(run.reason(),
              HasSubstr("was left behind by the reset at transition 4: reset to 1 or earlier, or "
                        "to 4 or later"));
  EXPECT_EQ(run.reset(4, false), Judgement::kApplied);
}

TEST_P(EngineTest, ARefusedCompensationOfAResetWaitsForTheOperator) {
  two_done(run);
  run.reset(1, false);
  run.pass(0ms);
  run.undo_fails(3, Retry::never);
  ASSERT_EQ(run.status().status, SagaStatus::kStuck);
  EXPECT_EQ(run.status().stuck_reason, "compensation-refused");
  EXPECT_EQ(run.decide(OperatorVerb::skip, 3), Judgement::kApplied);
  run.undone(2);
  run.sent();
  run.pass(0ms);
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1"));
}

struct Books : Saga<Order, Done> {
  static constexpr std::string_view name = "books";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    co_return co_await saga.step<Book>(order);
  }
};

TEST_P(EngineTest, ALocalAttemptIsAwaitedBeforeTheCodeGoesOn) {
  run.start<Books>();
  run.succeed(1);
  EXPECT_EQ(run.reset(1, false), Judgement::kApplied);
  run.sent();
  run.pass(0ms);
  EXPECT_THAT(run.sent(), IsEmpty());
  run.advance(LocalResult{{2, Phase::kAction, 1}, {LocalOutcome::Kind::succeeded, R"({"id":"b"})", {}}});
  EXPECT_THAT(run.sent(), ElementsAre("local book compensation 1"));
  run.advance(LocalResult{{2, Phase::kCompensation, 1}, {LocalOutcome::Kind::succeeded, "{}", {}}});
  run.pass(0ms);
  EXPECT_THAT(run.sent(), ElementsAre("local book action 1"));
}

TEST_P(EngineTest, WhileItIsPausedAResetWaits) {
  two_done(run);
  run.decide(OperatorVerb::pause, 0);
  EXPECT_EQ(run.reset(1, false), Judgement::kApplied);
  run.pass(1h);
  EXPECT_THAT(run.sent(), IsEmpty());
  run.decide(OperatorVerb::resume, 0);
  EXPECT_THAT(run.sent(), ElementsAre("ship compensation 1"));
}

struct Mails : Saga<Order, Done> {
  static constexpr std::string_view name = "mails";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    co_await saga.step<Notify>(order);
    co_return co_await saga.step<Charge>(order);
  }
};

TEST_P(EngineTest, PlanOfAResetNamesWhatBecomesOfEachStep) {
  run.start<Mails>();
  run.succeed(1);
  run.succeed(2, 1, "{}");
  OperatorAction action{OperatorVerb::reset, 3, 0, "", "ann", "because", {1, false}};
  const auto definition = make_saga_definition<Mails>();
  auto plan = Instance::plan_reset(run.environment(), definition, run.stored(), action);
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->size(), 2U);
  EXPECT_EQ((*plan)[0].step, "notify");
  EXPECT_EQ((*plan)[0].fate, ResetStep::Fate::kStays);
  EXPECT_EQ((*plan)[1].fate, ResetStep::Fate::kCompensated);
  action.reset.keeps_effects = true;
  plan = Instance::plan_reset(run.environment(), definition, run.stored(), action);
  EXPECT_EQ((*plan)[0].fate, ResetStep::Fate::kKept);
  action.reset.to = 3;
  EXPECT_FALSE(Instance::plan_reset(run.environment(), definition, run.stored(), action));
}

}  // namespace
}  // namespace skald::engine
