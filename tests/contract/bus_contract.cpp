// What every Bus does, by name. See bus_contract.hpp.
#include "contract/bus_contract.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <set>

#include "contract/bus_probe.hpp"
#include "wire/murmur2.hpp"

namespace skald::contract {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

/// A harness with one topic, a producer, and a consumer of all its partitions.
class World {
 public:
  World(MakeHarness make, std::int32_t partitions, const std::string& name = "events")
      : harness(make()), topic(harness->unique(name)) {
    const std::array<std::string, 1> topics{topic};
    const auto created = bus().create_topics(topics, partitions);
    EXPECT_TRUE(created.ok()) << created.error().message;
    auto made = bus().producer();
    EXPECT_TRUE(made.ok()) << made.error().message;
    producer = std::move(*made);
  }

  Bus& bus() { return harness->bus(); }
  [[nodiscard]] TopicPartition partition(std::int32_t number) const { return {topic, number}; }

  std::unique_ptr<Consumer> consumer(RebalanceListener& listener, const std::string& group, bool assign_all) {
    auto made = bus().consumer({{topic}, group, assign_all}, listener);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return std::move(*made);
  }
  std::unique_ptr<Consumer> reader(RebalanceListener& listener) {
    return consumer(listener, harness->unique("reader"), true);
  }

  void publish_numbers(std::int32_t to, int from, int end) {
    std::vector<Message> messages;
    for (int number = from; number < end; ++number)
      messages.push_back(message_to(partition(to), std::to_string(number)));
    publish_all(*producer, messages);
  }

  std::unique_ptr<BusHarness> harness;
  std::string topic;
  std::unique_ptr<Producer> producer;
};

TEST_P(BusContract, EveryMessageArrivesInTheOrderOfItsKey) {
  World world(GetParam(), 3);
  std::vector<Message> messages;
  for (int number = 0; number < 300; ++number)
    messages.push_back(message(world.topic, "key-" + std::to_string(number % 7), std::to_string(number)));
  publish_all(*world.producer, messages);
  Listener listener;
  const auto consumer = world.reader(listener);
  std::map<std::string, int> last;
  const auto records = read(*consumer, messages.size());
  EXPECT_EQ(records.size(), messages.size());
  for (const auto& record : records) {
    const int number = std::stoi(record.value.value());
    const auto known = last.find(record.key.value());
    if (known != last.end()) {
      EXPECT_LT(known->second, number);
    }
    last[record.key.value()] = number;
  }
}

TEST_P(BusContract, KeyDecidesThePartitionAsMurmur2HasIt) {
  World world(GetParam(), 5);
  std::vector<Message> messages;
  for (int number = 0; number < 60; ++number)
    messages.push_back(message(world.topic, "order-" + std::to_string(number), ""));
  messages.push_back(message(world.topic, "", "an empty key is a key"));
  messages.push_back(message(world.topic, "\xc3\xa4\xff key of any bytes", ""));
  publish_all(*world.producer, messages);
  Listener listener;
  const auto consumer = world.reader(listener);
  const auto records = read(*consumer, messages.size());
  ASSERT_EQ(records.size(), messages.size());
  for (const auto& record : records)
    EXPECT_EQ(record.partition, wire::route_of(record.key.value()) % 5) << *record.key;
}

TEST_P(BusContract, ExplicitPartitionIsHonoured) {
  World world(GetParam(), 4);
  publish_all(*world.producer,
              {message_to(world.partition(3), "three"), message_to(world.partition(0), "zero")});
  Listener listener;
  const auto consumer = world.reader(listener);
  for (const auto& record : read(*consumer, 2)) EXPECT_EQ(record.partition, record.value == "three" ? 3 : 0);
}

TEST_P(BusContract, BytesHeadersAndNullsArriveAsTheyWere) {
  World world(GetParam(), 1);
  Message bare;
  bare.topic = world.topic;
  Message full = message(world.topic, std::string("k\0ey", 4), std::string("v\0alue", 6));
  full.headers = {{"name", "one"}, {"name", "two"}, {"empty", ""}, {"binary", std::string("\0\xff", 2)}};
  Message empty = message(world.topic, "", "");
  publish_all(*world.producer, {bare, full, empty});
  Listener listener;
  const auto consumer = world.reader(listener);
  const auto records = read(*consumer, 3);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].key, std::nullopt);
  EXPECT_EQ(records[0].value, std::nullopt);
  EXPECT_EQ(records[1].key, full.key);
  EXPECT_EQ(records[1].value, full.value);
  EXPECT_EQ(records[1].headers, full.headers);
  EXPECT_EQ(records[2].key, "");
  EXPECT_EQ(records[2].value, "");
  EXPECT_EQ(records[1].offset, 1);
  EXPECT_GE(records[1].timestamp, records[0].timestamp);
}

