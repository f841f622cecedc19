// What is stuck stays visible until it is settled, an operator's decision does what it says and nothing else, and
// parallel work is undone in order.
#include "sagas.hpp"

namespace skald::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Operator : public ::testing::TestWithParam<Mode> {
 protected:
  Script run{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Modes, Operator, ::testing::Values(Mode::kCached, Mode::kReplayedEachTime),
                         [](const auto& info) {
                           return info.param == Mode::kCached ? "cached" : "replayed";
                         });

TEST_P(Operator, RollsBackAlsoWhatWasRefusedBefore) {
  run.start<ThreeSteps>();
  run.succeed(1);
  run.fail(2, "no", Retry::never);
  run.undo_fails(1, Retry::never);
  run.sent();
  EXPECT_EQ(run.decide(OperatorVerb::compensate, 1), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 2"));
  run.undone(1, 2);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

struct CatchesTwo : Saga<Order, Done> {
  static constexpr std::string_view name = "catches-two";
  Task<Done> run(Context& saga, Order order) override {
    auto reserved = saga.start<Reserve>(order);
    auto charged = saga.try_step<Charge>(order);
    static_cast<void>(co_await std::move(charged));
    try {
      co_await reserved;
    } catch (const StepFailed&) {
    }
    co_return co_await saga.step<Ship>(order);
  }
};

TEST_P(Operator, IsToldOfEveryRefusedCompensation) {
  run.options("reserve").schedule_to_close = 10s;
  run.options("charge").schedule_to_close = 10s;
  run.start<CatchesTwo>();
  run.pass(10s);
  run.undo_fails(1, Retry::never);
  EXPECT_EQ(run.status().status, SagaStatus::kStuck);
  run.undo_fails(2, Retry::never);
  run.sent();
  EXPECT_EQ(run.decide(OperatorVerb::retry, 2), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("charge compensation 2"));
  EXPECT_EQ(run.status().stuck_reason, "compensation-refused") << "the other one";
  EXPECT_EQ(run.decide(OperatorVerb::retry, 1), Judgement::kApplied);
  EXPECT_EQ(run.status().status, SagaStatus::kRunning);
  run.undone(2, 2);
  run.undone(1, 2);
  run.succeed(3);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(Operator, IsToldOfAnUnreadableReplyThatAnotherReasonCovered) {
  run.start<ThreeSteps>();
  run.succeed(1, 1, R"({"id":7})");
  run.advance(Poison{"poison-input", "refused by the database", "x"});
  EXPECT_EQ(run.decide(OperatorVerb::retry, 0), Judgement::kApplied);
  EXPECT_EQ(run.status().stuck_reason, "unreadable-reply");
  EXPECT_EQ(run.decide(OperatorVerb::skip, 1, R"({"id":"seven"})"), Judgement::kApplied);
  EXPECT_EQ(run.status().status, SagaStatus::kRunning);
}

struct Fragile : CommandStep<Order, Done> {
  static constexpr std::string_view name = "charge", topic = "commands";
  static inline bool mended = false;
  static Undo compensation(const Order& order, const std::optional<Done>&) {
    if (!mended) throw std::runtime_error("a bug");
    return {order.id, {}};
  }
};
struct CatchesFragile : Saga<Order, Done> {
  static constexpr std::string_view name = "catches-fragile";
  Task<Done> run(Context& saga, Order order) override {
    auto charged = co_await saga.try_step<Fragile>(order);
    if (charged) co_return *charged;
    co_return co_await saga.step<Reserve>(order);
  }
};

TEST_P(Operator, RetryOfACompensationThatCouldNotBeBuiltNeverRunsTheActionAgain) {
  Fragile::mended = false;
  run.options("charge").schedule_to_close = 10s;
  run.start<CatchesFragile>();
  run.pass(10s);
  EXPECT_EQ(run.status().stuck_reason, "compensation-defect");
  run.sent();
  Fragile::mended = true;
  EXPECT_EQ(run.decide(OperatorVerb::retry, 1), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("charge compensation 1"));
  run.undone(1);
  run.succeed(2);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

struct FailsAfterPivot : Saga<Order, Done> {
  static constexpr std::string_view name = "fails-after-pivot";
  Task<Done> run(Context& saga, Order order) override {
    auto reserved = co_await saga.try_step<Reserve>(order);
    co_await saga.pivot<Charge>(order);
    if (!reserved) throw SagaFailed{"unreserved", "and nothing to be done"};
    co_return *reserved;
  }
};

TEST_P(Operator, RetryAfterAFailureOnPurposeSendsNoHandledStepAgain) {
  run.start<FailsAfterPivot>();
  run.fail(1, "no", Retry::never);
  run.succeed(2);
  EXPECT_EQ(run.status().stuck_reason, "failed-after-pivot");
  run.sent();
  EXPECT_EQ(run.decide(OperatorVerb::retry, 1), Judgement::kRefused) << "it was handled";
  EXPECT_EQ(run.decide(OperatorVerb::retry, 0), Judgement::kApplied);
  EXPECT_THAT(run.sent(), IsEmpty());
  EXPECT_EQ(run.status().status, SagaStatus::kStuck);
}

TEST_P(Operator, SkipAfterThePivotGivesTheCodeTheResult) {
  run.start<WithPivot>();
  run.succeed(1);
  run.succeed(2);
  run.fail(3, "no", Retry::never);
  EXPECT_EQ(run.status().stuck_reason, "failed-after-pivot");
  EXPECT_EQ(run.decide(OperatorVerb::skip, 3), Judgement::kRefused) << "without a result";
  EXPECT_EQ(run.decide(OperatorVerb::skip, 3, R"({"id":"by hand"})"), Judgement::kApplied);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(Operator, ParallelStepsOfUnknownOutcomeAreUndoneInReverseOneAfterTheOther) {
  run.options("reserve").schedule_to_close = 10s;
  run.options("charge").schedule_to_close = 10s;
  run.start<Parallel>();
  run.sent();
  run.pass(10s);
  EXPECT_THAT(run.sent(), ElementsAre("charge compensation 1"));
  run.undone(2);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(Operator, AFailureTheCodeHasNotSeenIsNotUndoneBeforeItHas) {
  run.options("reserve").schedule_to_close = 10s;
  run.start<Parallel>();
  run.sent();
  run.pass(10s);
  EXPECT_THAT(run.sent(), IsEmpty()) << "the other is still waited for";
  run.succeed(2);
  EXPECT_THAT(run.sent(), ElementsAre("charge compensation 1"));
  run.undone(2);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
}

struct Shouts : Saga<Order, Done> {
  static constexpr std::string_view name = "shouts";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    throw SagaFailed{"loud", std::string(3'000'000, '\1') + "\xff\xc0"};
  }
};

TEST_P(Operator, WhateverAnExceptionSaysHistoryStaysReadable) {
  run.start<Shouts>();
  run.succeed(1);
  EXPECT_EQ(run.status().status, SagaStatus::kRollingBack);
  EXPECT_FALSE(run.reload());
  EXPECT_LT(run.stored().history.back().events.size(), 40'000U);
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(Operator, AnOutputBeyondTheLimitIsADefectAndNoLostOutcome) {
  run.environment().limits.maximum_payload_bytes = 40;
  run.start<ThreeSteps>(R"({"id":"o","cents":1})");
  run.succeed(1, 1, R"({"id":"1"})");
  run.succeed(2, 1, R"({"id":"2"})");
  run.succeed(3, 1, R"({"id":"a tracking number that is far too long"})");
  EXPECT_EQ(run.status().stuck_reason, "payload-limit");
}

}  // namespace
}  // namespace skald::engine
