// What ended long ago loses its history, then its row. Method: the world of end_to_end_test.
#include "runtime/key_maker.hpp"
#include "world.hpp"

namespace skald::runtime {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

struct Shipping : ChildSaga<ThreeSteps> {
  static constexpr std::string_view name = "shipping";
};
/// Waits for long after its child has completed.
struct Patient : Saga<Order, Done> {
  static constexpr std::string_view name = "patient";
  Task<Done> run(Context& saga, Order order) override {
    Done done = co_await saga.step<Shipping>(order);
    co_await saga.sleep(std::chrono::hours(30));
    co_return done;
  }
};

class RetentionTest : public ::testing::Test {
 protected:
  RetentionTest() {
    const std::vector<std::string> topics{"children", "children-dlt"};
    EXPECT_TRUE(world_.bus.create_topics(topics, 4).ok());
    world_.registry.add_saga<Patient>();
  }
  Process& process(std::optional<std::chrono::milliseconds> rows = {}) {
    Process& added = world_.add_process([rows](Runtime::Parts& parts) {
      parts.child_topic = "children";
      parts.environment.steps["shipping"] = {"children", {}};
      parts.settings.history_retention = 10h;
      parts.settings.saga_retention = rows;
    });
    EXPECT_TRUE(world_.run_until([&] { return added.runtime->incarnation() != 0; }));
    return added;
  }
  [[nodiscard]] bool completed(const std::string& id) {
    return world_.run_until([&] { return world_.has(id, SagaStatus::kCompleted); });
  }
  [[nodiscard]] bool removed(const std::string& id) const {
    for (const StoredSaga& saga : world_.store.sagas())
      if (saga.row.address.saga_id == id) return saga.history_removed();
    return false;
  }
  void pass(std::chrono::milliseconds time) {
    world_.clock.advance(time);
    world_.run_for(3min);
  }

  World world_;
};

TEST_F(RetentionTest, AHistoryGoesWhenItsTimeHasComeAndTheSagaIsStillKnown) {
  Process& one = process();
  world_.order("o-1");
  ASSERT_TRUE(completed("o-1"));
  pass(9h);
  EXPECT_FALSE(removed("o-1"));
  pass(1h);
  EXPECT_TRUE(removed("o-1"));
  EXPECT_EQ(one.observer.removed["history"], 1u);
  EXPECT_THAT(one.logger.lines, Contains("What ended long ago is removed. histories=1 sagas=0"));

  world_.order("o-1");
  EXPECT_TRUE(world_.run_until([&] { return one.observer.ignored["start"] == 1; })) << "a duplicate";
  world_.order("o-1", 7);
  EXPECT_TRUE(world_.run_until([&] { return one.observer.dead_letters["SKALD-406"] == 1; }))
      << "another input";
  World::give(one, World::reply("o-1", "reserve", 1));
  EXPECT_TRUE(world_.run_until([&] { return one.observer.ignored["reply"] == 1; }));
  const auto answer = one.runtime->query({*world_.row("o-1"), {}}, "anything", "{}");
  ASSERT_FALSE(answer.ok());
  EXPECT_THAT(answer.error().message, HasSubstr("its history was removed"));
  EXPECT_EQ(world_.outcomes()["o-1"], 1);
}

TEST_F(RetentionTest, AnOpenSagaKeepsItsHistoryHoweverOldItIs) {
  Process& one = process();
  world_.participants->scripts["ship"] = [](const auto&) { return std::nullopt; };
  world_.order("o-1");
  ASSERT_TRUE(world_.run_until([&] { return world_.has("o-1", SagaStatus::kRunning); }));
  pass(100h);
  EXPECT_FALSE(removed("o-1"));
  EXPECT_EQ(one.observer.removed["history"], 0u);
}

TEST_F(RetentionTest, AChildKeepsItsHistoryUntilTheSagaAtTheTopHasEnded) {
  Process& one = process();
  world_.start(one, "patient", "p-1");
  ASSERT_TRUE(completed("p-1/1"));
  world_.run_for(1min);  // its parent knows, and sleeps
  pass(20h);
  EXPECT_FALSE(removed("p-1/1")) << "its parent may still roll it back";
  pass(10h);
  ASSERT_TRUE(completed("p-1"));
  world_.run_for(3min);
  EXPECT_TRUE(removed("p-1/1"));
  EXPECT_FALSE(removed("p-1"));
  pass(10h);
  EXPECT_TRUE(removed("p-1"));
}

TEST_F(RetentionTest, TheRowGoesLastAndThenTheSagaWasNever) {
  Process& one = process(20h);
  world_.order("o-1");
  ASSERT_TRUE(completed("o-1"));
  pass(19h);
  EXPECT_TRUE(removed("o-1"));
  pass(1h);
  EXPECT_FALSE(world_.row("o-1"));
  EXPECT_EQ(one.observer.removed["saga"], 1u);
  world_.order("o-1");
  EXPECT_TRUE(completed("o-1")) << "a new one";
}

TEST_F(RetentionTest, OfTwoProcessesOneDoesItAndTheOtherWhenThatOneIsGone) {
  Process& one = process();
  Process& two = process();
  for (int order = 0; order < 700; ++order) world_.order("o-" + std::to_string(order));
  ASSERT_TRUE(world_.run_until([&] { return world_.count(SagaStatus::kCompleted) == 700; }));
  pass(10h);
  EXPECT_EQ(one.observer.removed["history"] + two.observer.removed["history"], 700u) << "more than a page";
  world_.order("late");
  ASSERT_TRUE(completed("late"));
  world_.kill(one.observer.removed["history"] > 0 ? 0 : 1);
  pass(11h);
  EXPECT_TRUE(removed("late"));
}

TEST(KeyMaker, FirstOfATimeIsAboveAllMadeBeforeAndBelowAllMadeAfter) {
  VirtualClock clock;
  KeyMaker keys(clock);
  keys.set_incarnation(1023);
  const std::int64_t before = keys.next();
  clock.advance(1ms);
  const std::int64_t first = KeyMaker::first_of(clock.wall());
  EXPECT_LT(before, first);
  EXPECT_LE(first, keys.next());
}

}  // namespace
}  // namespace skald::runtime
