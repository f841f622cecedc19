// What a session answers when PostgreSQL, the network or another process gets in its way, and that it goes on by
// itself afterwards.
#include <gmock/gmock.h>

#include <pqxx/pqxx>
#include <set>
#include <thread>

#include "contract/store_contract.hpp"
#include "cutting_proxy.hpp"
#include "test_database.hpp"

namespace skald::postgres {
namespace {

using contract::must;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

Batch one_start(SagaKey key, const std::string& saga_id) {
  Batch batch;
  batch.outbox_id = key;
  SagaWrite write;
  write.key = key;
  write.sequence = 1;
  write.wake_at = kNever;
  write.history = {{1, "[]"}};
  write.messages = {{"commands", std::nullopt, saga_id, "{}", {}, saga_id}};
  write.address = {"PlaceOrder", saga_id};
  batch.writes = {write};
  return batch;
}

Batch one_update(SagaKey key, std::int64_t judged_at) {
  Batch batch = one_start(key, "");
  batch.outbox_id = key + 1'000'000 * judged_at;
  batch.writes[0].judged_at = judged_at;
  batch.writes[0].sequence = judged_at + 1;
  batch.writes[0].history = {{judged_at + 1, "[]"}};
  return batch;
}

/// The same as a batch of several statements: one that parks something is never written in one.
Batch in_steps(Batch batch) {
  batch.park = {{batch.outbox_id, {"PlaceOrder", "elsewhere"}, 1, ParkReason::kNoSaga, "input", {}}};
  return batch;
}

class PostgresFailures : public testing::Test {
 protected:
  std::unique_ptr<Session> open(StoreOptions options) {
    return must(PostgresStore{std::move(options)}.open());
  }

  /// Ends the connections of the session under test, as a failover or an administrator does.
  void kill_backends() {
    database_.sql(
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE application_name = '" +
        database_.schema() + "'");
  }

  StoreOptions through(const CuttingProxy& proxy) {
    pqxx::connection direct{TestDatabase::uri()};
    StoreOptions options = database_.options();
    options.uri = "host=127.0.0.1 port=" + std::to_string(proxy.port()) + " user=" + direct.username() +
                  " dbname=" + direct.dbname();
    return options;
  }

  std::int64_t count(const std::string& table) {
    return std::stoll(database_.sql("SELECT count(*) FROM " + table));
  }

  TestDatabase database_;
  std::unique_ptr<Session> session_ = open(database_.options());
};

TEST_F(PostgresFailures, OpenConnectionsAreCountedThroughLossAndReconnect) {
  PostgresStore store{database_.options()};
  EXPECT_EQ(store.connections(), 0);
  {
    const auto first = must(store.open());
    const auto second = must(store.open());
    EXPECT_EQ(store.connections(), 2);
    kill_backends();
    EXPECT_FALSE(first->now());
    EXPECT_FALSE(second->now());
    EXPECT_EQ(store.connections(), 0);
    must(first->now());
    EXPECT_EQ(store.connections(), 1);
  }
  EXPECT_EQ(store.connections(), 0);
}

TEST_F(PostgresFailures, AConnectionLostBeforeABatchIsUnavailableAndTheNextCallReconnects) {
  must(session_->commit(one_start(1, "order-1")));
  kill_backends();
  const auto broken = session_->commit(in_steps(one_start(2, "order-2")));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(count("saga"), 1);
  EXPECT_TRUE(session_->commit(one_start(2, "order-2")));
  EXPECT_EQ(count("saga"), 2);
}

TEST_F(PostgresFailures, ACommitWhoseAnswerIsLostIsOfUnknownOutcomeAndTookEffect) {
  CuttingProxy proxy{"127.0.0.1", std::stoi(pqxx::connection{TestDatabase::uri()}.port())};
  auto session = open(through(proxy));
  proxy.cut_at("COMMIT", CuttingProxy::Cut::kAfter);
  const auto result = session->commit(in_steps(one_start(1, "order-1")));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kUnknown);
  EXPECT_EQ(proxy.cuts(), 1);
  // Asked by id, the store knows, and the same batch again is a conflict with itself.
  EXPECT_TRUE(must(session->outbox_row(1)));
  Batch again = one_start(1, "order-1");
  again.outbox_id = 2;
  EXPECT_THAT(must(session->commit(again)).conflicts, SizeIs(1));
  EXPECT_EQ(count("history"), 1);
}

TEST_F(PostgresFailures, ACommitThatNeverArrivedIsOfUnknownOutcomeAndTookNone) {
  CuttingProxy proxy{"127.0.0.1", std::stoi(pqxx::connection{TestDatabase::uri()}.port())};
  auto session = open(through(proxy));
  proxy.cut_at("COMMIT", CuttingProxy::Cut::kBefore);
  const auto result = session->commit(in_steps(one_start(1, "order-1")));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kUnknown);
  EXPECT_FALSE(must(session->outbox_row(1)));
  EXPECT_EQ(count("saga"), 0);
  EXPECT_TRUE(session->commit(one_start(1, "order-1")));
}

