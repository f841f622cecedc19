// A saga from its trigger to its outcome event, in memory, with what may go wrong on the way.
#include "world.hpp"

namespace skald::runtime {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(EndToEnd, ASagaIsTriggeredRunsItsStepsAndEndsWithOneOutcomeEvent) {
  World world;
  Process& process = world.add_process();
  world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompleted); }));
  EXPECT_TRUE(world.run_until([&] { return world.outcomes().size() == 1; }));
  EXPECT_EQ(world.participants->actions.size(), 3u);
  EXPECT_THAT(world.participants->compensations, IsEmpty());
  EXPECT_EQ(process.observer.started, 1);
  EXPECT_EQ(process.observer.ended[SagaStatus::kCompleted], 1);
  EXPECT_TRUE(world.run_until([&] { return world.store.outbox().empty(); }));
}

TEST(EndToEnd, ARefusedStepRollsBackWhatTookEffectInReverse) {
  World world;
  world.add_process();
  world.participants->scripts["ship"] = [](const auto& command) {
    return Participants::refused(command, "no-truck");
  };
  world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompensated); }));
  std::vector<std::string> undone;
  for (const auto& command : world.participants->received)
    if (command.phase == wire::Phase::kCompensation) undone.push_back(command.step);
  EXPECT_THAT(undone, ::testing::ElementsAre("charge", "reserve"));
  EXPECT_TRUE(world.run_until([&] { return world.outcomes()["o-1"] == 1; }));
}

TEST(EndToEnd, DuplicateTriggersAndRepliesDoNothing) {
  World world;
  Process& process = world.add_process();
  world.participants->copies = 3;
  for (int copy = 0; copy < 3; ++copy) world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompleted); }));
  world.run_for(1s);
  EXPECT_THAT(world.store.sagas(), SizeIs(1));
  EXPECT_THAT(world.participants->received, SizeIs(3));
  EXPECT_EQ(process.observer.ignored["start"], 2);
  EXPECT_EQ(process.observer.ignored["reply"], 6);
  EXPECT_THAT(process.observer.dead_letters, IsEmpty());
}

TEST(EndToEnd, HistoryThatGrowsLongIsToldOnce) {
  World world;
  Process& by_transitions =
      world.add_process([](Runtime::Parts& parts) { parts.settings.history_warning_transitions = 3; });
  world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompleted); }));
  EXPECT_EQ(by_transitions.observer.long_histories, 1);
  World other;
  Process& by_bytes =
      other.add_process([](Runtime::Parts& parts) { parts.settings.history_warning_bytes = 300; });
  other.order("o-1");
  ASSERT_TRUE(other.run_until([&] { return other.has("o-1", SagaStatus::kCompleted); }));
  EXPECT_EQ(by_bytes.observer.long_histories, 1);
}

TEST(EndToEnd, ASagaWithALocalStepCompletes) {
  World world;
  Process& process = world.add_process([](Runtime::Parts& parts) { parts.settings.lanes = 1; });
  world.run_until([&] { return process.runtime->incarnation() != 0; });
  auto answer =
      process.runtime->start_saga("with-local", "l-1", R"({"id":"l-1","cents":5})", {}, "test", 0ms);
  EXPECT_FALSE(answer.ok());  // nobody drove it yet
  ASSERT_TRUE(world.run_until([&] { return world.has("l-1", SagaStatus::kCompleted); }));
  EXPECT_EQ(world.book_effects, 1);
}

TEST(EndToEnd, ManySagasGoInFewBatches) {
  World world;
  Process& process = world.add_process();
  for (int index = 0; index < 400; ++index) world.order("o-" + std::to_string(index));
  ASSERT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompleted) == 400; }));
  std::size_t inputs = 0;
  for (const std::size_t batch : process.observer.batches) inputs += batch;
  EXPECT_EQ(inputs, 1600u);
  EXPECT_LT(process.observer.batches.size(), 100u);
  EXPECT_EQ(process.observer.replays, 0) << "everything stayed in the cache";
}

