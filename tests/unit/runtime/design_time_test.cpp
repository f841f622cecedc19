// "How it stays correct and fast", points 6 to 10.
#include "world.hpp"

namespace skald::runtime {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Timers, AnUnansweredStepTimesOutAndIsCompensated) {
  World world;
  world.add_process();
  world.participants->scripts["charge"] = [](const auto&) { return std::nullopt; };
  world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompensated); }));
  const auto row = world.row("o-1");
  EXPECT_GE(*row->ended_at - row->started_at, 60s) << "never early";
  EXPECT_LT(*row->ended_at - row->started_at, 65s);
  EXPECT_THAT(world.participants->compensations, SizeIs(2)) << "the unknown one as well";
}

TEST(Timers, AStepThatAnswersInTimeIsNeverWoken) {
  World world;
  Process& process = world.add_process();
  for (int index = 0; index < 20; ++index) world.order("o-" + std::to_string(index));
  ASSERT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompleted) == 20; }));
  world.run_for(120s);
  EXPECT_EQ(process.observer.applied["wake"], 0);
}

TEST(Timers, AreTakenOverFromADeadProcess) {
  World world;
  world.add_process();
  world.participants->scripts["reserve"] = [](const auto&) { return std::nullopt; };
  world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return world.participants->received.size() == 1; }));
  world.run_for(1s);  // its outbox row goes: nobody sends the command again
  world.kill(0);
  world.add_process();
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompensated); }));
}

TEST(Timers, ClaimedByAProcessThatDiesGoOnOnceItIsKnownDead) {
  World world;
  const auto patient = [](Runtime::Parts& parts) { parts.settings.claim_lease = 10min; };
  world.add_process(patient);
  world.participants->scripts["reserve"] = [](const auto&) { return std::nullopt; };
  world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return !world.participants->received.empty(); }));
  world.store.set_commit_hook([](const Batch&) { return memory::CommitFault::kUnavailable; });
  world.run_for(62s);  // it has claimed the deadline and cannot write
  world.kill(0);
  world.store.set_commit_hook({});
  world.add_process(patient);
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompensated); }));
  const auto row = world.row("o-1");
  EXPECT_LT(*row->ended_at - row->started_at, 2min);
}

TEST(Timers, AfterFiveMinutesOfDowntimeNothingTimesOutThatHasBeenAnswered) {
  World world;
  world.add_process();
  for (int index = 0; index < 50; ++index) world.order("o-" + std::to_string(index));
  world.participants->scripts["charge"] = [](const auto&) { return std::nullopt; };
  ASSERT_TRUE(world.run_until([&] { return world.participants->received.size() == 100; }));
  world.kill(0);
  for (const auto& command : world.participants->received)
    if (command.step == "charge") world.participants->send(Participants::succeeded(command));
  world.clock.advance(5min);
  world.add_process([](Runtime::Parts& parts) { parts.settings.maximum_poll = 1; });
  ASSERT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompleted) == 50; }));
  EXPECT_EQ(world.count(SagaStatus::kCompensated), 0u);
}

TEST(Timers, WhatWasAnsweredInPartitionsOfADeadProcessWaitsUntilSomebodyReadsThem) {
  World world;
  world.add_process();
  world.run_for(1s);
  world.add_process();
  world.run_for(1s);
  world.participants->scripts["reserve"] = [](const auto&) { return std::nullopt; };
  for (int index = 0; index < 40; ++index) world.order("o-" + std::to_string(index));
  ASSERT_TRUE(world.run_until([&] { return world.participants->received.size() == 40; }));
  world.run_for(20s);
  const auto dead = world.processes[0]->runtime.release();  // killed, and the group does not know yet
  world.processes.erase(world.processes.begin());
  for (const auto& command : world.participants->received)
    world.participants->send(Participants::succeeded(command));
  world.run_for(80s);  // 40 s past the deadlines
  EXPECT_EQ(world.count(SagaStatus::kCompensated), 0u);
  delete dead;
  ASSERT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompleted) == 40; }));
}

TEST(Timers, RepliesInPartitionsAddedMeanwhileAreReadBeforeAnyTimeOut) {
  World world;
  world.add_process([](Runtime::Parts& parts) { parts.settings.maximum_poll = 1; });
  world.run_for(1s);
  world.bus.add_partitions("replies", 16);
  world.participants->scripts["reserve"] = [](const auto&) { return std::nullopt; };
  for (int index = 0; index < 50; ++index) world.order("o-" + std::to_string(index));
  ASSERT_TRUE(world.run_until([&] { return world.participants->received.size() == 50; }));
  for (const auto& command : world.participants->received)
    world.participants->send(Participants::succeeded(command));
  world.clock.advance(5min);  // as if the process had been stopped: all is due, and one reply is read a round
  ASSERT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompleted) == 50; }));
  EXPECT_EQ(world.count(SagaStatus::kCompensated), 0u);
}