TEST_P(BusContract, ReadingStartsWhereTheListenerSays) {
  World world(GetParam(), 2);
  world.publish_numbers(0, 0, 5);
  world.publish_numbers(1, 10, 12);
  Listener listener;
  listener.starts_at = {{world.partition(0), 3}, {world.partition(1), 2}};
  const auto consumer = world.reader(listener);
  EXPECT_THAT(values(read(*consumer, 2)), ElementsAre("3", "4"));
  EXPECT_THAT(read(*consumer, 1, kQuiet), IsEmpty());
  world.publish_numbers(1, 12, 13);
  EXPECT_THAT(values(read(*consumer, 1)), ElementsAre("12"));
}

TEST_P(BusContract, PartitionTheListenerLeftOutStandsStillUntilSoughtAndResumed) {
  World world(GetParam(), 2);
  world.publish_numbers(0, 0, 3);
  world.publish_numbers(1, 10, 13);
  Listener listener;
  listener.left_out = {world.partition(1)};
  const auto consumer = world.reader(listener);
  EXPECT_THAT(values(read(*consumer, 3)), ElementsAre("0", "1", "2"));
  EXPECT_THAT(read(*consumer, 1, kQuiet), IsEmpty());
  EXPECT_EQ(listener.owned.size(), 2U);
  const std::array<TopicPartition, 1> stopped{world.partition(1)};
  consumer->seek({world.partition(1), 1});
  consumer->resume(stopped);
  EXPECT_THAT(values(read(*consumer, 2)), ElementsAre("11", "12"));
  EXPECT_THAT(listener.failures, IsEmpty());
}

TEST_P(BusContract, PausedPartitionGivesNothingAndLosesNothing) {
  World world(GetParam(), 2);
  world.publish_numbers(0, 0, 50);
  Listener listener;
  const auto consumer = world.reader(listener);
  auto first = consumer->poll(10, kPatience);
  ASSERT_TRUE(first.ok());
  std::vector<Record> records = *first;
  const std::array<TopicPartition, 1> paused{world.partition(0)};
  for (int round = 0; round < 5; ++round) {
    consumer->pause(paused);
    world.publish_numbers(1, 100 + round, 101 + round);
    EXPECT_THAT(values(read(*consumer, 1)), ElementsAre(std::to_string(100 + round)));
    EXPECT_THAT(read(*consumer, 1, kQuiet / 3), IsEmpty());
    consumer->resume(paused);
    auto some = consumer->poll(5, kPatience);
    ASSERT_TRUE(some.ok());
    records.insert(records.end(), some->begin(), some->end());
  }
  const auto rest = read(*consumer, 50 - records.size());
  records.insert(records.end(), rest.begin(), rest.end());
  ASSERT_EQ(records.size(), 50U);
  for (std::size_t index = 0; index < records.size(); ++index)
    EXPECT_EQ(records[index].value, std::to_string(index));
}

TEST_P(BusContract, SeekGoesBackAndForthAlsoWhilePaused) {
  World world(GetParam(), 1);
  world.publish_numbers(0, 0, 20);
  Listener listener;
  const auto consumer = world.reader(listener);
  EXPECT_EQ(read(*consumer, 20).size(), 20U);
  consumer->seek({world.partition(0), 5});
  EXPECT_EQ(values(read(*consumer, 15)).front(), "5");
  consumer->seek({world.partition(0), 17});
  EXPECT_THAT(values(read(*consumer, 3)), ElementsAre("17", "18", "19"));
  const std::array<TopicPartition, 1> partitions{world.partition(0)};
  consumer->pause(partitions);
  consumer->seek({world.partition(0), 18});
  EXPECT_THAT(read(*consumer, 1, kQuiet), IsEmpty());
  consumer->resume(partitions);
  EXPECT_THAT(values(read(*consumer, 2)), ElementsAre("18", "19"));
}

