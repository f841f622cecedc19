// Signals: waited for, kept for who asks later, timed out, raced; and what no saga takes. Method: as timer_test.cpp, each
// test also with the saga rebuilt from history after every transition.
#include "sagas.hpp"

namespace skald::engine {
namespace {

using std::chrono::days;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SignalInput signal_of(const std::string& name, const std::string& id, const std::string& value = "x") {
  return {name, "/test", id, R"({"id":")" + value + R"("})"};
}

struct Waits : Saga<Order, Done> {
  static constexpr std::string_view name = "waits";
  static constexpr std::array signals{signal<Done>("approval"), signal<Done>("other")};
  Task<Done> run(Context& saga, Order) override {
    const auto first = co_await saga.signal<Done>("approval");
    const auto second = co_await saga.signal<Done>("approval");
    co_return Done{first.id + second.id};
  }
};

TEST_P(EngineTest, SignalsGoOnInTheirOrder) {
  run.start<Waits>();
  EXPECT_EQ(run.status().wake_at, kNever);
  EXPECT_TRUE(run.instance().asleep());
  EXPECT_EQ(run.advance(signal_of("approval", "1", "a")), Judgement::kApplied);
  EXPECT_EQ(run.advance(signal_of("approval", "2", "b")), Judgement::kApplied);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
  EXPECT_THAT(run.stored().history[2].events, HasSubstr(R"({"type":"returned","bytes":11})"
                                                        "\n"
                                                        R"({"id":"ab"})"));
}

TEST_P(EngineTest, SignalOfTheSameSourceAndIdIsADuplicate) {
  run.start<Waits>();
  run.advance(signal_of("approval", "1", "a"));
  EXPECT_EQ(run.advance(signal_of("approval", "1", "changed")), Judgement::kDuplicate);
  SignalInput elsewhere = signal_of("approval", "1", "b");
  elsewhere.source = "/another";
  EXPECT_EQ(run.advance(elsewhere), Judgement::kApplied);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, SignalThatNobodyTakesIsRefusedByName) {
  run.start<Waits>();
  EXPECT_EQ(run.advance(signal_of("aproval", "1")), Judgement::kMismatch);
  EXPECT_EQ(run.reason(), "the saga takes no signal named aproval; it takes approval, other");
  SignalInput wrong = signal_of("approval", "2");
  wrong.data = R"({"id":7})";
  EXPECT_EQ(run.advance(wrong), Judgement::kMismatch);
  EXPECT_THAT(run.reason(), HasSubstr("signal approval does not fit: "));
  EXPECT_EQ(run.status().sequence, 1);
}

TEST_P(EngineTest, SignalsNobodyReadsHaveALimit) {
  run.environment().limits.maximum_unread_signals = 2;
  run.start<Waits>();
  EXPECT_EQ(run.advance(signal_of("other", "1")), Judgement::kApplied);
  EXPECT_EQ(run.advance(signal_of("other", "2")), Judgement::kApplied);
  EXPECT_EQ(run.advance(signal_of("other", "3")), Judgement::kMismatch);
  EXPECT_THAT(run.reason(), HasSubstr("has 2 signals it has not read"));
}

TEST_P(EngineTest, SignalForAnEndedSagaIsLate) {
  run.start<Waits>();
  run.advance(signal_of("approval", "1"));
  run.advance(signal_of("approval", "2"));
  EXPECT_EQ(run.advance(signal_of("approval", "3")), Judgement::kEnded);
}

/// A signal that came during a step is there when it is asked for.
struct WaitsLater : Saga<Order, Done> {
  static constexpr std::string_view name = "waits-later";
  static constexpr std::array signals{signal<Done>("approval")};
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    const auto approval = co_await saga.signal<Done>("approval", days{7});
    if (!approval) throw SagaFailed("unapproved", "nobody approved in a week");
    co_return *approval;
  }
};

TEST_P(EngineTest, SignalBeforeAnyoneWaitsIsKept) {
  run.start<WaitsLater>();
  run.advance(signal_of("approval", "1", "early"));
  EXPECT_EQ(run.status().status, SagaStatus::kRunning);
  run.succeed(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, SignalInTimeCancelsItsTimer) {
  run.start<WaitsLater>();
  run.succeed(1);
  EXPECT_EQ(run.status().wake_at, run.now() + days{7});
  run.pass(days{7} - 1ms);
  run.advance(signal_of("approval", "1"));
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, SignalThatDoesNotComeRollsBack) {
  run.start<WaitsLater>();
  run.succeed(1);
  run.sent();
  run.pass(days{7});
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
  EXPECT_EQ(run.advance(signal_of("approval", "1")), Judgement::kLate);
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

/// One that came too late for the first wait is there for the second.
struct WaitsTwice : Saga<Order, Done> {
  static constexpr std::string_view name = "waits-twice";
  static constexpr std::array signals{signal<Done>("approval")};
  Task<Done> run(Context& saga, Order) override {
    auto first = co_await saga.signal<Done>("approval", 1h);
    const auto second = co_await saga.signal<Done>("approval", 1h);
    co_return Done{(first ? first->id : "none") + "," + (second ? second->id : "none")};
  }
};

TEST_P(EngineTest, WaitThatTimedOutTakesNoSignal) {
  run.start<WaitsTwice>();
  run.pass(1h);
  run.pass(10min);
  run.advance(signal_of("approval", "1", "late"));
  EXPECT_THAT(run.stored().history.back().events, HasSubstr(R"({"id":"none,late"})"));
}

struct Undeclared : Saga<Order, Done> {
  static constexpr std::string_view name = "undeclared";
  Task<Done> run(Context& saga, Order) override { co_return co_await saga.signal<Done>("approval"); }
};

TEST_P(EngineTest, WaitForASignalTheSagaDoesNotListIsADefect) {
  run.start<Undeclared>();
  EXPECT_EQ(run.status().stuck_reason, "undeclared-signal");
}

/// A step against a signal against a timer.
struct Races : Saga<Order, Done> {
  static constexpr std::string_view name = "races";
  static constexpr std::array signals{signal<Done>("withdrawn")};
  Task<Done> run(Context& saga, Order order) override {
    const auto reserved = saga.start<Reserve>(order);
    const auto withdrawn = saga.expect<Done>("withdrawn");
    const auto slow = saga.timer(1h);
    const std::size_t first = co_await saga.any(reserved, withdrawn, slow);
    if (first != 0) saga.cancel(reserved);
    saga.cancel(withdrawn);
    saga.cancel(slow);
    if (first == 0) co_return reserved.get();
    co_return Done{first == 1 ? withdrawn.get().id : "slow"};
  }
};

TEST_P(EngineTest, RaceIsWonByTheStep) {
  run.start<Races>();
  EXPECT_EQ(run.status().wake_at, run.now() + 1h);
  run.succeed(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
  EXPECT_EQ(run.sent().size(), 2U) << "the command and the outcome, no compensation";
}

TEST_P(EngineTest, RaceIsWonByTheSignalAndTheStepIsCompensated) {
  run.start<Races>();
  run.sent();
  run.advance(signal_of("withdrawn", "1", "changed-my-mind"));
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1")) << "it may have taken effect";
  EXPECT_EQ(run.status().status, SagaStatus::kRunning) << "the debt is open";
  EXPECT_EQ(run.succeed(1), Judgement::kLate);
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
  EXPECT_THAT(run.stored().history[1].events,
              HasSubstr(R"({"type":"abandoned","ordinal":1,"step":"reserve")"));
}

TEST_P(EngineTest, RaceIsWonByTheTimer) {
  run.start<Races>();
  run.pass(1h);
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 1", "reserve compensation 1"));
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

}  // namespace
}  // namespace skald::engine