TEST(Timers, AProcessThatWasBuriedTakesANewIncarnationAndGoesOn) {
  World world;
  Process& process = world.add_process();
  world.run_for(1s);
  const Incarnation before = process.runtime->incarnation();
  world.clock.advance(1min);
  ASSERT_TRUE(world.store.open().value()->bury_incarnations(15s).ok());
  world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompleted); }));
  EXPECT_GT(process.runtime->incarnation(), before);
  EXPECT_EQ(process.observer.incarnations_lost, 1);
}

TEST(ExactlyOnce, AStartWithOtherInputIsADeadLetter) {
  World world;
  Process& process = world.add_process();
  world.order("o-1", 100);
  world.order("o-1", 200);
  ASSERT_TRUE(world.run_until([&] { return world.bus.records("orders-dlt").size() == 1; }));
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompleted); }));
  world.order("o-1", 300);  // the saga has ended and left the cache
  ASSERT_TRUE(world.run_until([&] { return world.bus.records("orders-dlt").size() == 2; }));
  EXPECT_EQ(process.observer.dead_letters["SKALD-406"], 2);
  EXPECT_THAT(world.store.sagas(), SizeIs(1));
}

class Positions : public ::testing::Test {
 protected:
  Positions() {
    world.add_process();
    for (int index = 0; index < 40; ++index) world.order("o-" + std::to_string(index));
    EXPECT_TRUE(world.run_until([this] { return world.count(SagaStatus::kCompleted) == 40; }));
    world.run_for(1s);
  }
  std::vector<Position> recorded() { return world.store.open().value()->positions("memory").value(); }
  World world;
  const std::vector<std::string> orders_{"orders"};
};

TEST_F(Positions, AreRecordedBeforeTheHintAndReadingGoesOnThere) {
  const auto positions = recorded();
  std::int64_t read = 0;
  for (const Position& position : positions)
    if (position.partition.topic == "orders") read += position.next_offset;
  EXPECT_EQ(read, 40);
  for (const auto& [partition, offset] : world.bus.committed("skald")) {
    const auto found = std::find_if(positions.begin(), positions.end(),
                                    [&](const Position& known) { return known.partition == partition; });
    ASSERT_NE(found, positions.end());
    EXPECT_GE(found->next_offset, offset);
  }
  world.kill(0);
  Process& next = world.add_process();
  world.order("after");
  ASSERT_TRUE(world.run_until([&] { return world.has("after", SagaStatus::kCompleted); }));
  EXPECT_LE(next.observer.consumed, 1 + 3) << "nothing was read twice";
}

TEST_F(Positions, ARecreatedTopicStopsItsPartitionsUntilAnOperatorAccepts) {
  world.kill(0);
  world.bus.delete_topic("orders");
  ASSERT_TRUE(world.bus.create_topics(orders_, 4).ok());
  for (int index = 100; index < 300; ++index) world.order("o-" + std::to_string(index));
  Process& process = world.add_process();
  world.run_for(5s);
  const auto stopped = process.runtime->stopped_partitions();
  ASSERT_THAT(stopped, SizeIs(4));
  EXPECT_EQ(world.store.sagas().size(), 40u) << "nothing of it was run";
  EXPECT_THAT(process.logger.warnings, Contains(HasSubstr("A partition is stopped")));
  for (const StoppedPartition& partition : stopped) {
    Position beginning;
    beginning.partition = partition.partition;
    ASSERT_TRUE(process.runtime->accept_position(beginning, "alice", "the topic was made anew").ok());
  }
  ASSERT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompleted) == 240; }));
  EXPECT_THAT(process.runtime->stopped_partitions(), IsEmpty());
}

TEST_F(Positions, OtherPartitionsGoOnWhileOneIsStopped) {
  world.kill(0);
  const TopicPartition cut{"orders", 2};
  for (int index = 100; index < 200; ++index) world.order("o-" + std::to_string(index));
  const auto held = world.bus.records(cut);
  world.bus.remove_before(cut, held.back().offset);  // retention passed us: unread records are gone
  Process& process = world.add_process();
  world.run_for(10s);
  ASSERT_THAT(process.runtime->stopped_partitions(), SizeIs(1));
  EXPECT_EQ(process.runtime->stopped_partitions().front().partition, cut);
  EXPECT_GT(world.count(SagaStatus::kCompleted), 100u);
}