TEST_P(BusContract, OffsetOutOfRangeIsToldOnceAndNeverReset) {
  World world(GetParam(), 2);
  world.publish_numbers(0, 0, 3);
  Listener listener;
  listener.starts_at = {{world.partition(0), 1000}};
  const auto consumer = world.reader(listener);
  std::vector<Record> records;
  EXPECT_TRUE(poll_until(*consumer, records, [&] { return !listener.failures.empty(); }));
  world.publish_numbers(1, 10, 11);
  EXPECT_THAT(values(read(*consumer, 1)), ElementsAre("10"));  // the other partition goes on
  EXPECT_THAT(read(*consumer, 1, kQuiet), IsEmpty());
  EXPECT_THAT(records, IsEmpty());
  ASSERT_EQ(listener.failures.size(), 1U);
  EXPECT_EQ(listener.failures[0].first, world.partition(0));
  EXPECT_THAT(listener.failures[0].second, ::testing::HasSubstr("out of range"));
  consumer->seek({world.partition(0), 2});
  EXPECT_THAT(values(read(*consumer, 1)), ElementsAre("2"));
  EXPECT_EQ(listener.failures.size(), 1U);
}

TEST_P(BusContract, LogRangeTellsStartAndEnd) {
  World world(GetParam(), 2);
  world.publish_numbers(0, 0, 7);
  Listener listener;
  const auto consumer = world.reader(listener);
  const auto range = consumer->log_range(world.partition(0), kPatience);
  ASSERT_TRUE(range.ok()) << range.error().message;
  EXPECT_EQ(range->start, 0);
  EXPECT_EQ(range->end, 7);
  const auto empty = consumer->log_range(world.partition(1), kPatience);
  ASSERT_TRUE(empty.ok()) << empty.error().message;
  EXPECT_EQ(empty->end, 0);
}

TEST_P(BusContract, LogEndsTellsThoseOfManyPartitionsInTheOrderAsked) {
  World world(GetParam(), 3);
  world.publish_numbers(0, 0, 7);
  world.publish_numbers(2, 0, 3);
  Listener listener;
  const auto consumer = world.reader(listener);
  const std::vector<TopicPartition> asked = {world.partition(2), world.partition(0), world.partition(1)};
  const auto ends = consumer->log_ends(asked, kPatience);
  ASSERT_TRUE(ends.ok()) << ends.error().message;
  EXPECT_THAT(*ends, ElementsAre(3, 7, 0));
}

TEST_P(BusContract, OffsetsAtTellsWhereATimeBegins) {
  World world(GetParam(), 2);
  if (!world.harness->knows_times()) GTEST_SKIP() << "librdkafka's mock cluster knows no times";
  world.publish_numbers(0, 0, 3);
  Listener listener;
  const auto consumer = world.reader(listener);
  const auto records = read(*consumer, 3);
  ASSERT_EQ(records.size(), 3U);
  const std::vector<TopicPartition> asked = {world.partition(1), world.partition(0)};
  const auto begin = consumer->offsets_at(asked, records[0].timestamp, kPatience);
  ASSERT_TRUE(begin.ok()) << begin.error().message;
  EXPECT_THAT(*begin, ElementsAre(0, 0));
  const auto later = records[2].timestamp + std::chrono::milliseconds(1);
  const auto end = consumer->offsets_at(asked, later, kPatience);
  ASSERT_TRUE(end.ok()) << end.error().message;
  EXPECT_THAT(*end, ElementsAre(0, 3));
}

TEST_P(BusContract, CachedEndIsKnownOnceFetched) {
  World world(GetParam(), 1);
  world.publish_numbers(0, 0, 4);
  Listener listener;
  const auto consumer = world.reader(listener);
  EXPECT_EQ(consumer->cached_end(world.partition(0)), std::nullopt);
  EXPECT_EQ(read(*consumer, 4).size(), 4U);
  EXPECT_EQ(consumer->cached_end(world.partition(0)), 4);
}

TEST_P(BusContract, WhatIsTooLargeOrHasNowhereToGoIsRefusedAndTheRestGoesOn) {
  World world(GetParam(), 1);
  std::vector<Message> messages{message(world.topic, "a", std::string(2'000'000, 'x')),
                                message_to(world.partition(9), "no such partition")};
  if (world.harness->refuses_unknown_topics())
    messages.push_back(message(world.harness->unique("absent"), "b", "b"));
  messages.push_back(message(world.topic, "c", "c"));
  const auto answers = publish(*world.producer, messages);
  for (std::size_t index = 0; index + 1 < answers.size(); ++index) {
    EXPECT_EQ(answers[index].delivery, Delivery::kRefused) << index << ": " << answers[index].reason;
    EXPECT_NE(answers[index].reason, "");
    EXPECT_EQ(answers[index].times, 1);
  }
  EXPECT_EQ(answers.back().delivery, Delivery::kAcknowledged) << answers.back().reason;
}

TEST_P(BusContract, ClusterIdStaysTheSame) {
  World world(GetParam(), 1);
  const auto first = world.bus().cluster_id(kPatience);
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_NE(*first, "");
  EXPECT_EQ(world.bus().cluster_id(kPatience).value(), *first);
}

