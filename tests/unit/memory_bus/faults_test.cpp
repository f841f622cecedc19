// What the memory bus adds for tests: planned faults, away and back, logs that lose their ends, zombies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "contract/bus_probe.hpp"
#include "memory/memory_bus.hpp"

namespace skald::memory {
namespace {

using contract::Listener;
using contract::message;
using contract::poll_until;
using contract::values;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::chrono::milliseconds kNow{0};
const TopicPartition kPartition{"events", 0};

class MemoryBusFaults : public ::testing::Test {
 protected:
  void SetUp() override { open({}); }

  void open(MemoryBusOptions options, std::int32_t partitions = 1) {
    producer_.reset();
    bus_ = std::make_unique<MemoryBus>(std::move(options));
    const std::array<std::string, 1> topics{"events"};
    ASSERT_TRUE(bus_->create_topics(topics, partitions).ok());
    producer_ = bus_->producer().value();
  }

  bool produce(const std::string& value) {
    return producer_
        ->produce(message("events", "key", value),
                  [this](Delivery delivery, const std::string&) { answers_.push_back(delivery); })
        .ok();
  }

  std::unique_ptr<Consumer> reader(const std::string& group = "group") {
    return bus_->consumer({{"events"}, group, false}, listener_).value();
  }

  std::unique_ptr<MemoryBus> bus_;
  std::unique_ptr<Producer> producer_;
  std::vector<Delivery> answers_;
  Listener listener_;
};

TEST_F(MemoryBusFaults, PlannedFaultsMeetTheNextMessages) {
  for (const auto fault : {ProduceFault::kUnknownWritten, ProduceFault::kUnknownLost, ProduceFault::kRefused,
                           ProduceFault::kTwice, ProduceFault::kQueueFull})
    bus_->fail_next("events", fault);
  for (const auto* value : {"written", "lost", "refused", "twice"}) EXPECT_TRUE(produce(value));
  EXPECT_FALSE(produce("full"));
  EXPECT_TRUE(produce("after"));
  EXPECT_THAT(answers_, ElementsAre(Delivery::kUnknown, Delivery::kUnknown, Delivery::kRefused,
                                    Delivery::kAcknowledged, Delivery::kAcknowledged));
  EXPECT_THAT(values(bus_->records("events")), ElementsAre("written", "twice", "twice", "after"));
}

TEST_F(MemoryBusFaults, AnsweringInFlushWritesNothingBefore) {
  open({.answering = Answering::kInFlush});
  EXPECT_TRUE(produce("1"));
  EXPECT_TRUE(produce("2"));
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_THAT(bus_->records("events"), IsEmpty());
  EXPECT_TRUE(producer_->flush(kNow));
  EXPECT_EQ(answers_.size(), 2U);
  EXPECT_THAT(values(bus_->records("events")), ElementsAre("1", "2"));
}

TEST_F(MemoryBusFaults, AwayMeansUnavailableAndQueuedUntilItIsBack) {
  const auto consumer = reader();
  bus_->set_available(false);
  EXPECT_EQ(consumer->poll(1, kNow).error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(bus_->cluster_id(kNow).error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(produce("waits"));
  EXPECT_FALSE(producer_->flush(kNow));
  EXPECT_THAT(answers_, IsEmpty());
  bus_->set_available(true);
  EXPECT_THAT(answers_, ElementsAre(Delivery::kAcknowledged));
  EXPECT_THAT(values(*consumer->poll(1, kNow)), ElementsAre("waits"));
}

TEST_F(MemoryBusFaults, QueueIsBoundedAndTimesOutAsUnknown) {
  open({.queued_messages_limit = 2});
  bus_->set_available(false);
  EXPECT_TRUE(produce("1"));
  EXPECT_TRUE(produce("2"));
  EXPECT_FALSE(produce("3"));
  bus_->time_out_queued();
  EXPECT_THAT(answers_, ElementsAre(Delivery::kUnknown, Delivery::kUnknown));
  bus_->set_available(true);
  EXPECT_THAT(bus_->records("events"), IsEmpty());
}

TEST_F(MemoryBusFaults, RetentionThatPassedTheReaderIsToldNotSkipped) {
  for (const auto* value : {"0", "1", "2"}) produce(value);
  bus_->remove_before(kPartition, 2);
  listener_.starts_at = {{kPartition, 0}};
  const auto consumer = reader();
  EXPECT_THAT(*consumer->poll(10, kNow), IsEmpty());
  EXPECT_THAT(*consumer->poll(10, kNow), IsEmpty());
  EXPECT_EQ(listener_.failures.size(), 1U);
  EXPECT_EQ(consumer->log_range(kPartition, kNow)->start, 2);
}

TEST_F(MemoryBusFaults, TruncatedEndGivesItsOffsetsAgain) {
  for (const auto* value : {"0", "1", "2"}) produce(value);
  bus_->remove_from(kPartition, 1);
  EXPECT_EQ(bus_->records(kPartition).size(), 1U);
  produce("another 1");
  EXPECT_EQ(bus_->records(kPartition).back().offset, 1);
}

TEST_F(MemoryBusFaults, DeletedAndRecreatedTopicBeginsAtZero) {
  for (const auto* value : {"0", "1", "2"}) produce(value);
  const auto consumer = reader();
  EXPECT_EQ(consumer->poll(10, kNow)->size(), 3U);
  bus_->delete_topic("events");
  EXPECT_THAT(*consumer->poll(10, kNow), IsEmpty());
  EXPECT_EQ(listener_.failures.size(), 1U);
  produce("refused");
  EXPECT_EQ(answers_.back(), Delivery::kRefused);
  const std::array<std::string, 1> topics{"events"};
  ASSERT_TRUE(bus_->create_topics(topics, 1).ok());
  produce("new 0");
  EXPECT_EQ(bus_->records(kPartition).front().offset, 0);
}

TEST_F(MemoryBusFaults, GapsInOffsetsAreReadOver) {
  produce("0");
  bus_->skip_offsets(kPartition, 3);
  produce("4");
  const auto consumer = reader();
  const auto records = *consumer->poll(10, kNow);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1].offset, 4);
}

TEST_F(MemoryBusFaults, ZombieIsPutOutAndJoinsAgainAtItsNextPoll) {
  open({}, 2);
  Listener other_listener;
  const auto zombie = reader();
  ASSERT_TRUE(zombie->poll(1, kNow).ok());
  EXPECT_EQ(listener_.owned.size(), 2U);
  const auto other = bus_->consumer({{"events"}, "group", false}, other_listener).value();
  ASSERT_TRUE(other->poll(1, kNow).ok());
  EXPECT_EQ(other_listener.assignments, 0);  // it waits for the silent one
  bus_->expire_silent_members("group");
  ASSERT_TRUE(other->poll(1, kNow).ok());
  EXPECT_EQ(other_listener.owned.size(), 2U);
  EXPECT_EQ(listener_.owned.size(), 2U);  // as far as the zombie knows
  ASSERT_TRUE(zombie->poll(1, kNow).ok());
  EXPECT_EQ(listener_.revocations, 1);
  ASSERT_TRUE(other->poll(1, kNow).ok());
  ASSERT_TRUE(zombie->poll(1, kNow).ok());
  ASSERT_TRUE(other->poll(1, kNow).ok());
  EXPECT_EQ(listener_.owned.size(), 1U);
  EXPECT_EQ(other_listener.owned.size(), 1U);
}

TEST_F(MemoryBusFaults, MemberPutOutCannotCommit) {
  const auto consumer = reader();
  ASSERT_TRUE(consumer->poll(1, kNow).ok());
  const std::array<PartitionOffset, 1> positions{PartitionOffset{kPartition, 7}};
  consumer->commit(positions);
  bus_->expire_member(*consumer);
  const std::array<PartitionOffset, 1> later{PartitionOffset{kPartition, 9}};
  consumer->commit(later);
  EXPECT_EQ(bus_->committed("group").at(kPartition), 7);
}

TEST_F(MemoryBusFaults, AddedPartitionsAreAssigned) {
  const auto consumer = reader();
  ASSERT_TRUE(consumer->poll(1, kNow).ok());
  bus_->add_partitions("events", 3);
  ASSERT_TRUE(consumer->poll(1, kNow).ok());
  EXPECT_EQ(listener_.owned.size(), 3U);
  EXPECT_EQ(listener_.revocations, 1);
}

}  // namespace
}  // namespace skald::memory
