// The service around the inbox: bad records, lost replies, restarts, two processes, batches, a database that goes away.
#include "fixture.hpp"

namespace skald::participant {
namespace {

class ParticipantService : public ParticipantTest {};

TEST_F(ParticipantService, UndecodableCommandBecomesADeadLetterAndTheNextIsServed) {
  start();
  auto bad = wire::to_message(action("o1"), "commands");
  bad.value = std::string(200'000, '[');
  send(bad);
  EXPECT_TRUE(ask(action("o2")).succeeded);
  stop();
  const auto letters = bus_.records("commands-dlt");
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].key, "o1");
  EXPECT_EQ(letters[0].value, bad.value);
  EXPECT_EQ(letters[0].header("kafka_dlt-exception-fqcn"), "SKALD-303");
  EXPECT_EQ(effects("o1", "reserve"), 0);
}

TEST_F(ParticipantService, ReplyOfUnknownOutcomeIsSentAgain) {
  bus_.fail_next("replies", memory::ProduceFault::kUnknownLost, 2);
  start();
  EXPECT_TRUE(ask(action("o1")).succeeded);
  EXPECT_EQ(effects("o1", "reserve"), 1);
}

TEST_F(ParticipantService, CommandWhoseReplyIsRefusedBecomesADeadLetter) {
  bus_.fail_next("replies", memory::ProduceFault::kRefused);
  start();
  send(action("o1"));
  EXPECT_TRUE(ask(action("o2")).succeeded);
  stop();
  const auto letters = bus_.records("commands-dlt");
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].header("kafka_dlt-exception-fqcn"), "SKALD-312");
}

TEST_F(ParticipantService, RepliesLostWithTheProcessAreGivenByTheNextOne) {
  options_.drain_timeout = std::chrono::milliseconds(0);
  start();
  EXPECT_TRUE(ask(action("o0")).succeeded);
  bus_.fail_next("replies", memory::ProduceFault::kUnknownLost, 20);
  send(action("o1"));
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (effects("o1", "reserve") == 0 && std::chrono::steady_clock::now() < deadline) continue;
  ASSERT_EQ(effects("o1", "reserve"), 1) << "committed, and its reply cannot leave";
  stop();
  start();
  const auto reply = receive(1).front();
  EXPECT_TRUE(reply.succeeded);
  EXPECT_EQ(reply.saga_id, "o1");
  EXPECT_EQ(effects("o1", "reserve"), 1);
}

TEST_F(ParticipantService, ReadingGoesOnWhereItStopped) {
  start();
  EXPECT_TRUE(ask(action("o1")).succeeded);
  stop();
  EXPECT_EQ(exit_code_, 0);
  start();
  EXPECT_EQ(ask(action("o2")).saga_id, "o2") << "o1 is not read again";
  stop();
  EXPECT_EQ(service_->statistics().repeated, 0U);
}

TEST_F(ParticipantService, TopicMadeAnewIsReadFromItsStart) {
  start();
  for (int order = 0; order < 3; ++order) send(action("o" + std::to_string(order)));
  receive(3);
  stop();
  bus_.delete_topic("commands");
  const std::vector<std::string> topics{"commands"};
  ASSERT_TRUE(bus_.create_topics(topics, 1).ok());
  send(action("o0"));
  start();
  EXPECT_TRUE(receive(1).front().succeeded);
  EXPECT_EQ(effects("o0", "reserve"), 1);
}

TEST_F(ParticipantService, LongerTopicUnderTheOldNameIsReadFromItsStart) {
  start();
  for (int order = 0; order < 3; ++order) send(action("o" + std::to_string(order)));
  receive(3);
  stop();
  bus_.delete_topic("commands");
  const std::vector<std::string> topics{"commands"};
  ASSERT_TRUE(bus_.create_topics(topics, 1).ok());
  for (int order = 10; order < 16; ++order) send(action("o" + std::to_string(order)));
  start();
  for (const auto& reply : receive(6)) EXPECT_TRUE(reply.succeeded);
  for (int order = 10; order < 16; ++order) EXPECT_EQ(effects("o" + std::to_string(order), "reserve"), 1);
}