TEST_F(PostgresFailures, ASmallBatchWhoseAnswerIsLostIsOfUnknownOutcomeAndTookEffect) {
  CuttingProxy proxy{"127.0.0.1", std::stoi(pqxx::connection{TestDatabase::uri()}.port())};
  auto session = open(through(proxy));
  must(session->commit(one_start(1, "order-1")));
  proxy.cut_at("commit_small", CuttingProxy::Cut::kAfter);
  const auto result = session->commit(one_start(2, "order-2"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kUnknown);
  EXPECT_EQ(proxy.cuts(), 1);
  EXPECT_TRUE(must(session->outbox_row(2)));
  EXPECT_EQ(count("saga"), 2);
}

TEST_F(PostgresFailures, ASmallBatchThatNeverArrivedIsOfUnknownOutcomeAndTookNone) {
  CuttingProxy proxy{"127.0.0.1", std::stoi(pqxx::connection{TestDatabase::uri()}.port())};
  auto session = open(through(proxy));
  must(session->commit(one_start(1, "order-1")));
  proxy.cut_at("commit_small", CuttingProxy::Cut::kBefore);
  const auto result = session->commit(one_start(2, "order-2"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kUnknown);
  EXPECT_FALSE(must(session->outbox_row(2)));
  EXPECT_TRUE(session->commit(one_start(2, "order-2")));
}

TEST_F(PostgresFailures, FewSagasWithLargePayloadsAreNoSmallBatch) {
  CuttingProxy proxy{"127.0.0.1", std::stoi(pqxx::connection{TestDatabase::uri()}.port())};
  auto session = open(through(proxy));
  Batch large = one_start(1, "order-1");
  large.writes[0].messages[0].value = std::string(300'000, 'x');
  proxy.cut_at("COPY", CuttingProxy::Cut::kBefore);
  EXPECT_FALSE(session->commit(large));
  EXPECT_EQ(proxy.cuts(), 1);
  EXPECT_TRUE(session->commit(large));
  EXPECT_EQ(must(session->outbox_row(1))->messages[0].value->size(), 300'000U);
}

TEST_F(PostgresFailures, ACutInTheMiddleOfATransactionLeavesNothing) {
  CuttingProxy proxy{"127.0.0.1", std::stoi(pqxx::connection{TestDatabase::uri()}.port())};
  auto session = open(through(proxy));
  for (const auto cut : {CuttingProxy::Cut::kBefore, CuttingProxy::Cut::kAfter}) {
    proxy.cut_at("COPY", cut);
    const auto result = session->commit(in_steps(one_start(1, "order-1")));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
  }
  EXPECT_EQ(proxy.cuts(), 2);
  EXPECT_EQ(count("saga"), 0);
  EXPECT_TRUE(session->commit(one_start(1, "order-1")));
}

TEST_F(PostgresFailures, ARowLockedByAStoppedProcessBlocksForTheLockTimeoutOnly) {
  StoreOptions options = database_.options();
  options.lock_timeout = std::chrono::milliseconds{100};
  auto session = open(options);
  must(session->commit(one_start(1, "order-1")));
  pqxx::connection stopped{TestDatabase::uri()};
  pqxx::work holding{stopped};
  holding.exec("SELECT FROM " + database_.schema() + ".saga FOR UPDATE");
  const auto blocked = session->commit(one_update(1, 1));
  ASSERT_FALSE(blocked);
  EXPECT_EQ(blocked.error().kind, ErrorKind::kRetry);
  EXPECT_THAT(blocked.error().message, HasSubstr("55P03"));
  holding.abort();
  EXPECT_TRUE(session->commit(one_update(1, 1)));
}

TEST_F(PostgresFailures, AStatementThatTakesTooLongIsToBeRetried) {
  StoreOptions options = database_.options();
  options.statement_timeout = std::chrono::milliseconds{100};
  auto session = open(options);
  pqxx::connection other{TestDatabase::uri()};
  pqxx::work holding{other};
  holding.exec("LOCK TABLE " + database_.schema() + ".outbox");
  const auto slow = session->commit(one_start(1, "order-1"));
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().kind, ErrorKind::kRetry);
  holding.abort();
  EXPECT_TRUE(session->commit(one_start(1, "order-1")));
}

TEST_F(PostgresFailures, AProcessStoppedInATransactionLosesItAndItsLocks) {
  CuttingProxy proxy{"127.0.0.1", std::stoi(pqxx::connection{TestDatabase::uri()}.port())};
  StoreOptions options = through(proxy);
  options.idle_in_transaction_timeout = std::chrono::milliseconds{50};
  auto session = open(options);
  must(session->commit(one_start(1, "order-1")));
  proxy.cut_at("COPY", CuttingProxy::Cut::kHold);  // until the server has ended the transaction
  const auto ended = session->commit(in_steps(one_update(1, 1)));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::kUnavailable) << ended.error().message;
  EXPECT_THAT(must(session_->commit(one_update(1, 1))).lost, SizeIs(0));
  EXPECT_THAT(must(session->commit(one_update(1, 1))).lost, SizeIs(1));
}

TEST_F(PostgresFailures, AServerThatFallsSilentHoldsACallForItsLimitOnly) {
  CuttingProxy proxy{"127.0.0.1", std::stoi(pqxx::connection{TestDatabase::uri()}.port())};
  StoreOptions options = through(proxy);
  options.call_timeout = std::chrono::seconds{2};
  auto session = open(options);
  must(session->commit(one_start(1, "order-1")));
  proxy.cut_at("COPY", CuttingProxy::Cut::kHold);
  const auto silent = session->commit(in_steps(one_update(1, 1)));
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().kind, ErrorKind::kUnavailable) << silent.error().message;
  must(session->now());
  proxy.cut_at("COMMIT", CuttingProxy::Cut::kHold);
  const auto in_doubt =
      session->commit(in_steps(one_start(2, "order-2")));  // the server still holds the lock on the first
  ASSERT_FALSE(in_doubt);
  EXPECT_EQ(in_doubt.error().kind, ErrorKind::kUnknown) << in_doubt.error().message;
  must(session->now());
}

TEST_F(PostgresFailures, AReadOnlyServerIsAwayNotWrong) {
  StoreOptions options = database_.options();
  options.uri += (options.uri.find('?') == std::string::npos ? "?" : "&") +
                 std::string{"options=-cdefault_transaction_read_only%3Don&target_session_attrs=any"};
  auto session = open(options);
  const auto result = session->register_incarnation("host", "build");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(result.error().message, HasSubstr("25006"));
}

TEST_F(PostgresFailures, AServerThatIsNotThereIsUnavailable) {
  StoreOptions options = database_.options();
  options.uri = "postgresql://someone:topsecret@127.0.0.1:1/nowhere";
  const auto opened = PostgresStore{options}.open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::kUnavailable);
  EXPECT_THAT(opened.error().message, Not(HasSubstr("topsecret")));
}