TEST_F(Positions, ABusThatGoesAwayWhileTheyAreLookedUpIsNoticedAfterOneTimeout) {
  Process& process = world.add_process();
  world.store.set_available(false);
  world.run_for(1s);  // assigned, and no partition placed
  world.bus.set_available(false);
  world.store.set_available(true);
  const auto before = world.clock.monotonic();
  while (process.runtime->health().bus) world.round();
  EXPECT_LE(world.clock.monotonic() - before, 5s) << "eight partitions wait for one answer";
  world.bus.set_available(true);
  world.order("o-9");
  EXPECT_TRUE(world.run_until([this] { return world.has("o-9", SagaStatus::kCompleted); }));
}

TEST_F(Positions, ALastRecordThatRetentionRemovedWithNothingLostIsNoMismatch) {
  world.kill(0);
  for (std::int32_t partition = 0; partition < 4; ++partition) {
    const TopicPartition cut{"orders", partition};
    const auto records = world.bus.records(cut);
    if (!records.empty()) world.bus.remove_before(cut, records.back().offset + 1);
  }
  Process& process = world.add_process();
  world.order("after");
  ASSERT_TRUE(world.run_until([&] { return world.has("after", SagaStatus::kCompleted); }));
  EXPECT_THAT(process.runtime->stopped_partitions(), IsEmpty());
}

TEST(Parking, AReplyForASagaThatNeverComesIsADeadLetterAfterAWhile) {
  World world;
  Process& process = world.add_process();
  wire::Command command;
  command.step = "reserve";
  command.saga_id = "ghost";
  command.id = "test/three-steps/ghost/1/action/1";
  world.participants->send(Participants::succeeded(command));
  ASSERT_TRUE(world.run_until([&] { return world.store.parked().size() == 1; }));
  EXPECT_EQ(process.observer.parks[ParkReason::kNoSaga], 1);
  world.run_for(9min);
  EXPECT_THAT(world.bus.records("replies-dlt"), IsEmpty());
  ASSERT_TRUE(world.run_until([&] { return world.bus.records("replies-dlt").size() == 1; }));
  EXPECT_TRUE(world.run_until([&] { return world.store.parked().empty(); }));
}

TEST(Parking, AReplyThatOvertookItsSagaIsAppliedOnceItExists) {
  World world;
  world.add_process();
  world.participants->scripts["reserve"] = [](const auto&) { return std::nullopt; };
  wire::Command command;
  command.step = "reserve";
  command.saga_id = "o-1";
  command.id = "test/three-steps/o-1/1/action/1";
  world.participants->send(Participants::succeeded(command));
  ASSERT_TRUE(world.run_until([&] { return world.store.parked().size() == 1; }));
  world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompleted); }));
  EXPECT_TRUE(world.run_until([&] { return world.store.parked().empty(); }));
}

struct OtherSteps : Saga<Order, Done> {  // three-steps as another build has it
  static constexpr std::string_view name = "three-steps";
  Task<Done> run(Context& saga, Order order) override { co_return co_await saga.step<Ship>(order); }
};

class Divergence : public ::testing::Test {
 protected:
  Divergence() {
    other.add_step<Book>(world.book_effects);
    other.add_saga<OtherSteps>();
    world.add_process();
    world.participants->scripts["reserve"] = [](const auto&) { return std::nullopt; };
    world.order("o-1");
    EXPECT_TRUE(world.run_until([this] { return world.participants->received.size() == 1; }));
    world.kill(0);
    world.participants->send(Participants::succeeded(world.participants->received.front()));
  }
  World world;
  Registry other;
};

TEST_F(Divergence, OfAnotherBuildsHistoryParksAndTheRightBuildGoesOn) {
  Process& wrong = world.add_process_of(other, "build-2");
  ASSERT_TRUE(world.run_until([this] { return world.store.parked().size() == 1; }));
  EXPECT_EQ(wrong.observer.parks[ParkReason::kDivergence], 1);
  EXPECT_TRUE(world.has("o-1", SagaStatus::kRunning));
  world.kill(0);
  world.add_process();
  ASSERT_TRUE(world.run_until([this] { return world.has("o-1", SagaStatus::kCompleted); }));
}

TEST_F(Divergence, OfOurOwnHistoryIsStuckWithTheDifference) {
  world.add_process_of(other, "build-1");
  ASSERT_TRUE(world.run_until([this] { return world.has("o-1", SagaStatus::kStuck); }));
  EXPECT_EQ(world.row("o-1")->stuck_reason, "nondeterminism");
  EXPECT_THAT(world.store.parked(), SizeIs(1)) << "the reply is kept for the code that fits";
}

