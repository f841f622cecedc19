// A participant's process on real Kafka and PostgreSQL, killed in the middle: every command takes effect once and is
// answered, whichever side of a commit or a publication the kill fell on.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <set>

#include "kafka/kafka_bus.hpp"
#include "participant/postgres.hpp"
#include "skald/fields.hpp"
#include "wire/cloud_events.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace skald::participant {
namespace {

using namespace std::chrono_literals;

class Process {
 public:
  explicit Process(std::vector<std::string> arguments) {
    std::vector<char*> pointers;
    for (auto& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&pid_, pointers[0], nullptr, nullptr, pointers.data(), environ), 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) end(SIGKILL);
  }
  /// The wait status.
  int end(int signal) {
    kill(pid_, signal);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
};

struct FromTheStart : RebalanceListener {
  std::vector<PartitionOffset> assigned(const std::vector<TopicPartition>& partitions) override {
    std::vector<PartitionOffset> starts;
    for (const auto& partition : partitions) starts.push_back({partition, PartitionOffset::kBeginning});
    return starts;
  }
  void revoked(const std::vector<TopicPartition>&) override {}
};

struct Order {
  std::string id, customer, sku;
  std::int64_t total_cents = 0;
};
SKALD_FIELDS(Order, id, customer, sku, total_cents)

constexpr int kOrders = 3000;

Message reserve(int order, const std::string& topic, const std::string& replies) {
  wire::Command command;
  command.saga_id = "o" + std::to_string(order);
  command.idempotency_key = "shop/place-order/" + command.saga_id + "/1";
  command.id = command.idempotency_key + "/action/1";
  command.step = "reserve-stock";
  command.source = "/skald/shop/place-order";
  command.reply_to = replies;
  command.data = to_json(Order{command.saga_id, "c", "book", 100});
  return wire::to_message(command, topic);
}

/// Reads replies until `enough` sagas are answered.
void read_replies(Consumer& consumer, std::set<std::string>& answered, std::size_t enough) {
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (answered.size() < enough && std::chrono::steady_clock::now() < deadline) {
    const auto records = consumer.poll(500, 200ms);
    if (!records) continue;
    for (const auto& record : *records) {
      const auto reply = wire::reply_from(record);
      ASSERT_TRUE(reply.ok()) << reply.error().message;
      EXPECT_TRUE(reply->succeeded) << reply->failure.code;
      answered.insert(reply->saga_id);
    }
  }
  EXPECT_GE(answered.size(), enough) << "before the deadline";
}

TEST(KilledParticipant, TakesEffectOnceAndAnswersEverything) {
  const char* postgres = std::getenv("SKALD_TEST_POSTGRES");
  const char* brokers = std::getenv("SKALD_TEST_KAFKA");
  if (postgres == nullptr || brokers == nullptr)
    GTEST_SKIP() << "SKALD_TEST_POSTGRES or SKALD_TEST_KAFKA is not set";
  const std::string schema = "t_killed_" + std::to_string(getpid());
  detail::Connection observer(postgres, schema);

  kafka::Options options;
  options.bootstrap_servers = brokers;
  const auto bus = kafka::open(options).value();
  const std::vector<std::string> topics{schema + ".commands", schema + ".commands-dlt", schema + ".replies"};
  ASSERT_TRUE(bus->create_topics(topics, 2).ok());
  FromTheStart listener;
  const auto replies = bus->consumer({{topics[1]}, schema, true}, listener).value();
  const auto producer = bus->producer().value();
  for (int order = 0; order < kOrders; ++order)
    ASSERT_TRUE(
        producer->produce(reserve(order, topics[0], topics[1]), [](Delivery, const std::string&) {}).ok());
  ASSERT_TRUE(producer->flush(20s));

  const std::vector<std::string> arguments{SKALD_ORDER_INVENTORY,
                                           "--postgres",
                                           postgres,
                                           "--kafka",
                                           brokers,
                                           "--schema",
                                           schema,
                                           "--topic",
                                           topics[0],
                                           "--batch",
                                           "50",
                                           "--kafka-property",
                                           "session.timeout.ms=6000"};
  std::set<std::string> answered;
  {
    Process killed(arguments);
    read_replies(*replies, answered, 100);
    killed.end(SIGKILL);
  }
  EXPECT_LT(observer.run({"SELECT count(*) FROM effect"}).integer(0, 0), kOrders)
      << "killed too late to prove anything";
  Process second(arguments);
  read_replies(*replies, answered, kOrders);
  const int status = second.end(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;

  const auto effects = observer.run({"SELECT count(*), count(DISTINCT order_id) FROM effect"});
  EXPECT_EQ(effects.integer(0, 0), kOrders);
  EXPECT_EQ(effects.integer(0, 1), kOrders);
  EXPECT_EQ(observer.run({"SELECT sum(initial - available)::bigint FROM stock"}).integer(0, 0), kOrders);
  observer.run_script("DROP SCHEMA \"" + schema + "\" CASCADE");
}

}  // namespace
}  // namespace skald::participant
