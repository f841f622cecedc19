// Paused definitions and step types: nothing of them moves, nothing that came meanwhile is lost, and all of it happens
// when they go on. Method: the world of end_to_end_test; the operator writes to the store.
#include "runtime/codes.hpp"
#include "world.hpp"

namespace skald::runtime {
namespace {

class Paused : public ::testing::Test {
 protected:
  Paused() {
    world_.run_until([this] { return process_.runtime->incarnation() != 0; });
  }
  void pause(PauseKind kind, const std::string& name) {
    EXPECT_TRUE(*world_.store.open().value()->pause({kind, name, "ann", "maintenance", {}}));
    world_.run_for(1'500ms);
  }
  void resume(PauseKind kind, const std::string& name) {
    EXPECT_TRUE(*world_.store.open().value()->resume(kind, name, "ann", "it is over"));
  }
  /// Commands of a step that participants have seen.
  [[nodiscard]] int seen(const std::string& step) const {
    int count = 0;
    for (const wire::Command& command : world_.participants->received) count += command.step == step ? 1 : 0;
    return count;
  }
  void completes(const std::string& id) {
    EXPECT_TRUE(world_.run_until([&] { return world_.has(id, SagaStatus::kCompleted); })) << id;
  }

  World world_;
  Process& process_ = world_.add_process();
};

TEST_F(Paused, OfADefinitionNothingStartsAndItsTopicWaits) {
  pause(PauseKind::definition, "three-steps");
  pause(PauseKind::definition, "sleeps");
  world_.order("o-1");
  world_.run_for(10s);
  EXPECT_TRUE(world_.store.sagas().empty());
  EXPECT_TRUE(world_.store.parked().empty()) << "all that the topic starts is paused: it stays in Kafka";
  EXPECT_EQ(process_.observer.consumed, 0);
  resume(PauseKind::definition, "three-steps");
  completes("o-1");
}

TEST_F(Paused, OfOneDefinitionStartsWaitWhileAnotherOfTheTopicGoesOn) {
  pause(PauseKind::definition, "three-steps");
  world_.order("o-1");
  world_.order("nap-1", 1);
  completes("nap-1");
  EXPECT_FALSE(world_.row("o-1"));
  ASSERT_EQ(world_.store.parked().size(), 1u);
  EXPECT_EQ(world_.store.parked().front().reason, ParkReason::kPausedStart);
  resume(PauseKind::definition, "three-steps");
  completes("o-1");
  EXPECT_TRUE(world_.run_until([this] { return world_.store.parked().empty(); }));
}

TEST_F(Paused, RunningSagasStandStillAndTakeNothingLate) {
  world_.participants->scripts["charge"] = [this](const wire::Command& command) {
    pause(PauseKind::definition, "three-steps");
    return std::optional(Participants::succeeded(command));
  };
  world_.order("o-1");
  ASSERT_TRUE(world_.run_until([this] { return world_.store.parked().size() == 1; }));
  const auto stood = world_.row("o-1")->sequence;
  world_.run_for(10min);  // the step's schedule_to_close is a minute
  EXPECT_EQ(world_.row("o-1")->sequence, stood);
  EXPECT_EQ(seen("ship"), 0);
  resume(PauseKind::definition, "three-steps");
  completes("o-1");
  EXPECT_EQ(seen("charge"), 1) << "the answer that had come was judged before the deadline that passed";
}

TEST_F(Paused, DeadlinesWaitToo) {
  world_.participants->scripts["charge"] = [](const wire::Command&) { return std::optional<wire::Reply>(); };
  world_.order("o-1");
  ASSERT_TRUE(world_.run_until([this] { return seen("charge") == 1; }));
  pause(PauseKind::definition, "three-steps");
  world_.run_for(10min);
  EXPECT_TRUE(world_.has("o-1", SagaStatus::kRunning));
  resume(PauseKind::definition, "three-steps");
  EXPECT_TRUE(world_.run_until([this] { return world_.has("o-1", SagaStatus::kCompensated); }));
}

TEST_F(Paused, OfADefinitionNothingStartsOverTheApi) {
  pause(PauseKind::definition, "three-steps");
  const auto started =
      process_.runtime->start_saga("three-steps", "o-1", R"({"id":"o-1","cents":5})", {}, "test", 0ms);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(started.error().code, code::kPaused);
}

TEST_F(Paused, AnswersOfAnEarlierPauseAreThereForAProcessThatStartsLater) {
  pause(PauseKind::definition, "three-steps");
  world_.order("o-1");
  world_.run_for(2s);
  world_.kill(0);
  world_.add_process();
  world_.run_for(10s);
  EXPECT_TRUE(world_.store.sagas().empty()) << "it knew of the pause before it began";
  resume(PauseKind::definition, "three-steps");
  completes("o-1");
}

TEST_F(Paused, OfAStepTypeNoAttemptGoesOutAndTheRestGoesOn) {
  pause(PauseKind::step, "charge");
  for (int order = 0; order < 5; ++order) world_.order("o-" + std::to_string(order));
  world_.run_for(20s);
  EXPECT_EQ(seen("reserve"), 5);
  EXPECT_EQ(seen("charge"), 0);
  resume(PauseKind::step, "charge");
  for (int order = 0; order < 5; ++order) completes("o-" + std::to_string(order));
  EXPECT_EQ(seen("charge"), 5);
}

}  // namespace
}  // namespace skald::runtime
