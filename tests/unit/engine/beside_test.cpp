// Work beside each other: first failures, races, bounds, and steps given up. Method: as timer_test.cpp.
#include "sagas.hpp"

namespace skald::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct AllOrNothing : Saga<Order, Done> {
  static constexpr std::string_view name = "all-or-nothing";
  Task<Done> run(Context& saga, Order order) override {
    const auto reserved = saga.start<Reserve>(order);
    const auto charged = saga.start<Charge>(order);
    co_await saga.all(Rest::cancelled, reserved, charged);
    co_return Done{reserved.get().id + charged.get().id};
  }
};

TEST_P(EngineTest, FirstFailureCancelsTheRest) {
  run.start<AllOrNothing>();
  run.sent();
  run.fail(2, "declined", Retry::never);
  EXPECT_EQ(run.status().status, SagaStatus::kRollingBack);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(EngineTest, WithoutAFailureAllIsWaitedFor) {
  run.start<AllOrNothing>();
  run.succeed(2);
  EXPECT_EQ(run.status().status, SagaStatus::kRunning);
  run.succeed(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

struct FansOut : Saga<Order, Done> {
  static constexpr std::string_view name = "fans-out";
  Task<Done> run(Context& saga, Order order) override {
    std::vector<Order> orders;
    for (int number = 1; number <= 5; ++number) orders.push_back({order.id, number});
    const auto outcomes = co_await saga.fan_out<Reserve>(std::move(orders), 2);
    std::string text;
    for (const auto& outcome : outcomes) text += outcome ? outcome->id + "," : outcome.failure().code + ",";
    co_return Done{text};
  }
};

TEST_P(EngineTest, FanOutKeepsItsBoundAndTheOrderOfItsInputs) {
  run.start<FansOut>();
  EXPECT_EQ(run.sent().size(), 2U);
  run.succeed(2);
  EXPECT_EQ(run.sent().size(), 1U) << "one more for one that settled";
  run.fail(3, "out-of-stock", Retry::never);
  run.succeed(1);
  EXPECT_EQ(run.sent().size(), 2U);
  run.succeed(5);
  EXPECT_EQ(run.status().status, SagaStatus::kRunning);
  run.succeed(4);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
  EXPECT_THAT(run.stored().history.back().events,
              HasSubstr(R"({"id":"done-1,done-2,out-of-stock,done-4,done-5,"})"));
}

/// A local step given up while it runs.
struct GivesUpLocal : Saga<Order, Done> {
  static constexpr std::string_view name = "gives-up-local";
  Task<Done> run(Context& saga, Order order) override {
    const auto booked = saga.start<Book>(order);
    co_await saga.sleep(1min);
    saga.cancel(booked);
    co_return Done{booked.outcome().failure().code};
  }
};

LocalResult book_returns(LocalOutcome outcome) { return {{1, Phase::kAction, 1}, std::move(outcome)}; }

TEST_P(EngineTest, LocalStepGivenUpIsAwaitedAndItsEffectCompensated) {
  run.start<GivesUpLocal>();
  run.pass(1min);
  EXPECT_EQ(run.status().status, SagaStatus::kRunning) << "it still runs";
  run.advance(book_returns({LocalOutcome::Kind::succeeded, R"({"id":"b"})", {}}));
  EXPECT_EQ(run.sent().back(), "local book compensation 1");
  run.advance(LocalResult{{1, Phase::kCompensation, 1}, {LocalOutcome::Kind::succeeded, "", {}}});
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, LocalStepGivenUpThatHadNoEffectOwesNothing) {
  run.start<GivesUpLocal>();
  run.pass(1min);
  run.advance(book_returns({LocalOutcome::Kind::refused, "", {"closed", "", Retry::allowed, false}}));
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted) << "not tried again, nothing to undo";
}

struct GivesUpAtOnce : Saga<Order, Done> {
  static constexpr std::string_view name = "gives-up-at-once";
  Task<Done> run(Context& saga, Order order) override {
    const auto reserved = saga.start<Reserve>(order);
    saga.cancel(reserved);
    co_return Done{order.id};
  }
};

TEST_P(EngineTest, StepGivenUpAtOnceIsSentAndCompensated) {
  run.start<GivesUpAtOnce>();
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 1", "reserve compensation 1"));
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

/// Waits for what two steps make true.
struct WaitsForEither : Saga<Order, Done> {
  static constexpr std::string_view name = "waits-for-either";
  Task<Done> run(Context& saga, Order order) override {
    const auto reserved = saga.start<Reserve>(order);
    const auto charged = saga.start<Charge>(order);
    const bool met = co_await saga.wait_until([&] { return reserved.settled() && charged.settled(); }, 1h);
    co_return Done{met ? "both" : "late"};
  }
};

TEST_P(EngineTest, ConditionIsMetInTime) {
  run.start<WaitsForEither>();
  run.succeed(1);
  run.succeed(2);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
  EXPECT_THAT(run.stored().history.back().events, HasSubstr(R"({"id":"both"})"));
}

TEST_P(EngineTest, ConditionIsNotMetInTime) {
  run.start<WaitsForEither>();
  run.succeed(1);
  run.pass(1h);
  run.succeed(2);
  EXPECT_THAT(run.stored().history.back().events, HasSubstr(R"({"type":"ended")"));
  EXPECT_THAT(run.stored().history[2].events, HasSubstr(R"({"id":"late"})"));
}

struct ConditionThrows : Saga<Order, Done> {
  static constexpr std::string_view name = "condition-throws";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.wait_until([]() -> bool { throw std::runtime_error("a mistake"); });
    co_return Done{order.id};
  }
};

TEST_P(EngineTest, ConditionThatThrowsIsADefect) {
  run.start<ConditionThrows>();
  EXPECT_EQ(run.status().stuck_reason, "exception");
  EXPECT_THAT(run.stored().history.back().events, HasSubstr("run threw a mistake"));
}

}  // namespace
}  // namespace skald::engine
