// What the runtime tells of partitions and stuck sagas, which alerts go by. Method: the world of end_to_end_test and what
// its observer heard.
#include <gmock/gmock.h>

#include "world.hpp"

namespace skald::runtime {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::int64_t lag_of(const Process& process, const std::string& topic) {
  std::int64_t lag = 0;
  for (const auto& [partition, records] : process.observer.lags)
    if (partition.topic == topic) lag += records;
  return lag;
}

TEST(Told, LagIsWhatIsNotAppliedAlsoOfPausedPartitions) {
  World world;
  Process& process = world.add_process();
  world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kCompleted); }));
  world.run_for(6s);
  EXPECT_EQ(lag_of(process, "orders"), 0);
  EXPECT_EQ(process.observer.lags.size(), 8U) << "of each partition of both topics";
  for (const char* name : {"three-steps", "sleeps"})
    EXPECT_TRUE(*world.store.open().value()->pause({PauseKind::definition, name, "ann", "maintenance", {}}));
  world.run_for(1'500ms);
  for (const char* id : {"o-2", "o-3", "o-4"}) world.order(id);
  world.run_for(20s);
  EXPECT_EQ(lag_of(process, "orders"), 3) << "though nothing is fetched";
  for (const char* name : {"three-steps", "sleeps"})
    EXPECT_TRUE(*world.store.open().value()->resume(PauseKind::definition, name, "ann", "it is over"));
  ASSERT_TRUE(world.run_until([&] { return world.has("o-4", SagaStatus::kCompleted); }));
  world.run_for(6s);
  EXPECT_EQ(lag_of(process, "orders"), 0);
}

TEST(Told, ProcessesTogetherHaveThePartitionsThereAre) {
  World world;
  Process& first = world.add_process();
  Process& second = world.add_process();
  world.run_for(10s);
  EXPECT_THAT(first.observer.topics, ElementsAre(Pair("orders", 4), Pair("replies", 4)));
  for (const char* topic : {"orders", "replies"}) {
    EXPECT_EQ(first.observer.assigned.at(topic) + second.observer.assigned.at(topic), 4U);
    EXPECT_EQ(first.observer.assigned.at(topic), 2U);
  }
}

TEST(Told, StoppedPartitionIsToldOnlyByWhoHasIt) {
  World world;
  world.add_process();
  for (int index = 0; index < 40; ++index) world.order("o-" + std::to_string(index));
  ASSERT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompleted) == 40; }));
  world.run_for(1s);
  world.kill(0);
  world.bus.delete_topic("orders");
  const std::vector<std::string> orders{"orders"};
  ASSERT_TRUE(world.bus.create_topics(orders, 4).ok());
  Process& second = world.add_process();
  ASSERT_TRUE(world.run_until([&] { return !second.observer.stopped.empty(); }));
  const auto stopped = second.observer.stopped;
  Process& third = world.add_process();
  world.run_for(10s);
  for (const TopicPartition& partition : stopped)
    EXPECT_EQ(second.observer.stopped.count(partition) + third.observer.stopped.count(partition), 1U);
}

TEST(Told, StuckSagaComesWithItsStep) {
  World world;
  Process& process = world.add_process();
  world.participants->scripts["reserve"] = [](const wire::Command& command) {
    auto reply = Participants::succeeded(command);
    reply.data = R"({"unexpected":true})";
    return std::optional(reply);
  };
  world.order("o-1");
  ASSERT_TRUE(world.run_until([&] { return world.has("o-1", SagaStatus::kStuck); }));
  EXPECT_THAT(process.observer.stuck, ElementsAre("reserve: unreadable-reply"));
}

}  // namespace
}  // namespace skald::runtime
