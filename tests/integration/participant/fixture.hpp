// A participant on real PostgreSQL and the bus in memory. Its handlers write what took effect into a table of their
// own, from which the tests judge; SKALD_TEST_POSTGRES names the server. Each test has its own schema.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "memory/memory_bus.hpp"
#include "participant/postgres.hpp"
#include "skald/participant.hpp"
#include "wire/cloud_events.hpp"

namespace skald::participant {

struct Order {
  std::string id;
  std::string behaviour;
};
SKALD_FIELDS(Order, id, behaviour)
struct Reservation {
  std::string id;
};
SKALD_FIELDS(Reservation, id)
struct Release {
  std::string order;
};
SKALD_FIELDS(Release, order)

inline constexpr std::chrono::seconds kDeadline{20};

class ParticipantTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* postgres = std::getenv("SKALD_TEST_POSTGRES");
    if (postgres == nullptr) GTEST_SKIP() << "SKALD_TEST_POSTGRES is not set";
    options_.postgres = postgres;
    options_.schema = std::string("t_") + testing::UnitTest::GetInstance()->current_test_info()->name();
    options_.schema.resize(std::min<std::size_t>(options_.schema.size(), 60));
    options_.group = "group";
    options_.topics = {"commands"};
    options_.drain_timeout = std::chrono::milliseconds(2000);
    const std::vector<std::string> topics{"commands", "replies", "commands-dlt"};
    ASSERT_TRUE(bus_.create_topics(topics, 1).ok());
    observer_.emplace(options_.postgres, options_.schema);
    observer_->run_script("DROP SCHEMA IF EXISTS \"" + options_.schema + "\" CASCADE");
    replies_ = bus_.consumer({{"replies"}, "observer", true}, listener_).value();
  }

  void TearDown() override {
    stop();
    if (observer_) observer_->run_script("DROP SCHEMA IF EXISTS \"" + options_.schema + "\" CASCADE");
  }

  /// What order.behaviour asks for, after the effect is written: nothing remains of it unless the handler returns.
  static Reservation reserve(const Order& order, Transaction& transaction) {
    transaction.exec("INSERT INTO effect (order_id, kind) VALUES ($1, $2)", order.id, "reserve");
    if (order.behaviour == "refuse") throw Refused("out-of-stock", "none left");
    if (order.behaviour == "flaky" &&
        transaction.exec("SELECT 1 FROM switch WHERE name = $1", order.id).empty())
      throw Retry("busy", "try again");
    if (order.behaviour == "later") throw Retry("busy", "until noon", std::chrono::hours{2});
    if (order.behaviour == "by-mail") {
      transaction.exec("INSERT INTO effect (order_id, kind) VALUES ($1, $2)", order.id, transaction.token());
      transaction.complete_later();
    }
    if (order.behaviour == "throw") throw std::runtime_error("a bug");
    if (order.behaviour == "bad-sql")
      transaction.exec("INSERT INTO effect (order_id, kind) VALUES ($1, $2)", order.id, nullptr_text());
    if (order.behaviour == "swallow") {
      try {
        transaction.exec("SELECT 1 / $1::int", 0);
      } catch (const SqlError&) {
        return {"swallowed"};
      }
    }
    return {"res-" + order.id};
  }

  static std::optional<std::string> nullptr_text() { return std::nullopt; }

  static void release(const Release& release, Transaction& transaction) {
    transaction.exec("INSERT INTO effect (order_id, kind) VALUES ($1, $2)", release.order, "release");
    if (!transaction.exec("SELECT 1 FROM switch WHERE name = 'no-release'").empty())
      throw Retry("busy", "try again");
  }

  static constexpr const char* kTables =
      "CREATE TABLE IF NOT EXISTS effect (order_id text NOT NULL, kind text NOT NULL);"
      "CREATE TABLE IF NOT EXISTS switch (name text PRIMARY KEY)";

  virtual void configure(Service& service) {
    service.on<Order, Reservation>("reserve-stock",
                                   {.execute = reserve, .compensate = Compensation(release_)});
  }

  void start() {
    service_.emplace(options_, bus_);
    service_->schema_sql(kTables);
    configure(*service_);
    thread_ = std::thread([this] { exit_code_ = service_->run(); });
  }

  /// The service stays, for its statistics.
  void stop() {
    if (!thread_.joinable()) return;
    service_->stop();
    thread_.join();
  }

  wire::Command command(const std::string& order, wire::Phase phase, int attempt,
                        const std::string& behaviour = "") const {
    wire::Command command;
    command.id = wire::format({"shop", "place-order", order, 0, phase, attempt});
    command.step = "reserve-stock";
    command.source = "/skald/shop/place-order";
    command.saga_id = order;
    command.idempotency_key = "shop/place-order/" + order + "/0";
    command.phase = phase;
    command.attempt = attempt;
    command.reply_to = "replies";
    command.data = phase == wire::Phase::kAction ? to_json(Order{order, behaviour}) : to_json(Release{order});
    return command;
  }

  wire::Command action(const std::string& order, int attempt = 1, const std::string& behaviour = "") const {
    return command(order, wire::Phase::kAction, attempt, behaviour);
  }
  wire::Command compensation(const std::string& order, int attempt = 1) const {
    return command(order, wire::Phase::kCompensation, attempt);
  }

  void send(const Message& message) {
    auto producer = bus_.producer().value();
    ASSERT_TRUE(producer->produce(message, [](Delivery, const std::string&) {}).ok());
    ASSERT_TRUE(producer->flush(std::chrono::milliseconds(1000)));
  }
  void send(const wire::Command& command) { send(wire::to_message(command, "commands")); }

  /// The next `count` replies, in the order they came.
  std::vector<wire::Reply> receive(std::size_t count) {
    std::vector<wire::Reply> replies;
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (replies.size() < count && std::chrono::steady_clock::now() < deadline) {
      auto records = replies_->poll(count - replies.size(), std::chrono::milliseconds(200));
      if (!records) continue;
      for (const auto& record : *records) {
        auto reply = wire::reply_from(record);
        EXPECT_TRUE(reply.ok()) << reply.error().message;
        if (reply) replies.push_back(std::move(reply).value());
      }
    }
    EXPECT_EQ(replies.size(), count) << "replies before the deadline";
    replies.resize(count);
    return replies;
  }

  wire::Reply ask(const wire::Command& command) {
    send(command);
    return receive(1).front();
  }

  std::int64_t effects(const std::string& order, const std::string& kind) {
    return observer_->run({"SELECT count(*) FROM effect WHERE order_id = $1 AND kind = $2", {order, kind}})
        .integer(0, 0);
  }
  void turn_on(const std::string& name) { observer_->run({"INSERT INTO switch VALUES ($1)", {name}}); }
  void turn_off(const std::string& name) { observer_->run({"DELETE FROM switch WHERE name = $1", {name}}); }

  struct Listener : RebalanceListener {
    std::vector<PartitionOffset> assigned(const std::vector<TopicPartition>& partitions) override {
      std::vector<PartitionOffset> starts;
      for (const auto& partition : partitions) starts.push_back({partition, PartitionOffset::kBeginning});
      return starts;
    }
    void revoked(const std::vector<TopicPartition>&) override {}
  };

  Options options_;
  memory::MemoryBus bus_;
  Listener listener_;
  std::optional<detail::Connection> observer_;
  std::unique_ptr<Consumer> replies_;
  std::optional<Service> service_;
  std::thread thread_;
  int exit_code_ = -1;

 private:
  static constexpr auto release_ = [](const Release& given, Transaction& transaction) {
    release(given, transaction);
  };
};

}  // namespace skald::participant
