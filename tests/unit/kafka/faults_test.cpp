// What the Kafka bus does when the cluster fails: each fault on a mock cluster of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "contract/bus_probe.hpp"
#include "contract/kafka_harness.hpp"
#include "kafka/dev_broker.hpp"
#include "kafka/kafka_bus.hpp"

namespace skald::kafka {
namespace {

using contract::kPatience;
using contract::Listener;
using contract::message;
using contract::poll_until;
using contract::publish;
using contract::publish_all;
using contract::read;
using contract::values;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Codes of Kafka's protocol.
constexpr int kMessageTooLarge = 10;
constexpr int kNotLeader = 6;
constexpr int kTopicNotAuthorised = 29;

class KafkaFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(broker_->create_topics(topics_, 2).ok());
    open(contract::for_tests(broker_->options()));
  }

  void open(const Options& options) {
    producer_.reset();
    bus_ = kafka::open(options).value();
    producer_ = bus_->producer().value();
  }

  std::unique_ptr<Consumer> reader() { return bus_->consumer({topics_, "", true}, listener_).value(); }

  const std::vector<std::string> topics_{"events"};
  std::unique_ptr<DevBroker> broker_ = DevBroker::start().value();
  std::unique_ptr<Bus> bus_;
  std::unique_ptr<Producer> producer_;
  Listener listener_;
};

TEST_F(KafkaFaults, WhatTheBrokerRefusesForGoodIsRefused) {
  for (const int code : {kMessageTooLarge, kTopicNotAuthorised}) {
    publish_all(*producer_, {message("events", "a", "goes through")});
    broker_->fail_produce_requests(code, 1);
    const auto answers = publish(*producer_, {message("events", "a", "refused")});
    EXPECT_EQ(answers[0].delivery, Delivery::kRefused) << answers[0].reason;
    EXPECT_NE(answers[0].reason, "");
  }
}

TEST_F(KafkaFaults, WhatPassesIsTriedAgainUntilAcknowledged) {
  broker_->fail_produce_requests(kNotLeader, 3);
  publish_all(*producer_, {message("events", "a", "1"), message("events", "a", "2")});
  const auto consumer = reader();
  EXPECT_THAT(values(read(*consumer, 2)), ElementsAre("1", "2"));
}