TEST_F(ParticipantService, RecordsThatRetentionTookAreNoOtherLog) {
  start();
  for (int order = 0; order < 3; ++order) send(action("o" + std::to_string(order)));
  receive(3);
  stop();
  send(action("o3"));
  bus_.remove_before({"commands", 0}, 3);
  start();
  EXPECT_EQ(receive(1).front().saga_id, "o3");
  EXPECT_EQ(effects("o3", "reserve"), 1);
}

TEST_F(ParticipantService, ConnectionKilledUnderWayIsMadeAnew) {
  start();
  EXPECT_TRUE(ask(action("o1")).succeeded);
  const auto killed = observer_->run(
      {"SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
       "WHERE application_name = left('skald-participant ' || $1, 63) AND pid <> pg_backend_pid()",
       {options_.schema}});
  EXPECT_EQ(killed.size(), 1U);
  EXPECT_TRUE(ask(action("o2")).succeeded);
  EXPECT_EQ(effects("o2", "reserve"), 1);
}

TEST_F(ParticipantService, TwoProcessesGivenTheSameCommandsExecuteThemOnce) {
  const std::vector<std::string> topics{"copy", "copy-dlt"};
  ASSERT_TRUE(bus_.create_topics(topics, 1).ok());
  constexpr int kOrders = 300;
  for (int order = 0; order < kOrders; ++order) {
    send(action("o" + std::to_string(order)));
    send(wire::to_message(action("o" + std::to_string(order), 2), "copy"));
  }
  auto copy = options_;
  copy.topics = {"copy"};
  copy.group = "other";
  copy.maximum_batch = options_.maximum_batch = 7;
  Service other(copy, bus_);
  other.schema_sql(kTables);
  configure(other);
  start();
  std::thread other_thread([&other] { other.run(); });
  const auto replies = receive(2 * kOrders);
  other.stop();
  other_thread.join();
  for (const auto& reply : replies) EXPECT_TRUE(reply.succeeded) << reply.failure.code;
  for (int order = 0; order < kOrders; ++order) EXPECT_EQ(effects("o" + std::to_string(order), "reserve"), 1);
}

TEST_F(ParticipantService, InboxRowsGoAfterTheirSagaEndedAndNoOthersDo) {
  const std::vector<std::string> topics{"lifecycle"};
  ASSERT_TRUE(bus_.create_topics(topics, 1).ok());
  options_.lifecycle_topic = "lifecycle";
  options_.inbox_retention = std::chrono::seconds(0);
  options_.purge_interval = std::chrono::milliseconds(20);
  start();
  EXPECT_TRUE(ask(action("o1")).succeeded);
  EXPECT_TRUE(ask(action("o1/1")).succeeded);
  EXPECT_TRUE(ask(action("o11")).succeeded);
  EXPECT_TRUE(ask(action("o2")).succeeded);
  EXPECT_FALSE(ask(action("o2/flaky", 1, "flaky")).succeeded);
  for (const char* saga : {"o1", "o2/flaky"})
    send(wire::to_message(
        wire::OutcomeEvent{"end", "saga.completed", "/skald/shop/place-order", saga, Time{}, "{}", {}},
        "lifecycle"));
  send(wire::to_message(
      wire::OutcomeEvent{"stuck", "saga.stuck", "/skald/shop/place-order", "o2", Time{}, "{}", {}},
      "lifecycle"));
  const auto count = [this](const char* sql) { return observer_->run({sql}).integer(0, 0); };
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  while (count("SELECT count(*) FROM skald_inbox") > 3 && std::chrono::steady_clock::now() < deadline)
    continue;
  EXPECT_EQ(count("SELECT count(*) FROM skald_inbox WHERE idempotency_key IN "
                  "('shop/place-order/o1/1/0', 'shop/place-order/o11/0', 'shop/place-order/o2/0')"),
            3);
  EXPECT_EQ(count("SELECT count(*) FROM skald_inbox"), 3);
  EXPECT_EQ(count("SELECT count(*) FROM skald_inbox_failure"), 0);
}

