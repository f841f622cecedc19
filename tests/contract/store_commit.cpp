// Contract: what a batch does. One write wins a saga, everything else of the batch follows the winners, and data that
// cannot be stored is refused without a trace.
#include <gmock/gmock.h>

#include "contract/store_contract.hpp"

namespace skald::contract {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

namespace {
std::vector<std::string> values(const std::vector<Message>& messages) {
  std::vector<std::string> found;
  for (const Message& message : messages) found.push_back(message.value.value_or("(null)"));
  return found;
}
}  // namespace

TEST_P(StoreContract, AStartedSagaIsLoadedAsItWasWritten) {
  const Time wake_at = must(session_->now()) + std::chrono::minutes{5};
  const auto result = must(session_->commit(batch({start(1001, "order-1", wake_at)})));
  EXPECT_THAT(result.lost, IsEmpty());
  EXPECT_THAT(result.conflicts, IsEmpty());

  const SagaRow row = row_of("order-1");
  EXPECT_EQ(row.key, 1001);
  EXPECT_EQ(row.address, (SagaAddress{"PlaceOrder", "order-1"}));
  EXPECT_EQ(row.revision, 3);
  EXPECT_EQ(row.route, 4);
  EXPECT_EQ(row.sequence, 1);
  EXPECT_EQ(row.status, SagaStatus::kRunning);
  EXPECT_EQ(row.wake_at, wake_at);
  EXPECT_EQ(row.input_hash, 0xfedcba9876543210);
  EXPECT_LE(row.started_at, result.now + std::chrono::seconds{1});
  EXPECT_FALSE(row.ended_at);
  EXPECT_EQ(row.stuck_reason, "");
  ASSERT_THAT(history_of("order-1"), SizeIs(1));
  EXPECT_EQ(history_of("order-1")[0].events, "[{\"started\":\"order-1\"}]");
}

TEST_P(StoreContract, UnknownSagasAreLeftOutOfALoad) {
  must(session_->commit(batch({start(1001, "order-1")})));
  const std::vector<SagaAddress> addresses{
      {"PlaceOrder", "order-2"}, {"PlaceOrder", "order-1"}, {"Unheard", "order-1"}};
  EXPECT_THAT(must(session_->load(addresses)), SizeIs(1));
}

TEST_P(StoreContract, ALoadGivesTheLastRunUnlessItIsAskedForAll) {
  must(session_->commit(batch({start(1001, "order-1")})));
  must(session_->commit(batch({advance(1001, 1, SagaStatus::kRunning, kNever)})));
  EXPECT_EQ(row_of("order-1").run_from, 1);
  SagaWrite next_run = advance(1001, 2, SagaStatus::kRunning, kNever);
  next_run.run_from = 3;
  must(session_->commit(batch({next_run})));
  SagaWrite later = advance(1001, 3, SagaStatus::kRunning, kNever);
  later.run_from = 3;
  must(session_->commit(batch({later})));
  EXPECT_EQ(row_of("order-1").run_from, 3);
  const auto last = history_of("order-1");
  ASSERT_THAT(last, SizeIs(2));
  EXPECT_EQ(last.front().sequence, 3);
  const std::vector<SagaAddress> addresses{{"PlaceOrder", "order-1"}, {"PlaceOrder", "order-2"}};
  must(session_->commit(batch({start(1002, "order-2")})));
  for (const auto& saga : must(session_->load(addresses, Session::kNoLimit, Runs::kAll)))
    EXPECT_THAT(saga.history, SizeIs(saga.row.sequence));
  for (const auto& saga : must(session_->load(addresses, 100'000)))  // with a limit it is another statement
    EXPECT_EQ(saga.history.front().sequence, saga.row.run_from);
}

TEST_P(StoreContract, ACompletedSagaMayBeRolledBack) {
  must(session_->commit(batch({start(1001, "order-1")})));
  must(session_->commit(batch({advance(1001, 1, SagaStatus::kCompleted, kNever)})));
  EXPECT_TRUE(row_of("order-1").ended_at);
  must(session_->commit(batch({advance(1001, 2, SagaStatus::kRollingBack, kNever)})));
  const SagaRow open = row_of("order-1");
  EXPECT_EQ(open.status, SagaStatus::kRollingBack);
  EXPECT_FALSE(open.ended_at);
  ListFilter filter;
  filter.open_only = true;
  EXPECT_THAT(must(session_->list(filter)), SizeIs(1));
  must(session_->commit(batch({advance(1001, 3, SagaStatus::kCompensated, kNever)})));
  EXPECT_TRUE(row_of("order-1").ended_at);
  EXPECT_THAT(must(session_->list(filter)), SizeIs(0));
}

TEST_P(StoreContract, AMessageMayGoOutWithAnEndedSaga) {
  must(session_->commit(batch({start(1001, "order-1")})));
  must(session_->commit(batch({advance(1001, 1, SagaStatus::kCompleted, kNever)})));
  SagaWrite answer = advance(1001, 2, SagaStatus::kCompleted, kNever);
  answer.sequence = 2;
  answer.history.clear();
  const auto result = must(session_->commit(batch({answer})));
  EXPECT_THAT(result.lost, IsEmpty());
  EXPECT_THAT(result.messages, SizeIs(1));
  EXPECT_EQ(row_of("order-1").sequence, 2);
  EXPECT_TRUE(row_of("order-1").ended_at);
}

TEST_P(StoreContract, ALoadWithALimitLeavesHistoriesOutOnceItIsReached) {
  const std::string events = "[\"" + std::string(1'000, 'x') + "\"]";
  for (SagaKey key = 1001; key <= 1004; ++key) {
    SagaWrite write = start(key, "order-" + std::to_string(key));
    write.history = {{1, events}};
    must(session_->commit(batch({write})));
  }
  const std::vector<SagaAddress> addresses{{"PlaceOrder", "order-1001"},
                                           {"PlaceOrder", "order-1002"},
                                           {"PlaceOrder", "order-1003"},
                                           {"PlaceOrder", "order-1004"},
                                           {"PlaceOrder", "order-1005"}};
  const auto whole_of = [&](std::size_t maximum_bytes) {
    const auto sagas = must(session_->load(addresses, maximum_bytes));
    EXPECT_THAT(sagas, SizeIs(4)) << "rows come all the same";
    return std::count_if(sagas.begin(), sagas.end(), [](const StoredSaga& saga) {
      EXPECT_EQ(saga.left_out, saga.history.empty());
      return !saga.left_out;
    });
  };
  EXPECT_EQ(whole_of(1), 1);
  EXPECT_EQ(whole_of(1'500), 2);
  EXPECT_EQ(whole_of(100'000), 4);
}

TEST_P(StoreContract, ATransitionMovesTheSagaAndAppendsItsHistory) {
  must(session_->commit(batch({start(1001, "order-1")})));
  must(session_->commit(batch({advance(1001, 1, SagaStatus::kRollingBack)})));
  const SagaRow row = row_of("order-1");
  EXPECT_EQ(row.sequence, 2);
  EXPECT_EQ(row.status, SagaStatus::kRollingBack);
  EXPECT_EQ(row.wake_at, kNever);
  ASSERT_THAT(history_of("order-1"), SizeIs(2));
  EXPECT_EQ(history_of("order-1")[1].sequence, 2);
}

TEST_P(StoreContract, SeveralTransitionsOfOneSagaGoDownTogether) {
  SagaWrite write = start(1001, "order-1");
  write.sequence = 3;
  write.status = SagaStatus::kCompleted;
  write.history = {{1, "[1]"}, {2, "[2]"}, {3, "[3]"}};
  must(session_->commit(batch({write})));
  const SagaRow row = row_of("order-1");
  EXPECT_EQ(row.sequence, 3);
  EXPECT_TRUE(row.ended_at);
  EXPECT_THAT(history_of("order-1"), SizeIs(3));
}

TEST_P(StoreContract, AWriteJudgedAtAnOldSequenceChangesNothing) {
  must(session_->commit(batch({start(1001, "order-1"), start(1002, "order-2")})));
  must(session_->commit(batch({advance(1001, 1)})));

  const auto result =
      must(session_->commit(batch({advance(1001, 1, SagaStatus::kCompleted), advance(1002, 1)})));
  EXPECT_THAT(result.lost, ElementsAre(1001));
  EXPECT_THAT(values(result.messages), ElementsAre("1002-2"));
  EXPECT_EQ(row_of("order-1").sequence, 2);
  EXPECT_EQ(row_of("order-1").status, SagaStatus::kRunning);
  EXPECT_EQ(row_of("order-2").sequence, 2);
  EXPECT_THAT(history_of("order-1"), SizeIs(2));
}

TEST_P(StoreContract, AWriteToASagaThatDoesNotExistIsLost) {
  const auto result = must(session_->commit(batch({advance(77, 1)})));
  EXPECT_THAT(result.lost, ElementsAre(77));
  EXPECT_FALSE(result.outbox_id);
}

TEST_P(StoreContract, AStartWhoseAddressIsTakenIsAConflictThatNamesTheExistingSaga) {
  must(session_->commit(batch({start(1001, "order-1")})));
  must(session_->commit(batch({advance(1001, 1)})));
  const auto result = must(session_->commit(batch({start(2001, "order-1"), start(2002, "order-2")})));
  EXPECT_THAT(result.lost, IsEmpty());
  ASSERT_THAT(result.conflicts, SizeIs(1));
  EXPECT_EQ(result.conflicts[0].key, 2001);
  EXPECT_EQ(result.conflicts[0].existing.key, 1001);
  EXPECT_EQ(result.conflicts[0].existing.sequence, 2);
  EXPECT_EQ(result.conflicts[0].existing.input_hash, 0xfedcba9876543210);
  EXPECT_THAT(values(result.messages), ElementsAre("order-2-1"));
  EXPECT_THAT(history_of("order-1"), SizeIs(2));
}

TEST_P(StoreContract, TheSameStartAgainIsAConflictWithItself) {
  must(session_->commit(batch({start(1001, "order-1")})));
  const auto result = must(session_->commit(batch({start(1001, "order-1")})));
  ASSERT_THAT(result.conflicts, SizeIs(1));
  EXPECT_EQ(result.conflicts[0].existing.key, 1001);
  EXPECT_THAT(history_of("order-1"), SizeIs(1));
}

TEST_P(StoreContract, AStartWhoseKeyIsTakenByAnotherSagaIsLost) {
  must(session_->commit(batch({start(1001, "order-1")})));
  const auto result = must(session_->commit(batch({start(1001, "order-2")})));
  EXPECT_THAT(result.lost, ElementsAre(1001));
  EXPECT_THAT(result.conflicts, IsEmpty());
  EXPECT_EQ(row_of("order-1").sequence, 1);
}

TEST_P(StoreContract, OneIdMayNameSagasOfTwoDefinitions) {
  SagaWrite other = start(1002, "order-1");
  other.address.definition = "CancelOrder";
  const auto result = must(session_->commit(batch({start(1001, "order-1"), other})));
  EXPECT_THAT(result.conflicts, IsEmpty());
  EXPECT_EQ(row_of("order-1").key, 1001);
}

TEST_P(StoreContract, AFenceHoldsOnlyWhereTheSagaStillStands) {
  must(session_->commit(batch({start(1001, "order-1"), start(1002, "order-2"), start(1003, "order-3")})));
  must(session_->commit(batch({advance(1002, 1)})));
  Batch fenced = batch({advance(1003, 1)});
  fenced.fences = {{1001, 1}, {1002, 1}, {1003, 2}, {9999, 1}};
  EXPECT_THAT(must(session_->commit(fenced)).lost, UnorderedElementsAre(1002, 9999));
}

TEST_P(StoreContract, AWriteAtTheSameSequenceOnlyMovesTheWakeUp) {
  const Time now = must(session_->now());
  must(session_->commit(batch({start(1001, "order-1", now)})));
  SagaWrite write = advance(1001, 1, SagaStatus::kCompleted, now + std::chrono::hours{1});
  write.sequence = 1;
  write.history.clear();
  write.messages.clear();
  EXPECT_THAT(must(session_->commit(batch({write}))).lost, IsEmpty());
  const SagaRow row = row_of("order-1");
  EXPECT_EQ(row.wake_at, now + std::chrono::hours{1});
  EXPECT_EQ(row.status, SagaStatus::kRunning);
  EXPECT_FALSE(row.ended_at);
}

TEST_P(StoreContract, AnEndedSagaHasAnEndAndNoWakeUp) {
  const Time now = must(session_->now());
  must(session_->commit(batch({start(1001, "order-1", now)})));
  must(session_->commit(batch({advance(1001, 1, SagaStatus::kCompensated, now)})));
  const SagaRow row = row_of("order-1");
  EXPECT_EQ(row.status, SagaStatus::kCompensated);
  EXPECT_EQ(row.wake_at, kNever);
  ASSERT_TRUE(row.ended_at);
  EXPECT_GE(*row.ended_at, row.started_at);
  EXPECT_THAT(must(session_->claim_due(everything())).sagas, IsEmpty());
}

TEST_P(StoreContract, AStuckSagaHasItsReasonAndStepUntilItMoves) {
  must(session_->commit(batch({start(1001, "order-1")})));
  SagaWrite stuck = advance(1001, 1, SagaStatus::kStuck);
  stuck.stuck_reason = "compensation-refused";
  stuck.stuck_step = "charge-card";
  must(session_->commit(batch({stuck})));
  EXPECT_EQ(row_of("order-1").stuck_reason, "compensation-refused");
  EXPECT_EQ(row_of("order-1").stuck_step, "charge-card");
  SagaWrite wake = advance(1001, 2, SagaStatus::kStuck);
  wake.sequence = 2;
  wake.history.clear();
  must(session_->commit(batch({wake})));
  EXPECT_EQ(row_of("order-1").stuck_step, "charge-card") << "a wake-up that moves";
  must(session_->commit(batch({advance(1001, 2)})));
  EXPECT_EQ(row_of("order-1").stuck_reason, "");
  EXPECT_EQ(row_of("order-1").stuck_step, "");
  EXPECT_EQ(row_of("order-1").status, SagaStatus::kRunning);
}

TEST_P(StoreContract, TextComesBackByteForByte) {
  SagaWrite write = start(1001, "o'rder \"1\", \\{}\t\n");
  std::string events;
  for (char byte = 1; byte < 127; ++byte) events.push_back(byte);
  events += "\x7f\\N\\.\\x41 \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80";
  write.history = {{1, events}};
  must(session_->commit(batch({write})));
  const auto history = history_of(write.address.saga_id);
  ASSERT_THAT(history, SizeIs(1));
  EXPECT_EQ(history[0].events, events);
}

TEST_P(StoreContract, TextThatCannotBeStoredIsRefusedAndLeavesNothing) {
  for (const std::string& bad : {std::string("a\0b", 3), std::string("\xff"), std::string("\xed\xa0\x80"),
                                 std::string("\xc0\xaf"), std::string("cut \xe2\x82")}) {
    SagaWrite write = start(1002, "order-2");
    write.history[0].events = bad;
    const auto result = session_->commit(batch({start(1001, "order-1"), write}));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::kInvalid);
  }
  SagaWrite unnamed = start(1002, "");
  EXPECT_EQ(session_->commit(batch({unnamed})).error().kind, ErrorKind::kInvalid);
  SagaWrite long_name = start(1002, std::string(256, 'x'));
  EXPECT_EQ(session_->commit(batch({long_name})).error().kind, ErrorKind::kInvalid);
  const std::vector<SagaAddress> addresses{{"PlaceOrder", "order-1"}, {"PlaceOrder", "order-2"}};
  EXPECT_THAT(must(session_->load(addresses)), IsEmpty());
}

TEST_P(StoreContract, ABatchOfWrongFormIsRefused) {
  EXPECT_EQ(session_->commit(batch({start(2, "a"), start(1, "b")})).error().kind, ErrorKind::kInvalid);
  SagaWrite gap = advance(1, 1);
  gap.history[0].sequence = 3;
  EXPECT_EQ(session_->commit(batch({gap})).error().kind, ErrorKind::kInvalid);
  SagaWrite backwards = advance(1, 5);
  backwards.sequence = 4;
  EXPECT_EQ(session_->commit(batch({backwards})).error().kind, ErrorKind::kInvalid);
}

TEST_P(StoreContract, AnEmptyBatchAnswersTheTime) {
  const auto result = must(session_->commit(Batch{}));
  EXPECT_GE(result.now, must(session_->now()) - std::chrono::minutes{1});
  EXPECT_FALSE(result.outbox_id);
}

TEST_P(StoreContract, ManySagasOfOneBatchAllWin) {
  std::vector<SagaWrite> starts;
  for (SagaKey key = 1; key <= 700; ++key) starts.push_back(start(key, "order-" + std::to_string(key)));
  auto result = must(session_->commit(batch(starts)));
  EXPECT_THAT(result.lost, IsEmpty());
  EXPECT_THAT(result.messages, SizeIs(700));
  std::vector<SagaWrite> ends;
  for (SagaKey key = 1; key <= 700; ++key) ends.push_back(advance(key, 1, SagaStatus::kCompleted));
  EXPECT_THAT(must(session_->commit(batch(ends))).lost, IsEmpty());
  EXPECT_EQ(row_of("order-700").status, SagaStatus::kCompleted);
}

TEST_P(StoreContract, OfTwoSessionsThatJudgedTheSameSequenceOneWins) {
  must(session_->commit(batch({start(1001, "order-1")})));
  auto other = open();
  const auto first = must(session_->commit(batch({advance(1001, 1)})));
  const auto second = must(other->commit(batch({advance(1001, 1)})));
  EXPECT_EQ(first.lost.size() + second.lost.size(), 1u);
  EXPECT_THAT(history_of("order-1"), SizeIs(2));
}

}  // namespace skald::contract