TEST_F(PostgresFailures, ADatabaseOrARoleThatDoesNotExistIsRefused) {
  StoreOptions options = database_.options();
  pqxx::connection direct{TestDatabase::uri()};
  const std::string server = "host=127.0.0.1 port=" + std::string{direct.port()};
  for (const std::string& uri :
       {server + " password=topsecret user=" + direct.username() + " dbname=skald_absent",
        server + " password=topsecret user=skald_absent dbname=" + direct.dbname()}) {
    options.uri = uri;
    const auto opened = PostgresStore{options}.open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, ErrorKind::kRefused) << opened.error().message;
    EXPECT_THAT(opened.error().message, Not(HasSubstr("topsecret")));
  }
}

TEST_F(PostgresFailures, AnAddressThatCannotBeReadIsRefusedWithoutRepeatingIt) {
  StoreOptions options = database_.options();
  for (const std::string uri :
       {"postgresql//someone:topsecret@host/db", "passwort=topsecret", "host='topsecret"}) {
    options.uri = uri;
    const auto opened = PostgresStore{options}.open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().kind, ErrorKind::kRefused);
    EXPECT_THAT(opened.error().message, Not(HasSubstr("topsecret")));
  }
}

TEST_F(PostgresFailures, TablesThatDisappearAreRefusedAndFoundAgain) {
  must(session_->commit(one_start(1, "order-1")));
  database_.sql("ALTER TABLE outbox RENAME TO elsewhere");
  const auto result = session_->commit(one_start(2, "order-2"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kRefused);
  database_.sql("ALTER TABLE elsewhere RENAME TO outbox");
  EXPECT_TRUE(session_->commit(one_start(2, "order-2")));
}

TEST_F(PostgresFailures, ADamagedOutboxRowIsSetAsideAndStopsNobody) {
  const auto dead = must(session_->register_incarnation("host-a", "build"));
  for (SagaKey key = 1; key <= 3; ++key) {
    Batch batch = one_start(key, "order-" + std::to_string(key));
    batch.incarnation = dead;
    must(session_->commit(batch));
  }
  database_.sql("UPDATE outbox SET messages = substr(messages, 1, 9) WHERE outbox_id = 2");
  must(session_->retire_incarnation(dead));
  const auto heir = must(session_->register_incarnation("host-b", "build"));
  EXPECT_THAT(must(session_->adopt_outbox(heir, 10)), SizeIs(2));
  EXPECT_THAT(database_.sql("SELECT unreadable_reason FROM outbox WHERE outbox_id = 2"),
              HasSubstr("malformed"));
  must(session_->retire_incarnation(heir));
  const auto next = must(session_->register_incarnation("host-c", "build"));
  EXPECT_THAT(must(session_->adopt_outbox(next, 10)), SizeIs(2));
  EXPECT_EQ(must(session_->gauges()).outbox_pending, 3) << "it is counted until somebody has looked";
}

TEST_F(PostgresFailures, NamespacesOfOneSchemaDoNotSeeEachOther) {
  StoreOptions other_options = database_.options();
  other_options.namespace_name = "other";
  auto other = open(other_options);
  must(session_->commit(one_start(1, "order-1")));
  EXPECT_THAT(must(other->commit(one_start(2, "order-1"))).conflicts, SizeIs(0));
  EXPECT_THAT(must(other->list({})), SizeIs(1));
  const auto incarnation = must(other->register_incarnation("host", "build"));
  EXPECT_THAT(must(other->adopt_outbox(incarnation, 10)), SizeIs(1));
  EXPECT_EQ(must(session_->gauges()).outbox_pending, 1);
}

}  // namespace
}  // namespace skald::postgres
