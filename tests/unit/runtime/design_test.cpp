// "How it stays correct and fast", point by point (1 to 5): each test is named after the sentence it proves.
#include "runtime/lane_queue.hpp"
#include "world.hpp"

namespace skald::runtime {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Two processes that both hold saga o-1 while its participants say nothing.
class Fence : public ::testing::Test {
 protected:
  Fence() : first(world.add_process()), second(world.add_process()) {
    for (const char* step : {"reserve", "charge", "ship"})
      world.participants->scripts[step] = [](const auto&) { return std::nullopt; };
    world.run_for(1s);
    world.start(first, "three-steps", "o-1");
    EXPECT_TRUE(world.run_until([this] { return world.row("o-1").has_value(); }));
  }
  World world;
  Process& first;
  Process& second;
};

TEST_F(Fence, AWriteJudgedAtAStaleSequenceIsLostAndJudgedAgain) {
  World::give(second, World::reply("o-1", "reserve", 1));
  ASSERT_TRUE(world.run_until([this] { return world.row("o-1")->sequence == 2; }));
  World::give(first, World::reply("o-1", "reserve", 1));
  world.run_for(100ms);
  EXPECT_EQ(first.observer.conflicts, 1u);
  EXPECT_EQ(first.observer.ignored["reply"], 1);
  EXPECT_EQ(world.row("o-1")->sequence, 2);
}

TEST_F(Fence, VerdictThatWritesNothingCountsOnlyIfTheSagaStillStands) {
  World::give(second, World::reply("o-1", "reserve", 1));
  ASSERT_TRUE(world.run_until([this] { return world.row("o-1")->sequence == 2; }));
  // To the first process, which has not heard of step 2, this reply names an attempt that never was.
  World::give(first, World::reply("o-1", "charge", 2));
  world.run_for(100ms);
  EXPECT_EQ(world.row("o-1")->sequence, 3);
  EXPECT_THAT(first.observer.dead_letters, IsEmpty());
  EXPECT_THAT(world.bus.records("replies-dlt"), IsEmpty());
}

TEST_F(Fence, AVerdictOfUnknownAttemptThatHoldsIsADeadLetter) {
  World::give(first, World::reply("o-1", "charge", 7));
  ASSERT_TRUE(world.run_until([this] { return world.bus.records("replies-dlt").size() == 1; }));
  EXPECT_EQ(first.observer.dead_letters["SKALD-408"], 1);
  EXPECT_EQ(world.row("o-1")->sequence, 1);
}

TEST_F(Fence, AfterACommitInDoubtEverySagaOfItLeavesTheCache) {
  const int replays = first.observer.replays;
  world.store.fail_next_commits(memory::CommitFault::kUnknownApplied);
  World::give(first, World::reply("o-1", "reserve", 1));
  ASSERT_TRUE(world.run_until([this] { return world.row("o-1")->sequence == 2; }));
  world.run_for(1s);
  EXPECT_GT(first.observer.replays, replays);
  EXPECT_EQ(first.observer.ignored["reply"], 1) << "judged again, it had been applied";
  EXPECT_EQ(world.participants->received.back().step, "charge") << "its messages were found and published";
}

TEST(Lanes, RepliesGoBeforeTriggers) {
  LaneQueue queue;
  std::vector<Work> works(1);
  works.front().what = StartRequest{};
  queue.push(std::move(works));
  queue.push([] {
    std::vector<Work> urgent;
    urgent.push_back(World::reply("o-1", "reserve", 1));
    return urgent;
  }());
  std::vector<Work> taken;
  std::atomic<std::size_t> held{0};
  queue.take(taken, 10, 1'000'000, 0ms, held);
  EXPECT_EQ(held, 2u);
  ASSERT_THAT(taken, SizeIs(2));
  EXPECT_EQ(kind_of(taken[0]), "reply");
  EXPECT_EQ(kind_of(taken[1]), "start");
}

TEST(Lanes, FullLanesPauseTriggerPartitionsAndResumeThem) {
  World world;
  Process& process = world.add_process([](Runtime::Parts& parts) {
    parts.settings.queue_high = 10;
    parts.settings.queue_low = 2;
    parts.settings.maximum_poll = 20;
  });
  world.run_for(1s);
  world.store.set_available(false);
  for (int index = 0; index < 500; ++index) world.order("o-" + std::to_string(index));
  world.run_for(2s);
  EXPECT_EQ(process.observer.paused, 4u) << "the four partitions of orders, not those of replies";
  EXPECT_LT(process.observer.consumed, 100);
  world.store.set_available(true);
  ASSERT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompleted) == 500; }));
  EXPECT_EQ(process.observer.paused, 0u);
}