TEST_F(ParticipantService, InboxRowsOfAChildSagaStayUntilTheSagaAtTheTopHasEnded) {
  const std::vector<std::string> topics{"lifecycle"};
  ASSERT_TRUE(bus_.create_topics(topics, 1).ok());
  options_.lifecycle_topic = "lifecycle";
  options_.inbox_retention = std::chrono::seconds(0);
  options_.purge_interval = std::chrono::milliseconds(20);
  start();
  for (const char* saga : {"child", "other", "alone"}) EXPECT_TRUE(ask(action(saga)).succeeded);
  const auto tell_end = [this](const std::string& saga, const std::string& root) {
    wire::OutcomeEvent event{"end", "saga.completed", "/skald/shop/place-order", saga, Time{}, "{}", {}};
    event.root = root;
    send(wire::to_message(event, "lifecycle"));
  };
  const auto settles_at = [this](std::int64_t rows) {
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (observer_->run({"SELECT count(*) FROM skald_inbox"}).integer(0, 0) > rows &&
           std::chrono::steady_clock::now() < deadline)
      continue;
    return observer_->run({"SELECT count(*) FROM skald_inbox"}).integer(0, 0) == rows;
  };
  tell_end("child", "shop/place-order/parent");
  tell_end("other", "shop/place-order/elsewhere");
  tell_end("alone", "");
  EXPECT_TRUE(settles_at(2)) << "the one that nobody can roll back any more has gone";
  const auto purges = [this] { return observer_->run({"SELECT count(*) FROM skald_child"}).integer(0, 0); };
  EXPECT_EQ(purges(), 2) << "and the others wait";
  tell_end("parent", "");
  EXPECT_TRUE(settles_at(1));
  EXPECT_EQ(
      observer_
          ->run({"SELECT count(*) FROM skald_inbox WHERE idempotency_key LIKE 'shop/place-order/other/%'"})
          .integer(0, 0),
      1);
  EXPECT_EQ(purges(), 1);
}

class BatchHandler : public ParticipantTest {
 protected:
  void configure(Service& service) override {
    service.on<Order, Reservation>(
        "reserve-stock",
        {.execute = reserve,
         .execute_batch = [this](std::span<const Item<Order>> items, Transaction& transaction) {
           ++calls_;
           std::vector<std::string> orders;
           std::vector<Outcome<Reservation>> outcomes;
           bool breaks = false;
           for (const auto& item : items) {
             breaks = breaks || item.input.behaviour == "break";
             if (item.input.behaviour == "refuse") {
               outcomes.emplace_back(Refused("out-of-stock", "none left"));
             } else {
               orders.push_back(item.input.id);
               outcomes.emplace_back(Reservation{"res-" + item.input.id});
             }
           }
           transaction.exec("INSERT INTO effect SELECT unnest($1::text[]), 'reserve'", orders);
           if (breaks) throw std::runtime_error("together it does not work");
           return outcomes;
         }});
  }
  std::atomic<int> calls_ = 0;
};

TEST_F(BatchHandler, TakesCommandsOfDifferentKeysTogether) {
  for (int order = 0; order < 10; ++order)
    send(action("o" + std::to_string(order), 1, order == 3 ? "refuse" : ""));
  auto misfit = action("misfit");
  misfit.data = "{}";
  send(misfit);
  start();
  const auto replies = receive(11);
  EXPECT_EQ(calls_, 1);
  for (int order = 0; order < 10; ++order) {
    EXPECT_EQ(replies[static_cast<std::size_t>(order)].succeeded, order != 3);
    EXPECT_EQ(effects("o" + std::to_string(order), "reserve"), order != 3 ? 1 : 0);
  }
  EXPECT_EQ(replies[10].failure.code, "invalid-input");
}

TEST_F(BatchHandler, SameKeyTwiceIsExecutedOnce) {
  for (int round = 1; round <= 2; ++round)
    for (int order = 0; order < 5; ++order) send(action("o" + std::to_string(order), round));
  start();
  for (const auto& reply : receive(10)) EXPECT_TRUE(reply.succeeded);
  EXPECT_EQ(calls_, 1);
  for (int order = 0; order < 5; ++order) EXPECT_EQ(effects("o" + std::to_string(order), "reserve"), 1);
}

TEST_F(BatchHandler, ThatBreaksIsUndoneAndItsCommandsGoOneByOne) {
  for (int order = 0; order < 5; ++order)
    send(action("o" + std::to_string(order), 1, order == 2 ? "break" : ""));
  start();
  for (const auto& reply : receive(5)) EXPECT_TRUE(reply.succeeded);
  for (int order = 0; order < 5; ++order) EXPECT_EQ(effects("o" + std::to_string(order), "reserve"), 1);
}

}  // namespace
}  // namespace skald::participant
