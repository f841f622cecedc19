// What is otherwise not the same twice: recorded values, numbers, UUIDs; and patches. Method: as timer_test.cpp.
#include "sagas.hpp"

namespace skald::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

struct Records : Saga<Order, Done> {
  static constexpr std::string_view name = "records";
  static inline int calls = 0;
  static inline std::vector<std::string> seen;
  Task<Done> run(Context& saga, Order order) override {
    const auto price = co_await saga.record("price", [] { return ++calls; });
    const std::string uuid = saga.uuid();
    const auto number = saga.random();
    seen.push_back(std::to_string(price) + " " + uuid + " " + std::to_string(number));
    co_await saga.step<Reserve>(order.id, price);
    co_return co_await saga.step<Ship>(uuid, order.cents);
  }
};

TEST_P(EngineTest, RecordedValuesAndNumbersAreTheSameOnReplay) {
  Records::calls = 0;
  Records::seen.clear();
  run.start<Records>();
  run.succeed(1);
  run.succeed(2);
  ASSERT_FALSE(run.reload());
  EXPECT_EQ(Records::calls, 1) << "called once, whatever was replayed";
  for (const std::string& seen : Records::seen) EXPECT_EQ(seen, Records::seen.front());
  EXPECT_THAT(Records::seen.front(),
              MatchesRegex("1 [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12} [0-9]+"));
  EXPECT_THAT(run.stored().history[0].events, HasSubstr(R"({"type":"recorded","name":"price","bytes":1})"));
}

struct RecordsForEver : Saga<Order, Done> {
  static constexpr std::string_view name = "records-for-ever";
  Task<Done> run(Context& saga, Order) override {
    while (true) co_await saga.record("again", [] { return Nothing{}; });
  }
};

TEST_P(EngineTest, RecordsWithoutEndMakeTheSagaStuck) {
  run.environment().limits.maximum_steps_per_transition = 50;
  run.start<RecordsForEver>();
  EXPECT_EQ(run.status().stuck_reason, "step-limit");
}

struct RecordsElsewhere : Saga<Order, Done> {
  static constexpr std::string_view name = "records";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    co_return Done{order.id};
  }
};

TEST_P(EngineTest, RecordThatTheCodeDoesNotComeToIsADivergence) {
  run.start<Records>();
  const auto problem = run.deploy<RecordsElsewhere>();
  ASSERT_TRUE(problem);
  EXPECT_THAT(problem->message, HasSubstr("history has `recorded price`, the code gives `step reserve #1`"));
}

struct Unpatched : Saga<Order, Done> {
  static constexpr std::string_view name = "patched";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    co_return co_await saga.step<Ship>(order);
  }
};
struct Patched : Saga<Order, Done> {
  static constexpr std::string_view name = "patched";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    if (saga.patched("charge-first")) co_await saga.step<Charge>(order);
    co_return co_await saga.step<Ship>(order);
  }
};
struct PatchKept : Saga<Order, Done> {
  static constexpr std::string_view name = "patched";
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    co_await saga.step<Charge>(order);
    co_return co_await saga.step<Ship>(order);
  }
};

TEST_P(EngineTest, PatchIsForSagasThatHaveNotComePastIt) {
  run.start<Unpatched>();
  ASSERT_FALSE(run.deploy<Patched>());
  run.sent();
  run.succeed(1);
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1")) << "it comes to the change with the new code";
  EXPECT_THAT(run.stored().history[1].events, HasSubstr(R"({"type":"patched","name":"charge-first"})"));
  run.succeed(2);
  ASSERT_FALSE(run.deploy<PatchKept>()) << "the call may go once all sagas have the change";
  run.succeed(3);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, SagaThatWasPastThePatchStaysAsItWas) {
  run.start<Unpatched>();
  run.succeed(1);
  ASSERT_FALSE(run.deploy<Patched>());
  run.succeed(2);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
  const auto problem = run.deploy<PatchKept>();
  ASSERT_TRUE(problem) << "but not while one is open that has it not";
  EXPECT_THAT(problem->message, HasSubstr("history has `step ship #2`, the code gives `step charge #2`"));
}

}  // namespace
}  // namespace skald::engine
