// What a real cluster does to the bus and the mock cluster cannot: topics deleted and made again, records deleted,
// partitions added, groups whose members fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <stdexcept>

#include "administrator.hpp"
#include "contract/bus_probe.hpp"
#include "contract/kafka_harness.hpp"
#include "wire/murmur2.hpp"

namespace skald::contract {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RealKafka : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* servers = std::getenv("SKALD_TEST_KAFKA");
    if (servers == nullptr) throw std::runtime_error("SKALD_TEST_KAFKA is not set; ./dev test sets it");
    servers_ = servers;
    options_.bootstrap_servers = servers_;
    options_ = for_tests(options_);
    options_.properties["topic.metadata.refresh.interval.ms"] = "300";
    bus_ = kafka::open(options_).value();
    producer_ = bus_->producer().value();
    create(2);
  }

  void create(std::int32_t partitions) {
    const auto created = bus_->create_topics(topics_, partitions);
    ASSERT_TRUE(created.ok()) << created.error().message;
  }

  std::unique_ptr<Consumer> member() { return bus_->consumer({topics_, group_, false}, listener_).value(); }

  void publish_numbers(int from, int end) {
    std::vector<Message> messages;
    for (int number = from; number < end; ++number)
      messages.push_back(message_to(partition_, std::to_string(number)));
    publish_all(*producer_, messages);
  }

  std::string servers_;
  kafka::Options options_;
  std::unique_ptr<Bus> bus_;
  std::unique_ptr<Producer> producer_;
  const std::vector<std::string> topics_{unique_name("events")};
  const std::string group_ = unique_name("group");
  const TopicPartition partition_{topics_[0], 0};
  Listener listener_;
};

TEST_F(RealKafka, RecordsDeletedBelowTheReaderAreToldNotSkipped) {
  publish_numbers(0, 10);
  delete_records_before(servers_, {partition_, 6});
  listener_.starts_at = {{partition_, 3}};
  const auto consumer = member();
  std::vector<Record> records;
  ASSERT_TRUE(poll_until(*consumer, records, [&] { return !listener_.failures.empty(); }));
  EXPECT_THAT(records, IsEmpty());
  EXPECT_THAT(listener_.failures[0].second, HasSubstr("offset 3 is out of range"));
  EXPECT_EQ(consumer->log_range(partition_, kPatience)->start, 6);
  consumer->seek({partition_, 6});  // as an operator accepts the loss
  EXPECT_THAT(values(read(*consumer, 4)), ElementsAre("6", "7", "8", "9"));
}

TEST_F(RealKafka, AStaticMemberThatComesBackInTimeDisturbsNobody) {
  options_.session_timeout_ms = 20'000;
  const auto dynamic = member();
  options_.instance_id = unique_name("pod-0");
  const auto bus = kafka::open(options_).value();
  Listener own;
  auto fixed = bus->consumer({topics_, group_, false}, own).value();
  const auto both = [&] { return own.owned.size() == 1 && listener_.owned.size() == 1; };
  std::vector<Record> records;
  ASSERT_TRUE(poll_until(*fixed, records, [&] {
    static_cast<void>(poll_until(
        *dynamic, records, [] { return false; }, std::chrono::milliseconds{100}));
    return both();
  }));
  const auto had = own.owned;
  const int before = listener_.revocations;
  fixed.reset();
  fixed = bus->consumer({topics_, group_, false}, own).value();
  own.owned.clear();
  ASSERT_TRUE(poll_until(*fixed, records, [&] {
    static_cast<void>(poll_until(
        *dynamic, records, [] { return false; }, std::chrono::milliseconds{100}));
    return own.owned.size() == 1;
  }));
  EXPECT_EQ(own.owned, had);
  EXPECT_EQ(listener_.revocations, before);
}

TEST_F(RealKafka, DeletedTopicIsToldAndItsSuccessorIsNotReadByItself) {
  publish_numbers(0, 3);
  const auto consumer = bus_->consumer({topics_, group_, true}, listener_).value();
  EXPECT_EQ(read(*consumer, 3).size(), 3U);
  delete_topic(servers_, topics_[0]);
  std::vector<Record> records;
  ASSERT_TRUE(poll_until(*consumer, records, [&] { return !listener_.failures.empty(); }));
  create(2);
  producer_ = bus_->producer().value();
  publish_numbers(100, 106);
  EXPECT_FALSE(poll_until(
      *consumer, records, [&] { return !records.empty(); }, std::chrono::seconds{3}));
  EXPECT_EQ(consumer->log_range(partition_, kPatience)->end, 6);
}