TEST(EndToEnd, ASmallCacheOnlyCostsReplays) {
  World world;
  Process& process = world.add_process([](Runtime::Parts& parts) { parts.settings.cache_bytes = 20'000; });
  for (int index = 0; index < 50; ++index) world.order("o-" + std::to_string(index));
  ASSERT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompleted) == 50; }));
  EXPECT_GT(process.observer.replays, 50);
}

TEST(EndToEnd, EveryCommitInDoubtStillGivesEachSagaOnce) {
  for (const auto fault : {memory::CommitFault::kUnknownApplied, memory::CommitFault::kUnknownNotApplied}) {
    World world;
    world.add_process();
    int commits = 0;
    world.store.set_commit_hook(
        [&](const Batch&) { return ++commits % 2 == 0 ? fault : memory::CommitFault::kNone; });
    for (int index = 0; index < 20; ++index) world.order("o-" + std::to_string(index));
    ASSERT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompleted) == 20; }));
    ASSERT_TRUE(
        world.run_until([&] { return world.outcomes().size() == 20 && world.store.outbox().empty(); }));
    for (const auto& [saga, events] : world.outcomes()) EXPECT_EQ(events, 1) << saga;
    EXPECT_THAT(world.participants->actions, SizeIs(60));
  }
}

TEST(EndToEnd, ALocalStepWhoseCommitWasInDoubtRunsOnce) {
  World world;
  Process& process = world.add_process();
  world.run_until([&] { return process.runtime->incarnation() != 0; });
  world.store.fail_next_commits(memory::CommitFault::kUnknownApplied);
  static_cast<void>(
      process.runtime->start_saga("with-local", "l-1", R"({"id":"l-1","cents":5})", {}, "test", 0ms));
  ASSERT_TRUE(world.run_until([&] { return world.has("l-1", SagaStatus::kCompleted); }));
  EXPECT_EQ(world.book_effects, 1);
}

TEST(EndToEnd, TwoProcessesShareAStore) {
  World world;
  Process& first = world.add_process();
  Process& second = world.add_process();
  world.run_for(1s);  // both have joined
  for (int index = 0; index < 100; ++index) world.order("o-" + std::to_string(index));
  ASSERT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompleted) == 100; }));
  EXPECT_GT(first.observer.started, 0);
  EXPECT_GT(second.observer.started, 0);
  EXPECT_EQ(first.observer.started + second.observer.started, 100);
  EXPECT_THAT(world.participants->actions, SizeIs(300));
}

TEST(EndToEnd, AKilledProcessIsTakenOverWithoutLossOrRepeat) {
  World world;
  world.add_process();
  world.add_process();
  for (int index = 0; index < 100; ++index) world.order("o-" + std::to_string(index));
  ASSERT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompleted) > 10; }));
  world.kill(0);
  ASSERT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompleted) == 100; }));
  ASSERT_TRUE(world.run_until([&] { return world.store.outbox().empty(); }));
  EXPECT_THAT(world.outcomes(), SizeIs(100));
  EXPECT_THAT(world.participants->actions, SizeIs(300));
  EXPECT_THAT(world.participants->compensations, IsEmpty());
}

TEST(EndToEnd, ADrainedProcessLeavesNothingBehind) {
  World world;
  Process& process = world.add_process();
  for (int index = 0; index < 20; ++index) world.order("o-" + std::to_string(index));
  for (int rounds = 0; rounds < 3; ++rounds) world.round();
  EXPECT_TRUE(process.runtime->drain());
  EXPECT_THAT(world.store.outbox(), IsEmpty());
  auto session = world.store.open().value();
  EXPECT_THAT(session->live_incarnations().value(), IsEmpty());
  world.kill(0);
  world.add_process();
  ASSERT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompleted) == 20; }));
  EXPECT_THAT(world.participants->actions, SizeIs(60));
}

}  // namespace
}  // namespace skald::runtime
