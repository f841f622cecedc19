// Stuck sagas, operators, and the difference between history and code. Method: scripts, deploys of other code, and
// histories damaged by hand.
#include <set>

#include "sagas.hpp"

namespace skald::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Stuck, DefectInTheCodeStopsTheSagaAndRefundsNobody) {
  Broken::mended = false;
  Script run;
  run.start<Broken>();
  run.sent();
  run.succeed(1);
  EXPECT_EQ(run.status().status, SagaStatus::kStuck);
  EXPECT_EQ(run.status().stuck_reason, "exception");
  EXPECT_THAT(run.sent(), IsEmpty());  // the step scheduled before the throw never went out
}

TEST(Stuck, RetryWithMendedCodeGoesOnFromBeforeTheDefect) {
  Broken::mended = false;
  Script run;
  run.start<Broken>();
  run.succeed(1);
  Broken::mended = true;
  ASSERT_FALSE(run.reload());
  run.sent();
  EXPECT_EQ(run.decide(OperatorVerb::retry, 0), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1"));
  ASSERT_FALSE(run.reload());
  run.succeed(2);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST(Stuck, ReplyThatDoesNotFitItsOutputIsKeptVisible) {
  Script run;
  run.start<ThreeSteps>();
  EXPECT_EQ(run.succeed(1, 1, R"({"id":7})"), Judgement::kApplied);
  EXPECT_EQ(run.status().stuck_reason, "unreadable-reply");
  EXPECT_THAT(run.stored().history.back().events, HasSubstr("/id"));
  EXPECT_EQ(run.decide(OperatorVerb::skip, 1, R"({"id":"seven"})"), Judgement::kApplied);
  EXPECT_EQ(run.status().status, SagaStatus::kRunning);
}

TEST(Stuck, OperatorThatLookedTooEarlyIsRefused) {
  Script run;
  run.start<ThreeSteps>();
  EXPECT_EQ(run.decide(OperatorVerb::retry, 0), Judgement::kRefused);
  run.advance(Poison{"poison-input", "refused by the database", std::string("\0x", 2)});
  const OperatorAction stale{OperatorVerb::end, 1, 0, "", "ann", "late"};
  EXPECT_EQ(run.advance(stale), Judgement::kRefused);
  EXPECT_THAT(run.reason(), HasSubstr("moved since you looked"));
  EXPECT_THAT(run.stored().history.back().events, HasSubstr("0078"));
}

TEST(Stuck, TransitionBeyondTheLimitIsStuckNotACrash) {
  Script run;
  run.environment().limits.maximum_transitions = 3;
  run.start<ThreeSteps>();
  run.succeed(1);
  run.succeed(2);
  EXPECT_EQ(run.status().stuck_reason, "history-limit");
  EXPECT_EQ(run.status().stuck_step, "");
}

struct OtherOrder : Saga<Order, Done> {
  static constexpr std::string_view name = "three-steps";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Charge>(order);
    co_return co_await saga.step<Reserve>(order);
  }
};
struct OtherInput : Saga<Order, Done> {
  static constexpr std::string_view name = "three-steps";
  Task<Done> run(Context& saga, Order order) override {
    co_return co_await saga.step<Reserve>("x" + order.id, order.cents);
  }
};
struct EndsSooner : Saga<Order, Done> {
  static constexpr std::string_view name = "three-steps";
  Task<Done> run(Context& saga, Order order) override { co_return co_await saga.step<Reserve>(order); }
};

TEST(Divergence, NamesWhatHistoryHasAndWhatTheCodeGives) {
  Script run;
  run.start<ThreeSteps>();
  run.succeed(1);
  const auto other_order = run.deploy<OtherOrder>();
  ASSERT_TRUE(other_order);
  EXPECT_FALSE(other_order->corrupt);
  EXPECT_EQ(other_order->sequence, 1);
  EXPECT_EQ(other_order->build, "build-1");
  EXPECT_EQ(other_order->message, "history has `step reserve #1`, the code gives `step charge #1`");
  EXPECT_THAT(run.deploy<OtherInput>()->message, HasSubstr("and the code gives"));
  EXPECT_THAT(run.deploy<EndsSooner>()->message, HasSubstr("the code gives `returned`"));
  EXPECT_FALSE(run.deploy<ThreeSteps>());
}

TEST(Divergence, BecomesStuckAndGoesOnOnceTheCodeFitsAgain) {
  Script run;
  run.start<ThreeSteps>();
  ASSERT_TRUE(run.deploy<OtherOrder>());
  Verdict verdict = run.instance().advance(Poison{"nondeterminism", "differs", ""}, {run.now(), 1});
  ASSERT_TRUE(verdict.transition);
  run.stored().history.push_back(*verdict.transition->row);
  run.stored().row.sequence = 2;
  run.stored().row.status = SagaStatus::kStuck;
  EXPECT_EQ(run.decide(OperatorVerb::retry, 0), Judgement::kRefused);
  EXPECT_THAT(run.reason(), HasSubstr("still differ"));
  ASSERT_FALSE(run.deploy<ThreeSteps>());
  EXPECT_EQ(run.decide(OperatorVerb::retry, 0), Judgement::kApplied);
  run.succeed(1);
  EXPECT_EQ(run.status().status, SagaStatus::kRunning);
}

TEST(Divergence, DamagedHistoryIsAProblemNotACrash) {
  Script run;
  run.start<ThreeSteps>();
  run.succeed(1);
  const std::string good = run.stored().history[1].events;
  for (std::size_t length = 0; length < good.size(); ++length) {
    run.stored().history[1].events = good.substr(0, length);
    EXPECT_TRUE(run.reload()) << "truncated to " << length << " bytes and accepted";
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    run.stored().history[1].events = good;
    run.stored().history[1].events[at] ^= 0x01;
    EXPECT_TRUE(run.reload()) << "a bit flipped at byte " << at << " and accepted";
  }
  run.stored().history.erase(run.stored().history.begin());
  ASSERT_TRUE(run.reload());
}

/// Everything the status table says, done.
TEST(StatusTable, EveryWayIsTaken) {
  std::set<std::pair<SagaStatus, SagaStatus>> taken;
  const auto play = [&taken](auto script) {
    Script run;
    script(run);
    taken.insert(run.changes().begin(), run.changes().end());
  };
  const auto stick = [](Script& run) { run.advance(Poison{"poison-input", "x", "y"}); };
  play([](Script& run) { run.start<Falls>(), run.succeed(1); });
  play([](Script& run) {
    run.start<ThreeSteps>(), run.succeed(1), run.fail(2, "x", Retry::never), run.undo_fails(1, Retry::never);
    run.decide(OperatorVerb::retry, 1), run.undone(1, 2);
  });
  play([&](Script& run) {
    run.start<ThreeSteps>(), stick(run);
    run.advance(Poison{"other", "x", "y"}), run.decide(OperatorVerb::retry, 0);
  });
  play([&](Script& run) {
    run.start<ThreeSteps>(), run.succeed(1), stick(run), run.decide(OperatorVerb::compensate, 0);
  });
  play([&](Script& run) { run.start<ThreeSteps>(), stick(run), run.decide(OperatorVerb::end, 0); });
  play([](Script& run) { run.start<ThreeSteps>(), run.decide(OperatorVerb::terminate, 0); });
  play([](Script& run) {
    run.start<ThreeSteps>(), run.succeed(1), run.decide(OperatorVerb::cancel, 0), run.undone(2),
        run.undone(1);
  });
  play([](Script& run) {
    run.start<ThreeSteps>(), run.decide(OperatorVerb::cancel, 0), run.decide(OperatorVerb::terminate, 0);
  });
  play([](Script& run) {
    ParentCommand parent{
        "test/parent/o-9/1/action/1", "three-steps", "replies", Phase::kAction, "", 1, false};
    run.start<ThreeSteps>("o-1", {R"({"id":"o-1","cents":100})", {}, "test", parent});
    run.succeed(1), run.succeed(2), run.succeed(3);
    parent.id = "test/parent/o-9/1/compensation/1";
    parent.phase = Phase::kCompensation;
    run.advance(parent);
  });
  for (const StatusChange& change : kStatusTable)
    EXPECT_TRUE(taken.contains({change.from, change.to})) << change.meaning;
}

}  // namespace
}  // namespace skald::engine