TEST_F(RealKafka, AddedPartitionsAreAssigned) {
  const auto consumer = member();
  std::vector<Record> records;
  ASSERT_TRUE(poll_until(*consumer, records, [&] { return listener_.owned.size() == 2; }));
  grow_topic(servers_, topics_[0], 5);
  ASSERT_TRUE(poll_until(*consumer, records, [&] { return listener_.owned.size() == 5; }));
  publish_all(*producer_, {message_to({topics_[0], 4}, "four")});
  EXPECT_THAT(values(read(*consumer, 1)), ElementsAre("four"));
}

TEST_F(RealKafka, MemberWithAFatalErrorIsBuiltAgainAndItsRecordsAreReadFromTheStoresPosition) {
  const auto consumer = member();
  publish_numbers(0, 5);
  EXPECT_EQ(read(*consumer, 5).size(), 5U);
  listener_.starts_at = {{partition_, 2}};
  kafka::raise_fatal_error(*consumer);
  EXPECT_THAT(values(read(*consumer, 3)), ElementsAre("2", "3", "4"));
  EXPECT_EQ(listener_.revocations, 1);
  EXPECT_EQ(listener_.assignments, 2);
}

TEST_F(RealKafka, SilentMemberLosesItsPartitionsWithinTheSessionTimeoutOfPolling) {
  options_.maximum_poll_interval_ms = 3'000;
  const auto slow_bus = kafka::open(options_).value();
  const auto silent = slow_bus->consumer({topics_, group_, false}, listener_).value();
  std::vector<Record> records;
  ASSERT_TRUE(poll_until(*silent, records, [&] { return listener_.owned.size() == 2; }));
  Listener other_listener;
  const auto other = slow_bus->consumer({topics_, group_, false}, other_listener).value();
  // The first one does not poll; the other one gets everything once the first one is put out.
  ASSERT_TRUE(poll_until(*other, records, [&] { return other_listener.owned.size() == 2; }));
  publish_numbers(0, 3);
  EXPECT_EQ(read(*other, 3).size(), 3U);
  // Polling again it learns that it lost them, and both share.
  const auto shared = [&] {
    auto polled = other->poll(10, std::chrono::milliseconds{10});
    return listener_.revocations == 1 && listener_.owned.size() == 1 && other_listener.owned.size() == 1;
  };
  EXPECT_TRUE(poll_until(*silent, records, shared));
}

TEST_F(RealKafka, HundredThousandMessagesArriveOnceAndInOrder) {
  constexpr int kMessages = 100'000;
  const auto start = std::chrono::steady_clock::now();
  std::atomic<int> acknowledged{0};
  for (int number = 0; number < kMessages; ++number) {
    auto made = message(topics_[0], "order-" + std::to_string(number % 1000), std::to_string(number));
    made.headers = {
        {"ce_id", "0123456789"}, {"ce_type", "ReserveStock.succeeded"}, {"ce_correlationid", "order"}};
    while (!producer_
                ->produce(made,
                          [&](Delivery delivery, const std::string&) {
                            if (delivery == Delivery::kAcknowledged) ++acknowledged;
                          })
                .ok())
      static_cast<void>(producer_->flush(std::chrono::milliseconds{10}));
  }
  ASSERT_TRUE(producer_->flush(kPatience));
  EXPECT_EQ(acknowledged, kMessages);
  const auto produced = std::chrono::steady_clock::now();
  const auto consumer = bus_->consumer({topics_, group_, true}, listener_).value();
  std::map<std::string, int> last;
  int count = 0;
  while (count < kMessages && std::chrono::steady_clock::now() - produced < kPatience) {
    const auto polled = consumer->poll(1'000, std::chrono::milliseconds{100});
    ASSERT_TRUE(polled.ok()) << (polled ? "" : polled.error().message);
    for (const auto& record : *polled) {
      const int number = std::stoi(record.value.value());
      const auto known = last.find(record.key.value());
      EXPECT_TRUE(known == last.end() || known->second + 1000 == number);
      last[record.key.value()] = number;
      ++count;
    }
  }
  EXPECT_EQ(count, kMessages);
  const auto rate = [](auto duration) {
    return static_cast<int>(kMessages / std::chrono::duration<double>(duration).count());
  };
  RecordProperty("produced_per_second", rate(produced - start));
  RecordProperty("consumed_per_second", rate(std::chrono::steady_clock::now() - produced));
}

}  // namespace
}  // namespace skald::contract