TEST(Batches, ARefusedBatchIsSplitUntilTheCulpritIsAlone) {
  World world;
  Process& process = world.add_process();
  world.store.set_commit_hook([](const Batch& batch) {
    for (const SagaWrite& write : batch.writes)
      if (write.address.saga_id == "o-13") return memory::CommitFault::kInvalid;
    return memory::CommitFault::kNone;
  });
  for (int index = 0; index < 40; ++index) world.order("o-" + std::to_string(index));
  ASSERT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompleted) == 39; }));
  ASSERT_TRUE(world.run_until([&] { return world.bus.records("orders-dlt").size() == 1; }));
  EXPECT_EQ(world.bus.records("orders-dlt").front().key, "o-13");
  EXPECT_EQ(process.observer.dead_letters["SKALD-410"], 1);
}

TEST(Batches, AStartOverTheApiThatTheDatabaseRefusesIsRefusedAndHarmsNobody) {
  World world;
  Process& process = world.add_process();
  world.store.set_commit_hook([](const Batch& batch) {
    for (const SagaWrite& write : batch.writes)
      if (write.address.saga_id == "l-13") return memory::CommitFault::kInvalid;
    return memory::CommitFault::kNone;
  });
  world.run_until([&] { return process.runtime->incarnation() != 0; });
  const auto answer =
      process.runtime->start_saga("with-local", "l-13", R"({"id":"l-13","cents":5})", {}, "test", 0ms);
  EXPECT_FALSE(answer.ok()) << "nobody drove it yet";
  EXPECT_TRUE(world.run_until([&] { return process.observer.ignored["start"] == 1; }));
  EXPECT_FALSE(world.row("l-13").has_value());
  world.order("o-1");
  EXPECT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompleted); }));
}

TEST_F(Fence, AnInputTheDatabaseRefusesMakesItsSagaStuckWithTheBytes) {
  world.store.set_commit_hook([](const Batch& batch) {
    for (const SagaWrite& write : batch.writes)
      for (const HistoryRow& row : write.history)
        if (row.events.find("\"x\"") != std::string::npos) return memory::CommitFault::kInvalid;
    return memory::CommitFault::kNone;
  });
  World::give(first, World::reply("o-1", "reserve", 1));
  ASSERT_TRUE(world.run_until([this] { return world.has("o-1", SagaStatus::kStuck); }));
  EXPECT_EQ(world.row("o-1")->stuck_reason, "refused-by-database");
}

TEST(Batches, DeadlocksAndOutagesLoseNothing) {
  World world;
  Process& process = world.add_process();
  int commits = 0;
  world.store.set_commit_hook([&](const Batch&) {
    ++commits;
    if (commits % 3 == 0) return memory::CommitFault::kRetry;
    return commits % 5 == 0 ? memory::CommitFault::kUnavailable : memory::CommitFault::kNone;
  });
  for (int index = 0; index < 30; ++index) world.order("o-" + std::to_string(index));
  ASSERT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompleted) == 30; }));
  EXPECT_THAT(world.participants->actions, SizeIs(90));
  EXPECT_EQ(process.observer.started, 30);
}