TEST_P(BusContract, PartitionCountsLeaveOutWhatDoesNotExist) {
  World world(GetParam(), 6);
  const auto absent = world.harness->unique("absent");
  const std::array<std::string, 2> topics{world.topic, absent};
  for (int time = 0; time < 2; ++time) {  // asking does not create
    const auto counts = world.bus().partition_counts(topics, kPatience);
    ASSERT_TRUE(counts.ok()) << counts.error().message;
    EXPECT_THAT(*counts, ElementsAre(std::pair<const std::string, std::int32_t>(world.topic, 6)));
  }
}

TEST_P(BusContract, CreatingATopicAgainLeavesItAsItIs) {
  World world(GetParam(), 2);
  const std::array<std::string, 2> topics{world.topic, world.harness->unique("another")};
  const auto created = world.bus().create_topics(topics, 3);
  ASSERT_TRUE(created.ok()) << created.error().message;
  const auto counts = world.bus().partition_counts(topics, kPatience);
  EXPECT_THAT(*counts, UnorderedElementsAre(std::pair<const std::string, std::int32_t>(topics[0], 2),
                                            std::pair<const std::string, std::int32_t>(topics[1], 3)));
}

TEST_P(BusContract, AGroupOfOneOwnsEverythingAndGoesOnWhereTheListenerSays) {
  World world(GetParam(), 2);
  const auto group = world.harness->unique("group");
  world.publish_numbers(0, 0, 4);
  {
    Listener listener;
    const auto consumer = world.consumer(listener, group, false);
    EXPECT_THAT(values(read(*consumer, 4)), ElementsAre("0", "1", "2", "3"));
    const std::array<PartitionOffset, 1> positions{PartitionOffset{world.partition(0), 4}};
    consumer->commit(positions);
    EXPECT_THAT(listener.owned, UnorderedElementsAre(world.partition(0), world.partition(1)));
  }
  Listener listener;
  listener.starts_at = {{world.partition(0), 1}};  // the store, not the group's offset, has the last word
  const auto consumer = world.consumer(listener, group, false);
  EXPECT_THAT(values(read(*consumer, 3)), ElementsAre("1", "2", "3"));
}

TEST_P(BusContract, TwoMembersShareThePartitionsAndTheOneThatStaysTakesOver) {
  World world(GetParam(), 4);
  const auto group = world.harness->unique("group");
  Listener first_listener;
  Listener second_listener;
  const auto first = world.consumer(first_listener, group, false);
  std::vector<Record> records;
  ASSERT_TRUE(poll_until(*first, records, [&] { return first_listener.owned.size() == 4; }));
  auto second = world.consumer(second_listener, group, false);
  const auto shared = [&] { return first_listener.owned.size() == 2 && second_listener.owned.size() == 2; };
  const auto turn = [&] {
    return static_cast<void>(second->poll(1, std::chrono::milliseconds{10})), shared();
  };
  ASSERT_TRUE(poll_until(*first, records, turn));
  EXPECT_GT(first_listener.revocations, 0);
  EXPECT_TRUE(first_listener.revoked_whole);  // eager: always the whole set
  std::set<TopicPartition> all(first_listener.owned.begin(), first_listener.owned.end());
  all.insert(second_listener.owned.begin(), second_listener.owned.end());
  EXPECT_EQ(all.size(), 4U);
  // Range: each has a run of neighbours.
  EXPECT_EQ(first_listener.owned[1].partition - first_listener.owned[0].partition, 1);
  const int revocations = second_listener.revocations;
  second.reset();
  EXPECT_EQ(second_listener.revocations, revocations);  // leaving does not call the listener
  ASSERT_TRUE(poll_until(*first, records, [&] { return first_listener.owned.size() == 4; }));
  world.publish_numbers(0, 0, 1);
  world.publish_numbers(3, 3, 4);
  EXPECT_THAT(values(read(*first, 2)), UnorderedElementsAre("0", "3"));
}

TEST_P(BusContract, DestroyedProducerLeavesNothingUnanswered) {
  World world(GetParam(), 1);
  auto answers = std::make_shared<std::atomic<int>>(0);
  for (int number = 0; number < 100; ++number) {
    const auto accepted = world.producer->produce(message(world.topic, "key", std::to_string(number)),
                                                  [answers](Delivery, const std::string&) { ++*answers; });
    ASSERT_TRUE(accepted.ok());
  }
  world.producer.reset();
  EXPECT_EQ(*answers, 100);
}

}  // namespace
}  // namespace skald::contract
