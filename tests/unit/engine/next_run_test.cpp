// Continue-as-new. Method: scripts as in forward_test; a run is rebuilt from its own rows alone.
#include "sagas.hpp"

namespace skald::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Charges month after month, as many times as it has cents, and listens.
class Subscription : public Saga<Order, Done> {
 public:
  static constexpr std::string_view name = "subscription";
  static constexpr std::array signals{signal<Done>("stop"), signal<Done>("note")};
  Done rename(const Done& to) {
    name_ = to.id;
    return {"now " + to.id};
  }
  static constexpr std::array updates{update<&Subscription::rename>("rename")};
  Task<Done> run(Context& saga, Order order) override {
    auto charged = co_await saga.step<Charge>(order);
    if (order.cents == 0) co_return charged;
    if (const auto stop = co_await saga.signal<Done>("stop", std::chrono::days{30})) co_return *stop;
    co_await saga.continue_as_new(Order{order.id, order.cents - 1});
    throw std::logic_error("nothing comes after it");
  }

 private:
  std::string name_;
};

struct Continues : Saga<Order, Done> {
  static constexpr std::string_view name = "continues";
  static constexpr SagaOptions options{.deadline = std::chrono::hours{1}};
  Task<Done> run(Context& saga, Order order) override {
    if (order.cents == 0) {
      auto reserved = co_await saga.step<Reserve>(order);
      co_return reserved;
    }
    [[maybe_unused]] const auto charged = saga.start<Charge>(order);
    co_await saga.continue_as_new(Order{std::to_string(saga.random() % 1000), order.cents - 1});
    co_return Done{};
  }
};

struct ContinuesWrongly : Saga<Order, Done> {
  static constexpr std::string_view name = "continues-wrongly";
  Task<Done> run(Context& saga, Order) override {
    co_await saga.continue_as_new(Done{"no order"});
    co_return Done{};
  }
};

class NextRun : public EngineTest {
 protected:
  Judgement signal(const std::string& name, const std::string& id) {
    return run.advance(SignalInput{name, "/test", id, R"({"id":")" + id + R"("})", false});
  }
  /// The store gives the last run only.
  void forget_runs_before() {
    auto& history = run.stored().history;
    std::erase_if(history, [&](const HistoryRow& row) { return row.sequence < run.status().run_from; });
  }
};
INSTANTIATE_TEST_SUITE_P(Modes, NextRun, ::testing::Values(Mode::kCached, Mode::kReplayedEachTime),
                         [](const auto& info) {
                           return info.param == Mode::kCached ? "cached" : "replayed";
                         });