TEST_F(KafkaFaults, APollHandsOverAsFarAsThereIsRoomForBytesAndLosesNothing) {
  auto options = contract::for_tests(broker_->options());
  options.maximum_poll_bytes = 10'000;
  open(options);
  std::vector<Message> messages;
  for (int number = 0; number < 30; ++number)
    messages.push_back(message("events", "a", std::string(3'000, 'x')));
  publish_all(*producer_, messages);
  const auto consumer = reader();
  std::size_t count = 0;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (count < messages.size() && std::chrono::steady_clock::now() < deadline) {
    const auto polled = consumer->poll(100, std::chrono::milliseconds{100});
    if (!polled.ok()) continue;
    EXPECT_LE(polled->size(), 3U);
    count += polled->size();
  }
  EXPECT_EQ(count, messages.size());
}

TEST_F(KafkaFaults, BrokerThatGoesAndComesBackLosesNothing) {
  const auto consumer = reader();
  publish_all(*producer_, {message("events", "a", "before")});
  EXPECT_THAT(values(read(*consumer, 1)), ElementsAre("before"));
  broker_->take_down();
  auto acknowledged = std::make_shared<std::atomic<int>>(0);
  ASSERT_TRUE(producer_
                  ->produce(message("events", "a", "meanwhile"),
                            [acknowledged](Delivery delivery, const std::string&) {
                              if (delivery == Delivery::kAcknowledged) ++*acknowledged;
                            })
                  .ok());
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  auto polled = consumer->poll(1, std::chrono::milliseconds{100});
  while (polled.ok() && std::chrono::steady_clock::now() < deadline)
    polled = consumer->poll(1, std::chrono::milliseconds{100});
  ASSERT_FALSE(polled.ok());
  EXPECT_EQ(polled.error().kind, ErrorKind::kUnavailable);
  EXPECT_FALSE(producer_->flush(std::chrono::milliseconds{10}));
  broker_->bring_up();
  EXPECT_TRUE(producer_->flush(kPatience));
  EXPECT_EQ(*acknowledged, 1);
  EXPECT_THAT(values(read(*consumer, 1)), ElementsAre("meanwhile"));
  EXPECT_EQ(listener_.assignments, 1);
}

TEST_F(KafkaFaults, MessageThatTimesOutIsOfUnknownDelivery) {
  auto options = contract::for_tests(broker_->options());
  options.properties["message.timeout.ms"] = "300";
  open(options);
  publish_all(*producer_, {message("events", "a", "connects")});
  broker_->take_down();
  const auto answers = publish(*producer_, {message("events", "a", "times out")});
  EXPECT_EQ(answers[0].delivery, Delivery::kUnknown);
  EXPECT_EQ(answers[0].times, 1);
}

TEST_F(KafkaFaults, FullQueueIsUnavailableAndNeverCallsBack) {
  auto options = contract::for_tests(broker_->options());
  options.producer_queue_messages = 3;
  open(options);
  broker_->take_down();
  auto answers = std::make_shared<std::atomic<int>>(0);
  const auto count = [answers](Delivery, const std::string&) { ++*answers; };
  for (int number = 0; number < 3; ++number)
    ASSERT_TRUE(producer_->produce(message("events", "a", ""), count).ok());
  const auto refused = producer_->produce(message("events", "a", ""), count);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(refused.error().code, "SKALD-206");
  producer_.reset();
  EXPECT_EQ(*answers, 3);
}

TEST_F(KafkaFaults, FatalProducerErrorAnswersEverythingAndTheNextClientGoesOn) {
  publish_all(*producer_, {message("events", "a", "before")});
  broker_->set_round_trip_ms(300);
  auto answers = std::make_shared<std::array<std::atomic<int>, 3>>();
  for (int number = 0; number < 50; ++number)
    ASSERT_TRUE(producer_
                    ->produce(message("events", "a", "x"),
                              [answers](Delivery delivery, const std::string&) {
                                ++(*answers)[static_cast<std::size_t>(delivery)];
                              })
                    .ok());
  raise_fatal_error(*producer_);
  EXPECT_TRUE(producer_->flush(kPatience));
  broker_->set_round_trip_ms(0);
  EXPECT_EQ((*answers)[0] + (*answers)[2], 50);
  EXPECT_GT((*answers)[2], 0);
  EXPECT_EQ((*answers)[static_cast<std::size_t>(Delivery::kRefused)], 0);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  auto answer = std::make_shared<std::atomic<int>>(-1);
  const auto note = [answer](Delivery delivery, const std::string&) { *answer = static_cast<int>(delivery); };
  while (!producer_->produce(message("events", "a", "after"), note).ok() &&
         std::chrono::steady_clock::now() < deadline)
    static_cast<void>(producer_->flush(std::chrono::milliseconds{10}));
  EXPECT_TRUE(producer_->flush(kPatience));
  EXPECT_EQ(*answer, static_cast<int>(Delivery::kAcknowledged));
}

TEST_F(KafkaFaults, FatalConsumerErrorBuildsTheClientAgainAndAsksTheListenerAnew) {
  const auto consumer = reader();
  publish_all(*producer_, {message("events", "a", "0"), message("events", "a", "1")});
  const auto records = read(*consumer, 2);
  ASSERT_EQ(records.size(), 2U);
  listener_.starts_at[{"events", records[0].partition}] = 1;
  raise_fatal_error(*consumer);
  Result<std::vector<Record>> polled = consumer->poll(10, kPatience);
  ASSERT_FALSE(polled.ok());
  EXPECT_EQ(polled.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(polled.error().code, "SKALD-207");
  EXPECT_EQ(listener_.revocations, 1);
  EXPECT_THAT(values(read(*consumer, 1)), ElementsAre("1"));
  EXPECT_EQ(listener_.assignments, 2);
}

TEST_F(KafkaFaults, MemberThatDidNotPollInTimeIsPutOutAndJoinsAgainByPolling) {
  std::mutex mutex;
  std::condition_variable exceeded_changed;
  bool exceeded = false;
  auto options = contract::for_tests(broker_->options());
  options.maximum_poll_interval_ms = 3'000;
  options.log = [&](int, const std::string& line) {
    if (line.find("maximum poll interval") == std::string::npos) return;
    const std::lock_guard lock(mutex);
    exceeded = true;
    exceeded_changed.notify_all();
  };
  open(options);
  const auto consumer = bus_->consumer({topics_, "slow", false}, listener_).value();
  std::vector<Record> records;
  ASSERT_TRUE(poll_until(*consumer, records, [&] { return listener_.assignments == 1; }));
  {
    std::unique_lock lock(mutex);  // a handler that takes too long
    ASSERT_TRUE(exceeded_changed.wait_for(lock, kPatience, [&] { return exceeded; }));
  }
  publish_all(*producer_, {message("events", "a", "later")});
  ASSERT_TRUE(poll_until(*consumer, records, [&] { return listener_.assignments == 2; }));
  EXPECT_EQ(listener_.revocations, 1);
  if (records.empty()) records = read(*consumer, 1);
  EXPECT_THAT(values(records), ElementsAre("later"));
}

TEST_F(KafkaFaults, MemberSaysGoodbyeWhateverItHasNotReadYet) {
  auto options = contract::for_tests(broker_->options());
  std::string said;
  std::mutex mutex;
  options.log = [&](int, const std::string& line) {
    const std::lock_guard lock(mutex);
    said += line + "\n";
  };
  open(options);
  auto consumer = bus_->consumer({topics_, "polite", false}, listener_).value();
  std::vector<Record> records;
  ASSERT_TRUE(poll_until(*consumer, records, [&] { return listener_.assignments == 1; }));
  for (int number = 0; number < 50; ++number) publish_all(*producer_, {message("events", "a", "unread")});
  EXPECT_EQ(read(*consumer, 1).empty(), false);
  consumer.reset();
  const std::lock_guard lock(mutex);
  EXPECT_THAT(said, ::testing::Not(HasSubstr("without a goodbye")));
}

TEST_F(KafkaFaults, MemberLeavesInTimeThoughItsCoordinatorIsAway) {
  auto options = contract::for_tests(broker_->options());
  options.session_timeout_ms = 3'000;
  open(options);
  publish_all(*producer_, {message("events", "a", "1")});
  auto consumer = bus_->consumer({topics_, "leavers", false}, listener_).value();
  ASSERT_THAT(values(read(*consumer, 1)), ElementsAre("1"));
  broker_->take_down();
  // The library's own closing call tries this commit again until the coordinator is back, without a limit.
  for (const auto& partition : listener_.owned) consumer->commit(std::array{PartitionOffset{partition, 1}});
  const auto start = std::chrono::steady_clock::now();
  consumer.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{10});
}

TEST_F(KafkaFaults, MemberWithAShortSessionGivenAsAPropertyStaysAMember) {
  auto options = contract::for_tests(broker_->options());
  options.session_timeout_ms = 45'000;
  options.properties["session.timeout.ms"] = "3000";
  bool timed_out = false;
  std::mutex mutex;
  options.log = [&](int, const std::string& line) {
    const std::lock_guard lock(mutex);
    timed_out = timed_out || line.find("session timed out") != std::string::npos;
  };
  open(options);
  {
    const auto consumer = bus_->consumer({topics_, "steady", false}, listener_).value();
    std::vector<Record> records;
    ASSERT_TRUE(poll_until(*consumer, records, [&] { return listener_.assignments == 1; }));
    EXPECT_FALSE(poll_until(
        *consumer, records, [&] { return listener_.revocations > 0; }, std::chrono::seconds{7}));
  }
  const std::lock_guard lock(mutex);
  EXPECT_FALSE(timed_out);
}

TEST_F(KafkaFaults, TopicThatComesLaterIsAssignedWhenItIsThereAndTheConsumerMayBeClosedAtOnce) {
  for (const std::string name : {"later", "later-still", "last"}) {
    const auto consumer = bus_->consumer({{"events", name}, "", true}, listener_).value();
    std::vector<Record> records;
    ASSERT_TRUE(poll_until(*consumer, records, [&] { return listener_.owned.size() == 2; }));
    const std::array<std::string, 1> later{name};
    ASSERT_TRUE(bus_->create_topics(later, 1).ok());
    EXPECT_TRUE(poll_until(*consumer, records, [&] { return listener_.owned.size() == 3; }));
  }
}

TEST(Reachable, SaysWhetherTheClusterAnswers) {
  const auto broker = DevBroker::start().value();
  EXPECT_TRUE(check_reachable(broker->options(), kPatience).ok());
  Options absent;
  absent.bootstrap_servers = "127.0.0.1:1";
  const auto checked = check_reachable(absent, std::chrono::milliseconds{500});
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(checked.error().message, HasSubstr("127.0.0.1:1"));
  EXPECT_THAT(checked.error().message, ::testing::Not(HasSubstr("\n")));
}

TEST(DevBrokerUsage, WarnsBeforeAPartitionIsFullAndTellsWhatItForgot) {
  const auto broker = DevBroker::start().value();
  const std::array<std::string, 1> topics{"events"};
  ASSERT_TRUE(broker->create_topics(topics, 2).ok());
  const auto bus = open(contract::for_tests(broker->options())).value();
  const auto producer = bus->producer().value();
  const auto publish_megabytes = [&](int count) {
    std::vector<Message> messages;
    for (int number = 0; number < count * 20; ++number)
      messages.push_back(contract::message_to({"events", 1}, std::string(50'000, 'x')));
    publish_all(*producer, messages);
  };
  publish_megabytes(2);
  EXPECT_TRUE(broker->nearly_full().empty());
  publish_megabytes(3);
  auto full = broker->nearly_full(0.7);
  ASSERT_EQ(full.size(), 1U);
  EXPECT_EQ(full[0].partition, (TopicPartition{"events", 1}));
  EXPECT_NEAR(static_cast<double>(full[0].bytes), 5e6, 6e5);
  publish_megabytes(3);
  full = broker->nearly_full();
  ASSERT_EQ(full.size(), 1U);
  EXPECT_GT(full[0].forgotten, 0);
}

}  // namespace
}  // namespace skald::kafka
