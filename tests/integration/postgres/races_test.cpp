// Several processes on one database: whatever they do at once, a saga is written once per sequence and claimed by one.
#include <gmock/gmock.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "contract/store_contract.hpp"
#include "test_database.hpp"

namespace skald::postgres {
namespace {

using contract::must;

constexpr int kProcesses = 4;

class Races : public testing::Test {
 protected:
  std::unique_ptr<Session> open() { return must(PostgresStore{database_.options()}.open()); }

  void at_once(const std::function<void(int, Session&)>& work) {
    std::vector<std::thread> threads;
    for (int process = 0; process < kProcesses; ++process) {
      threads.emplace_back([&, process] {
        auto session = open();
        ASSERT_NE(session, nullptr);
        work(process, *session);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  static SagaWrite write(SagaKey key, std::int64_t judged_at, const std::string& saga_id) {
    SagaWrite made;
    made.key = key;
    made.judged_at = judged_at;
    made.sequence = judged_at + 1;
    made.history = {{made.sequence, "[]"}};
    made.messages = {{"commands", std::nullopt, saga_id, "{}", {}, saga_id}};
    if (judged_at == 0) made.address = {"PlaceOrder", saga_id};
    made.revision = 1;
    return made;
  }

  TestDatabase database_;
};

TEST_F(Races, TheSameStartsFromSeveralProcessesMakeEachSagaOnce) {
  constexpr int kSagas = 200;
  std::atomic<int> won{0}, refused{0};
  at_once([&](int process, Session& session) {
    for (int round = 0; round < kSagas / 20; ++round) {
      Batch batch;
      batch.outbox_id = process * 1000 + round;
      for (int index = 0; index < 20; ++index) {
        // Each process meets the ids in an order of its own.
        const int saga = process % 2 == 0 ? round * 20 + index : round * 20 + 19 - index;
        batch.writes.push_back(
            write(process * 100'000 + round * 20 + index + 1, 0, "order-" + std::to_string(saga)));
      }
      const auto result = must(session.commit(batch));
      refused += static_cast<int>(result.conflicts.size());
      won += static_cast<int>(20 - result.conflicts.size() - result.lost.size());
    }
  });
  EXPECT_EQ(won, kSagas);
  EXPECT_EQ(refused, kSagas * (kProcesses - 1));
  EXPECT_EQ(database_.sql("SELECT count(*) FROM saga"), std::to_string(kSagas));
  EXPECT_EQ(database_.sql("SELECT count(*) FROM history"), std::to_string(kSagas));
}

TEST_F(Races, EachSequenceOfASagaIsWrittenByOneProcess) {
  constexpr int kSagas = 20;
  constexpr int kSequences = 15;
  auto first = open();
  Batch starts;
  starts.outbox_id = 1;
  for (int saga = 1; saga <= kSagas; ++saga)
    starts.writes.push_back(write(saga, 0, "order-" + std::to_string(saga)));
  must(first->commit(starts));

  std::atomic<int> wins{0};
  at_once([&](int process, Session& session) {
    std::int64_t outbox_id = 1000 * (process + 1);
    for (std::int64_t judged_at = 1; judged_at < kSequences; ++judged_at) {
      Batch batch;
      batch.outbox_id = ++outbox_id;
      for (int saga = 1; saga <= kSagas; ++saga) batch.writes.push_back(write(saga, judged_at, ""));
      const auto result = must(session.commit(batch));
      wins += kSagas - static_cast<int>(result.lost.size());
      EXPECT_EQ(result.messages.size() + result.lost.size(), static_cast<std::size_t>(kSagas));
    }
  });
  EXPECT_EQ(wins, kSagas * (kSequences - 1));
  EXPECT_EQ(database_.sql(
                "SELECT count(*) FROM (SELECT saga_key FROM history GROUP BY saga_key HAVING count(*) = 15 "
                "AND min(sequence) = 1 AND max(sequence) = 15) AS whole"),
            std::to_string(kSagas));
}

TEST_F(Races, DueSagasOrphansAndParkedInputsAreEachHandedToOne) {
  auto first = open();
  const auto dead = must(first->register_incarnation("host", "build"));
  constexpr int kRows = 100;
  for (int row = 1; row <= kRows; ++row) {
    Batch batch;
    batch.incarnation = dead;
    batch.outbox_id = row;
    batch.writes = {write(row, 0, "order-" + std::to_string(row))};
    batch.park = {{row, {"PlaceOrder", "order-" + std::to_string(row)}, 0, ParkReason::kNoSaga, "x", {}}};
    must(first->commit(batch));
  }
  must(first->retire_incarnation(dead));
  std::mutex mutex;
  std::multiset<std::int64_t> due, adopted, parked;
  at_once([&](int, Session& session) {
    const auto incarnation = must(session.register_incarnation("host", "build"));
    ClaimSpec spec;
    spec.maximum = 9;
    spec.revisions = {{"PlaceOrder", 1}};
    spec.owned_partitions = {0};
    spec.lease = std::chrono::minutes{5};
    for (int round = 0; round < kRows; ++round) {
      const auto claimed = must(session.claim_due(spec));
      const auto rows = must(session.adopt_outbox(incarnation, 9));
      const auto inputs = must(session.claim_parked(spec));
      const std::lock_guard lock{mutex};
      for (const DueSaga& saga : claimed.sagas) due.insert(saga.key);
      for (const OutboxRow& row : rows) adopted.insert(row.outbox_id);
      for (const ParkedInput& input : inputs) parked.insert(input.parked_id);
    }
  });
  for (const auto* all : {&due, &adopted, &parked}) {
    EXPECT_EQ(all->size(), static_cast<std::size_t>(kRows));
    EXPECT_EQ(std::set<std::int64_t>(all->begin(), all->end()).size(), static_cast<std::size_t>(kRows));
  }
}

}  // namespace
}  // namespace skald::postgres