TEST_P(NextRun, BeginsWithAnEmptyHistoryAndOrdinalsThatGoOn) {
  run.start<Subscription>(R"({"id":"o-1","cents":2})");
  run.succeed(1);
  run.pass(std::chrono::days{30});  // the run ends
  EXPECT_EQ(run.instance().next_deadline(), run.now());
  EXPECT_EQ(run.status().run_from, 1);
  run.sent();
  run.pass(0ms);  // the next one begins
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1"));
  EXPECT_EQ(run.header(1, "ce_idempotencykey"), "test/subscription/o-1/2");
  EXPECT_EQ(run.status().run_from, run.status().sequence);
  EXPECT_EQ(run.status().run_from, 4);
  forget_runs_before();
  ASSERT_FALSE(run.reload());
  run.succeed(2);
  run.pass(std::chrono::days{30});
  run.pass(0ms);
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1"));
  forget_runs_before();
  ASSERT_FALSE(run.reload());
  run.succeed(3);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(NextRun, KnowsTheMessagesOfTheRunsBefore) {
  run.start<Subscription>(R"({"id":"o-1","cents":2})");
  signal("note", "n-1");
  const UpdateInput rename{"rename", "/test", "u-1", R"({"id":"Bo"})"};
  EXPECT_EQ(run.verdict(rename).answer, R"({"id":"now Bo"})");
  run.succeed(1);
  run.pass(std::chrono::days{30});
  EXPECT_EQ(signal("stop", "between"), Judgement::kApplied);
  run.pass(0ms);
  forget_runs_before();
  ASSERT_FALSE(run.reload());
  EXPECT_EQ(signal("note", "n-1"), Judgement::kDuplicate);
  EXPECT_EQ(run.verdict(rename).judgement, Judgement::kDuplicate);
  EXPECT_EQ(run.verdict(rename).answer, R"({"id":"now Bo"})");
  EXPECT_EQ(run.succeed(1), Judgement::kLate);
  run.succeed(2);  // the signal that came between the runs is there
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
  EXPECT_THAT(run.messages().back().value.value(), HasSubstr("between"));
}

TEST_P(NextRun, WaitsForTheStepsOfTheRunThatEnds) {
  run.start<Continues>(R"({"id":"o-1","cents":1})");
  EXPECT_EQ(run.instance().next_deadline(), kNever) << "only the step can move it on";
  run.pass(1s);
  EXPECT_EQ(run.status().run_from, 1);
  run.succeed(1);
  run.pass(0ms);
  EXPECT_EQ(run.status().run_from, 3);
  EXPECT_EQ(run.instance().next_deadline(), run.now() + 1h) << "the deadline counts anew";
  run.succeed(2);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(NextRun, FailureNobodyLookedAtRollsBackTheRunThatEnds) {
  run.start<Continues>(R"({"id":"o-1","cents":1})");
  run.fail(1, "no-money", Retry::never);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(NextRun, RollsBackNoFurtherThanItsBeginning) {
  run.start<Subscription>(R"({"id":"o-1","cents":2})");
  run.succeed(1);
  run.pass(std::chrono::days{30});
  run.pass(0ms);
  run.sent();
  run.fail(2, "no-money", Retry::never);
  EXPECT_THAT(run.sent(), ElementsAre("saga.compensated"));
}

TEST_P(NextRun, CancellationBetweenTheRunsCancelsTheNext) {
  run.start<Subscription>(R"({"id":"o-1","cents":2})");
  run.succeed(1);
  run.pass(std::chrono::days{30});
  EXPECT_EQ(run.decide(OperatorVerb::cancel, 0), Judgement::kApplied);
  run.pass(0ms);
  EXPECT_EQ(run.status().status, SagaStatus::kCancelled);
}

TEST_P(NextRun, OperatorsPauseHoldsItBack) {
  run.start<Subscription>(R"({"id":"o-1","cents":2})");
  run.succeed(1);
  run.decide(OperatorVerb::pause, 0);
  run.pass(std::chrono::days{31});
  run.decide(OperatorVerb::resume, 0);
  run.pass(0ms);
  run.pass(0ms);
  EXPECT_GT(run.status().run_from, 1);
}

TEST_P(NextRun, OfAnotherInputTypeIsADefectThatNamesIt) {
  run.start<ContinuesWrongly>();
  EXPECT_EQ(run.status().stuck_reason, "unreadable-input");
  EXPECT_THAT(run.stored().history.back().events, HasSubstr("saga.continue_as_new"));
}

TEST_P(NextRun, LimitsCountAnew) {
  run.environment().limits.maximum_transitions = 5;
  run.start<Subscription>(R"({"id":"o-1","cents":9})");
  for (int month = 1; month <= 9; ++month) {
    run.succeed(month);
    run.pass(std::chrono::days{30});
    run.pass(0ms);
    ASSERT_EQ(run.status().status, SagaStatus::kRunning) << month << run.status().stuck_reason;
  }
}

/// Three charges that are undone beside each other, between two that are not.
struct Grouped : Saga<Order, Done> {
  static constexpr std::string_view name = "grouped";
  static Task<Done> charges(Context& saga, Order order) {
    const auto group = saga.rollback_group();
    for (int number = 0; number < 3; ++number) co_await saga.step<Charge>(order);
    co_return Done{};
  }
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    co_await charges(saga, order);
    co_await saga.step<Reserve>(order);
    co_return co_await saga.step<Ship>(order);
  }
};

TEST_P(NextRun, AGroupIsUndoneBesideEachOtherAndInItsPlace) {
  run.start<Grouped>();
  for (int ordinal = 1; ordinal <= 5; ++ordinal) run.succeed(ordinal);
  run.sent();
  run.fail(6, "no-truck", Retry::never);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
  run.undone(5);
  EXPECT_THAT(run.sent(),
              ElementsAre("charge compensation 1", "charge compensation 1", "charge compensation 1"));
  run.undone(3);
  run.undo_fails(2, Retry::allowed);
  run.undone(4);
  EXPECT_THAT(run.sent(), IsEmpty());
  run.pass(10s);
  EXPECT_THAT(run.sent(), ElementsAre("charge compensation 2"));
  run.undone(2, 2);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

}  // namespace
}  // namespace skald::engine
