// Limits of a participant: what its breaker and its concurrency keep back is in Kafka, nothing of it is lost, and other
// steps go on.
#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include <set>

#include "fixture.hpp"

namespace skald::participant {
namespace {

using namespace std::chrono_literals;

bool eventually(const std::function<bool()>& question) {
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (std::chrono::steady_clock::now() < deadline)
    if (question()) return true;
  return false;
}

class ParticipantLimits : public ParticipantTest {
 protected:
  void configure(Service& service) override {
    service.on<Order, Reservation>("reserve-stock",
                                   {.execute =
                                        [this](const Order& order, Transaction& transaction) {
                                          ++calls_;
                                          if (!up_) throw Retry("down", "the warehouse does not answer");
                                          return reserve(order, transaction);
                                        },
                                    .compensate = Compensation(release_handler_),
                                    .execute_batch = batch_,
                                    .limits = limits_});
    service.on<Order, Reservation>("look", {.execute = reserve});
  }

  wire::Command look(const std::string& order) const {
    auto command = action(order);
    command.step = "look";
    return command;
  }

  static constexpr auto release_handler_ = [](const Release& given, Transaction& transaction) {
    release(given, transaction);
  };
  StepLimits limits_;
  std::function<std::vector<Outcome<Reservation>>(std::span<const Item<Order>>, Transaction&)> batch_;
  std::atomic<bool> up_ = false;
  std::atomic<int> calls_ = 0;
};

TEST_F(ParticipantLimits, ABreakerThatOpensInABatchKeepsTheRestOfItUnanswered) {
  limits_.breaker = {.failures = 3, .open_for = 1h};
  for (int order = 0; order < 10; ++order) send(action("o" + std::to_string(order)));
  start();
  for (const auto& reply : receive(3)) EXPECT_EQ(reply.failure.code, "down");
  EXPECT_TRUE(eventually([this] { return service_->statistics().waiting == 7; }));
  EXPECT_TRUE(eventually([this] { return bus_.committed("group")[{"commands", 0}] == 3; }));
  EXPECT_EQ(calls_, 3) << "no retry storm";
  EXPECT_EQ(bus_.records("replies").size(), 3u);
  stop();
  up_ = true;
  start();
  const auto replies = receive(7);
  for (std::size_t index = 0; index < replies.size(); ++index) {
    EXPECT_TRUE(replies[index].succeeded);
    EXPECT_EQ(replies[index].saga_id, "o" + std::to_string(index + 3)) << "in their order";
  }
}

TEST_F(ParticipantLimits, AnOpenBreakerLetsOneTryAndClosesOnItsSuccess) {
  limits_.breaker = {.failures = 2, .open_for = 50ms};
  for (int order = 0; order < 20; ++order) send(action("o" + std::to_string(order)));
  start();
  EXPECT_TRUE(eventually([this] { return calls_ >= 5; })) << "it tries again and again";
  EXPECT_EQ(service_->statistics().breakers_open, 1u);
  up_ = true;
  std::size_t succeeded = 0;
  for (const auto& reply : receive(20)) succeeded += reply.succeeded ? 1 : 0;
  EXPECT_EQ(succeeded, 20 - (static_cast<std::size_t>(calls_) - succeeded)) << "each was called once";
  EXPECT_EQ(service_->statistics().breakers_open, 0u);
  EXPECT_EQ(service_->statistics().waiting, 0u);
}

TEST_F(ParticipantLimits, StepsOfTheSameTopicThatWereReadGoOnWhileOneWaits) {
  limits_.breaker = {.failures = 1, .open_for = 1h};
  send(action("o1"));
  send(action("o2"));
  send(look("o3"));
  start();
  const auto replies = receive(2);
  EXPECT_EQ(replies[0].saga_id, "o1");
  EXPECT_EQ(replies[1].saga_id, "o3") << "o2 waits";
  EXPECT_EQ(service_->statistics().waiting, 1u);
}

TEST_F(ParticipantLimits, SoManyCommandsAreInATransactionAtMost) {
  limits_.maximum_concurrent = 4;
  up_ = true;
  std::atomic<std::size_t> most = 0;
  batch_ = [&most](std::span<const Item<Order>> items, Transaction&) {
    most = std::max<std::size_t>(most, items.size());
    return std::vector<Outcome<Reservation>>(items.size(), Reservation{"r"});
  };
  for (int order = 0; order < 50; ++order) send(action("o" + std::to_string(order)));
  start();
  for (const auto& reply : receive(50)) EXPECT_TRUE(reply.succeeded);
  EXPECT_EQ(most, 4u);
}

TEST_F(ParticipantLimits, TheRateIsHeld) {
  limits_.maximum_starts_per_second = 50;
  up_ = true;
  for (int order = 0; order < 30; ++order) send(action("o" + std::to_string(order)));
  const auto begin = std::chrono::steady_clock::now();
  start();
  receive(30);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 25 * 20ms) << "five at once, then one every 20 ms";
}

TEST_F(ParticipantLimits, ACompensationWaitsForTheBreakerAndIsDone) {
  limits_.breaker = {.failures = 1, .open_for = 50ms};
  up_ = true;
  start();
  EXPECT_TRUE(ask(action("o1")).succeeded);
  up_ = false;
  EXPECT_FALSE(ask(action("o2")).succeeded);
  EXPECT_EQ(service_->statistics().breakers_open, 1u);
  send(compensation("o1"));
  EXPECT_TRUE(receive(1).front().succeeded) << "the one let through when half-open";
  EXPECT_EQ(effects("o1", "release"), 1);
  EXPECT_EQ(service_->statistics().breakers_open, 0u);
}

TEST_F(ParticipantLimits, WhatIsHeldOfPartitionsThatGoToAnotherProcessIsDoneThere) {
  constexpr int kCommands = 60;
  bus_.add_partitions("commands", 4);
  limits_.maximum_starts_per_second = 40;
  up_ = true;
  for (int order = 0; order < kCommands; ++order) send(action("o" + std::to_string(order)));
  start();
  receive(10);
  EXPECT_GT(service_->statistics().waiting, 0u);
  Service other(options_, bus_);
  other.schema_sql(kTables);
  configure(other);
  std::thread other_thread([&other] { other.run(); });
  EXPECT_TRUE(eventually([&] {
    return observer_->run({"SELECT count(DISTINCT order_id) FROM effect"}).integer(0, 0) == kCommands;
  }));
  other.stop();
  other_thread.join();
  EXPECT_GT(other.statistics().executed, 0u);
  EXPECT_EQ(observer_->run({"SELECT count(*) FROM effect"}).integer(0, 0), kCommands) << "each once";
}

TEST_F(ParticipantLimits, ThatNameNoStepOrCannotBeEndTheProcess) {
  for (const char* wrong : {"reserve.maximum_concurrent=3", "reserve-stock.breaker.attempts=2"}) {
    limits_.breaker = {.failures = 5};
    options_.limit_changes = {wrong};
    Service service(options_, bus_);
    configure(service);
    EXPECT_EQ(service.run(), 78) << wrong;
  }
  Service service(options_, bus_);
  EXPECT_THROW((service.on<Order, Reservation>("reserve-stock",
                                               {.execute = reserve, .limits = {.maximum_concurrent = -1}})),
               std::invalid_argument);
}

/// How far a group has committed a topic, all partitions together, as a lag monitor reads it.
std::int64_t committed(const std::string& servers, const std::string& group, const std::string& topic,
                       int partitions) {
  auto* conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "bootstrap.servers", servers.c_str(), nullptr, 0);
  rd_kafka_conf_set(conf, "group.id", group.c_str(), nullptr, 0);
  auto* client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, nullptr, 0);
  auto* list = rd_kafka_topic_partition_list_new(partitions);
  for (int partition = 0; partition < partitions; ++partition)
    rd_kafka_topic_partition_list_add(list, topic.c_str(), partition);
  EXPECT_EQ(rd_kafka_committed(client, list, 10'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  std::int64_t sum = 0;
  for (int place = 0; place < list->cnt; ++place) sum += std::max<std::int64_t>(list->elems[place].offset, 0);
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_destroy(client);
  return sum;
}

/// The same on Kafka: the orchestrator's part, sending a failed command again, is the test's.
class LimitsOnKafka : public ParticipantLimits {
 protected:
  static constexpr int kPartitions = 3, kOrders = 300;

  void SetUp() override {
    ParticipantLimits::SetUp();
    if (IsSkipped()) return;
    const char* brokers = std::getenv("SKALD_TEST_KAFKA");
    if (brokers == nullptr) GTEST_SKIP() << "SKALD_TEST_KAFKA is not set";
    options_.kafka = brokers;
    const auto name = "limits" + std::to_string(getpid());
    topic_ = name + ".commands";
    replies_topic_ = name + ".replies";
    options_.group = name;
    options_.topics = {topic_};
    options_.kafka_properties = {{"session.timeout.ms", "6000"}};
    kafka_ = participant::open_bus(options_);
    const std::vector<std::string> topics{topic_, topic_ + "-dlt", replies_topic_};
    ASSERT_TRUE(kafka_->create_topics(topics, kPartitions).ok());
    consumer_ = kafka_->consumer({{replies_topic_}, name + ".test", true}, listener_).value();
    producer_ = kafka_->producer().value();
  }

  void TearDown() override {
    stop();
    ParticipantLimits::TearDown();
  }

  void produce(wire::Command command) {
    command.reply_to = replies_topic_;
    ASSERT_TRUE(
        producer_->produce(wire::to_message(command, topic_), [](Delivery, const std::string&) {}).ok());
  }

  /// Takes in what was answered; what failed is sent again if asked to.
  void read_replies(bool send_again) {
    const auto records = consumer_->poll(500, 50ms);
    if (!records) return;
    for (const auto& record : *records) {
      const auto reply = wire::reply_from(record).value();
      if (reply.succeeded) {
        succeeded_.insert(reply.saga_id);
      } else {
        EXPECT_TRUE(reply.failure.retryable);
        failed_.push_back(reply.saga_id);
      }
    }
    if (!send_again) return;
    for (const auto& saga : std::exchange(failed_, {})) produce(action(saga, ++attempts_[saga] + 1));
  }

  std::string topic_, replies_topic_;
  std::unique_ptr<Bus> kafka_;
  std::unique_ptr<Consumer> consumer_;
  std::unique_ptr<Producer> producer_;
  std::set<std::string> succeeded_;
  std::vector<std::string> failed_;
  std::map<std::string, int> attempts_;
};

TEST_F(LimitsOnKafka, CommandsOfAnOpenBreakerStayInKafkaAndAreAllDoneOnceItCloses) {
  limits_.breaker = {.failures = 4, .open_for = 300ms};
  options_.maximum_batch = 20;
  for (int order = 0; order < kOrders; ++order) produce(action("o" + std::to_string(order)));
  ASSERT_TRUE(producer_->flush(20s));
  service_.emplace(options_, *kafka_);
  service_->schema_sql(kTables);
  configure(*service_);
  thread_ = std::thread([this] { exit_code_ = service_->run(); });

  // Down: four were called, then one each 300 ms, and nothing but these is answered or committed.
  EXPECT_TRUE(eventually([this] {
    read_replies(false);
    return failed_.size() >= 7;
  }));
  EXPECT_TRUE(succeeded_.empty());
  EXPECT_EQ(service_->statistics().breakers_open, 1u);
  const auto read = committed(options_.kafka, options_.group, topic_, kPartitions);
  EXPECT_LE(read, calls_.load()) << "the lag is all that was not answered";
  EXPECT_LT(calls_, 100) << "no retry storm";
  EXPECT_LE(service_->statistics().waiting, kPartitions * options_.maximum_batch) << "the rest is unread";

  // Up again: the trial closes the breaker, the rest follows, each once.
  up_ = true;
  EXPECT_TRUE(eventually([this] {
    read_replies(true);
    return succeeded_.size() == kOrders;
  })) << succeeded_.size();
  EXPECT_EQ(service_->statistics().breakers_open, 0u);
  EXPECT_EQ(observer_->run({"SELECT count(*) FROM effect"}).integer(0, 0), kOrders);
  EXPECT_EQ(observer_->run({"SELECT count(DISTINCT order_id) FROM effect"}).integer(0, 0), kOrders);
  int sent = kOrders;
  for (const auto& [saga, again] : attempts_) sent += again;
  EXPECT_TRUE(eventually([&] {
    return committed(options_.kafka, options_.group, topic_, kPartitions) == sent;
  })) << "no lag is left";
}

}  // namespace
}  // namespace skald::participant