TEST(Parking, InputForARevisionThatIsNotHereWaitsForAProcessThatHasIt) {
  World world;
  world.add_process();
  world.participants->scripts["reserve"] = [](const auto&) { return std::nullopt; };
  world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return world.participants->received.size() == 1; }));
  world.kill(0);
  world.participants->send(Participants::succeeded(world.participants->received.front()));
  Registry without;
  without.add_step<Book>(world.book_effects);
  without.add_saga<WithLocal>();
  Process& process = world.add_process_of(without, "build-2");
  ASSERT_TRUE(world.run_until([&] { return world.store.parked().size() == 1; }));
  EXPECT_EQ(process.observer.parks[ParkReason::kNoCode], 1);
  world.add_process();
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompleted); }));
}

TEST(Operators, AnActionIsStoredThenAppliedAndRefusedIfTheSagaMoved) {
  World world;
  Process& process = world.add_process();
  world.participants->scripts["reserve"] = [](const auto&) { return std::nullopt; };
  world.run_for(1s);
  world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return world.row("o-1").has_value(); }));
  engine::OperatorAction action;
  action.verb = engine::OperatorVerb::end;
  action.sequence = 41;
  action.who = "alice";
  action.why = "test";
  auto answer = process.runtime->send({"three-steps", "o-1"}, engine::Input(action), 0ms);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->kind, InputAnswer::Kind::kAccepted);
  EXPECT_THAT(world.store.parked(), SizeIs(1));
  ASSERT_TRUE(world.run_until([&] { return world.store.parked().empty(); }));
  EXPECT_EQ(process.observer.ignored["operator"], 1) << "it named a sequence the saga never had";
  EXPECT_TRUE(world.has("o-1", SagaStatus::kRunning));
}

TEST(Operators, WhatComesInOneBatchWithAResetIsJudgedByTheSagaAsItIsRebuilt) {
  World world;
  Process& process = world.add_process();
  world.participants->scripts["reserve"] = [](const auto&) { return std::nullopt; };
  world.participants->scripts["charge"] = [](const auto&) { return std::nullopt; };
  world.run_for(1s);
  world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return world.participants->received.size() == 1; }));
  world.participants->send(Participants::succeeded(world.participants->received.front()));
  ASSERT_TRUE(world.run_until([&] { return world.row("o-1")->sequence == 2; }));
  engine::OperatorAction reset;
  reset.verb = engine::OperatorVerb::reset;
  reset.sequence = 2;
  reset.reset = {1, false};
  engine::OperatorAction pause;
  pause.verb = engine::OperatorVerb::pause;
  ASSERT_TRUE(process.runtime->send({"three-steps", "o-1"}, engine::Input(reset), 0ms).ok());
  ASSERT_TRUE(process.runtime->send({"three-steps", "o-1"}, engine::Input(pause), 0ms).ok());
  ASSERT_TRUE(world.run_until([&] { return world.store.parked().empty(); }));
  EXPECT_EQ(process.observer.applied["operator"], 2);
  EXPECT_TRUE(world.has("o-1", SagaStatus::kRunning));
}

/// The first of two processes runs a local step that does not return.
class RunningLocalStep : public ::testing::Test {
 protected:
  RunningLocalStep() {
    world.run_for(1s);
    first.executor.held = true;
    world.start(first, "with-local", "l-1");
    EXPECT_TRUE(world.run_until([this] { return first.executor.backlog() == 1; }));
  }
  World world;
  Process& first = world.add_process();
};

TEST_F(RunningLocalStep, IsNotRunTwiceForAnOutageOfTheDatabase) {
  Process& second = world.add_process();
  world.run_for(1min);
  world.store.set_available(false);  // nobody's heartbeat gets through, everybody's lease expires
  world.run_for(2min);
  world.store.set_available(true);
  world.run_for(2min);
  EXPECT_EQ(first.executor.backlog() + second.executor.backlog(), 1u);
  EXPECT_EQ(first.observer.incarnations_lost + second.observer.incarnations_lost, 0);
  first.executor.held = false;
  ASSERT_TRUE(world.run_until([&] { return world.has("l-1", SagaStatus::kCompleted); }));
  EXPECT_EQ(world.book_effects, 1);
}

TEST_F(RunningLocalStep, IsRunAgainOnlyWhenItsProcessIsDead) {
  Process& second = world.add_process();
  world.run_for(2min);
  EXPECT_EQ(second.executor.backlog(), 0u);
  EXPECT_EQ(world.book_effects, 0) << "its process is alive";
  world.kill(0);
  ASSERT_TRUE(world.run_until([&] { return world.has("l-1", SagaStatus::kCompleted); }));
  EXPECT_EQ(world.book_effects, 1);
}

}  // namespace
}  // namespace skald::runtime