TEST(Outbox, ADeadProcessesRowsArePublishedOnlyWhenItsHeartbeatHasExpired) {
  World world;
  Process& first = world.add_process();
  ASSERT_TRUE(world.run_until([&] { return first.runtime->health().assigned; }));
  world.bus.set_available(false);
  world.start(first, "three-steps", "o-1");
  ASSERT_TRUE(world.run_until([&] { return world.row("o-1").has_value(); }));
  world.kill(0);
  ASSERT_THAT(world.store.outbox(), SizeIs(1));
  world.bus.set_available(true);
  world.add_process();
  world.run_for(10s);
  EXPECT_THAT(world.participants->received, IsEmpty()) << "the first may still be alive";
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompleted); }));
  EXPECT_THAT(world.participants->actions, SizeIs(3));
}

TEST(Outbox, AMessageOfUnknownOutcomeIsPublishedAgainUnderItsId) {
  World world;
  world.add_process();
  world.bus.fail_next("commands", memory::ProduceFault::kUnknownLost, 2);
  world.bus.fail_next("commands", memory::ProduceFault::kUnknownWritten, 2);
  world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompleted); }));
  EXPECT_THAT(world.participants->actions, SizeIs(3));
  world.run_for(1s);
  EXPECT_GE(world.participants->received.size(), 4u) << "some came twice, with one id";
}

TEST(Outbox, AMessageKafkaRefusesComesBackToItsSaga) {
  World world;
  Process& process = world.add_process();
  world.bus.refuse("commands", "not authorised");
  world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompensated); }));
  EXPECT_GE(process.observer.applied["undeliverable"], 1);
  EXPECT_TRUE(world.run_until([&] { return world.store.outbox().empty(); }));
  EXPECT_THAT(process.logger.warnings, Contains(HasSubstr("refuses a command")));
}

TEST(Outbox, AnOutcomeThatKafkaRefusesIsKeptUntilItIsTaken) {
  World world;
  world.add_process();
  world.bus.refuse("lifecycle", "not authorised");
  world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompleted); }));
  world.run_for(1min);
  EXPECT_THAT(world.bus.records("lifecycle"), IsEmpty());
  world.bus.allow("lifecycle");
  EXPECT_TRUE(world.run_until([&] { return world.outcomes()["o-1"] == 1; }));
}

TEST(Outbox, ADeadLetterOfAPartitionThatItsTopicLacksGoesToAnother) {
  World world;
  world.add_process();
  world.bus.add_partitions("orders", 12);  // and not those of orders-dlt
  world.run_for(1s);
  for (int index = 0; index < 40; ++index) world.produce("orders", "o-" + std::to_string(index), "nonsense");
  EXPECT_TRUE(world.run_until([&] { return world.bus.records("orders-dlt").size() == 40; }));
}

TEST(Outbox, DeadLettersGoThroughTheOutbox) {
  World world;
  world.add_process();
  world.bus.fail_next("orders-dlt", memory::ProduceFault::kUnknownLost, 3);
  world.produce("orders", "k", "not json");
  ASSERT_TRUE(world.run_until([&] { return world.bus.records("orders-dlt").size() == 1; }));
  const Record letter = world.bus.records("orders-dlt").front();
  EXPECT_EQ(letter.value, "not json");
  EXPECT_TRUE(letter.header("kafka_dlt-exception-message").has_value());
  EXPECT_TRUE(world.run_until([&] { return world.store.outbox().empty(); }));
}

TEST(Outbox, AnExpiredCommandIsNotPublished) {
  World world;
  world.add_process();
  world.run_for(1s);
  world.bus.set_available(false);
  world.run_for(100ms);
  world.start(*world.processes.front(), "three-steps", "o-1");
  ASSERT_TRUE(world.run_until([&] { return world.row("o-1").has_value(); }));
  world.kill(0);
  world.clock.advance(61s);  // the step's schedule_to_close
  world.bus.set_available(true);
  world.bus.time_out_queued();
  world.add_process();
  world.run_for(20s);
  for (const auto& command : world.participants->received)
    EXPECT_EQ(command.phase, wire::Phase::kCompensation) << "the action had expired";
}

}  // namespace
}  // namespace skald::runtime
