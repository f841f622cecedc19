// Contract: the outbox and the incarnations by which orphans are told, positions, leases, lists and gauges.
#include <gmock/gmock.h>

#include "contract/store_contract.hpp"

namespace skald::contract {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_P(StoreContract, TheMessagesOfABatchAreOneOutboxRowUntilTheyAreDone) {
  Batch with_dead_letter = batch({start(1001, "order-1")});
  Message dead{"t-dlt", 3, std::nullopt, std::string("\0\xff", 2), {{"a", "1"}, {"a", "2"}}, ""};
  with_dead_letter.messages = {dead};
  const auto result = must(session_->commit(with_dead_letter));
  ASSERT_EQ(result.outbox_id, with_dead_letter.outbox_id);
  EXPECT_THAT(result.messages, ElementsAre(message("order-1-1"), dead));

  const auto row = must(session_->outbox_row(with_dead_letter.outbox_id));
  ASSERT_TRUE(row);
  EXPECT_EQ(row->messages, result.messages);
  EXPECT_EQ(must(session_->gauges()).outbox_pending, 1);
  EXPECT_TRUE(must(session_->gauges()).outbox_oldest);

  Batch done = batch({});
  done.outbox_done = {with_dead_letter.outbox_id};
  must(session_->commit(done));
  EXPECT_FALSE(must(session_->outbox_row(with_dead_letter.outbox_id)));
}

TEST_P(StoreContract, ABatchWithoutMessagesWritesNoOutboxRow) {
  SagaWrite quiet = start(1001, "order-1");
  quiet.messages.clear();
  Batch silent = batch({quiet});
  EXPECT_FALSE(must(session_->commit(silent)).outbox_id);
  EXPECT_FALSE(must(session_->outbox_row(silent.outbox_id)));
}

TEST_P(StoreContract, OutboxRowsOfALiveIncarnationAreNotAdopted) {
  must(session_->commit(batch({start(1001, "order-1")})));
  const auto other = must(session_->register_incarnation("host-b", "build-1"));
  EXPECT_NE(other, incarnation_);
  EXPECT_THAT(must(session_->adopt_outbox(other, 10)), IsEmpty());
}

TEST_P(StoreContract, OutboxRowsOfADeadIncarnationAreAdoptedOnceAndInFull) {
  must(session_->commit(batch({start(1001, "order-1")})));
  must(session_->commit(batch({start(1002, "order-2")})));
  harness_->let_time_pass(std::chrono::minutes{5});  // its heartbeat has expired
  const auto heir = must(session_->register_incarnation("host-b", "build-1"));
  const auto late = must(session_->register_incarnation("host-c", "build-1"));

  const auto first = must(session_->adopt_outbox(heir, 1));
  ASSERT_THAT(first, SizeIs(1));
  const auto second = must(session_->adopt_outbox(heir, 10));
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_NE(first[0].outbox_id, second[0].outbox_id);
  EXPECT_THAT(first[0].messages, SizeIs(1));
  EXPECT_THAT(must(session_->adopt_outbox(late, 10)), IsEmpty());

  const std::vector<std::int64_t> ids{first[0].outbox_id, second[0].outbox_id};
  must(session_->delete_outbox(ids));
  EXPECT_EQ(must(session_->gauges()).outbox_pending, 0);
}

TEST_P(StoreContract, OutboxRowsAreAdoptedAsFarAsThereIsRoomForTheirBytes) {
  for (SagaKey key = 1001; key <= 1004; ++key)
    must(session_->commit(batch({start(key, "order-" + std::to_string(key))})));
  must(session_->retire_incarnation(incarnation_));
  const auto heir = must(session_->register_incarnation("host-b", "build-1"));
  EXPECT_THAT(must(session_->adopt_outbox(heir, 10, false, 1)), SizeIs(1)) << "one at least";
  EXPECT_THAT(must(session_->adopt_outbox(heir, 10, false, 1 << 20)), SizeIs(3));
}

TEST_P(StoreContract, ARetiredIncarnationLeavesItsOutboxToOthers) {
  must(session_->commit(batch({start(1001, "order-1")})));
  const auto heir = must(session_->register_incarnation("host-b", "build-1"));
  must(session_->retire_incarnation(incarnation_));
  EXPECT_THAT(must(session_->adopt_outbox(heir, 10)), SizeIs(1));
}

TEST_P(StoreContract, AnExpiredIncarnationAdoptsNothingAndComesBackUnlessItWasBuried) {
  must(session_->commit(batch({start(1001, "order-1")})));
  EXPECT_TRUE(must(session_->heartbeat(incarnation_, seconds{20})));
  harness_->let_time_pass(seconds{21});
  EXPECT_THAT(must(session_->adopt_outbox(incarnation_, 10)), IsEmpty());
  must(session_->bury_incarnations(seconds{20}));
  EXPECT_THAT(must(session_->live_incarnations()), SizeIs(1)) << "not silent for long enough";
  EXPECT_TRUE(must(session_->heartbeat(incarnation_, seconds{20})));
  harness_->let_time_pass(seconds{41});
  must(session_->bury_incarnations(seconds{20}));
  EXPECT_FALSE(must(session_->heartbeat(incarnation_, seconds{20})));
  EXPECT_THAT(must(session_->live_incarnations()), IsEmpty());
}

TEST_P(StoreContract, WhoLostTheAnswerToAdoptingIsGivenItsOwnRowsAgain) {
  must(session_->commit(batch({start(1001, "order-1")})));
  const auto heir = must(session_->register_incarnation("host-b", "build-1"));
  must(session_->retire_incarnation(incarnation_));
  EXPECT_THAT(must(session_->adopt_outbox(heir, 10)), SizeIs(1));
  EXPECT_THAT(must(session_->adopt_outbox(heir, 10)), IsEmpty());
  EXPECT_THAT(must(session_->adopt_outbox(heir, 10, true)), SizeIs(1));
}

TEST_P(StoreContract, HeartbeatsKeepAnIncarnationAlive) {
  for (int beat = 0; beat < 4; ++beat) {
    EXPECT_TRUE(must(session_->heartbeat(incarnation_, seconds{20})));
    harness_->let_time_pass(seconds{15});
  }
  const auto live = must(session_->live_incarnations());
  ASSERT_THAT(live, SizeIs(1));
  EXPECT_EQ(live[0].incarnation, incarnation_);
  EXPECT_EQ(live[0].host, "host-a");
  EXPECT_EQ(live[0].build, "build-1");
}

TEST_P(StoreContract, PositionsOnlyGoForwardUnlessAnOperatorSaysSo) {
  const auto at = [](std::int64_t next, std::uint32_t checksum) {
    return Position{{"orders", 2}, next, next - 1, Time{milliseconds{1700000000123}}, checksum};
  };
  EXPECT_THAT(must(session_->positions("cluster-1")), IsEmpty());
  const std::vector<Position> first{at(10, 0xffffffff), {{"orders", 3}, 1, 0, {}, 7}};
  must(session_->save_positions("cluster-1", first));
  const std::vector<Position> older{at(9, 1)};
  must(session_->save_positions("cluster-1", older));
  auto stored = must(session_->positions("cluster-1"));
  ASSERT_THAT(stored, SizeIs(2));
  const Position& two = stored[0].partition.partition == 2 ? stored[0] : stored[1];
  EXPECT_EQ(two.partition, (TopicPartition{"orders", 2}));
  EXPECT_EQ(two.next_offset, 10);
  EXPECT_EQ(two.last_offset, 9);
  EXPECT_EQ(two.last_timestamp, Time{milliseconds{1700000000123}});
  EXPECT_EQ(two.last_checksum, 0xffffffff);
  EXPECT_THAT(must(session_->positions("cluster-2")), IsEmpty());

  EXPECT_EQ(session_->accept_position("cluster-1", at(4, 2), "", "why").error().kind, ErrorKind::kInvalid);
  must(session_->accept_position("cluster-1", at(4, 2), "ops", "topic was recreated"));
  stored = must(session_->positions("cluster-1"));
  const Position& accepted = stored[0].partition.partition == 2 ? stored[0] : stored[1];
  EXPECT_EQ(accepted.next_offset, 4);
}

TEST_P(StoreContract, APauseIsInForceUntilItIsEnded) {
  const Pause pause{PauseKind::definition, "PlaceOrder", "ann", "the provider is down", {}};
  EXPECT_TRUE(must(session_->pause(pause)));
  EXPECT_FALSE(must(session_->pause(pause))) << "it was paused";
  EXPECT_TRUE(must(session_->pause({PauseKind::step, "PlaceOrder", "ann", "as well", {}})));
  const auto pauses = must(open()->pauses());
  ASSERT_THAT(pauses, SizeIs(2));
  EXPECT_EQ(pauses[0].kind, PauseKind::definition);
  EXPECT_EQ(pauses[0].name, "PlaceOrder");
  EXPECT_EQ(pauses[0].who, "ann");
  EXPECT_EQ(pauses[0].why, "the provider is down");
  EXPECT_GT(pauses[0].since, Time{});
  EXPECT_TRUE(must(session_->resume(PauseKind::definition, "PlaceOrder", "ann", "it is back")));
  EXPECT_FALSE(must(session_->resume(PauseKind::definition, "PlaceOrder", "ann", "it is back")));
  EXPECT_THAT(must(session_->pauses()), SizeIs(1));
  EXPECT_TRUE(must(session_->pause(pause))) << "again";
  EXPECT_EQ(session_->pause({PauseKind::step, "x", "", "why", {}}).error().kind, ErrorKind::kInvalid);
}

TEST_P(StoreContract, ALeaseHasOneHolder) {
  const auto other = must(session_->register_incarnation("host-b", "build-1"));
  EXPECT_TRUE(must(session_->hold_lease("gauges", incarnation_, seconds{30})));
  EXPECT_FALSE(must(session_->hold_lease("gauges", other, seconds{30})));
  EXPECT_TRUE(must(session_->hold_lease("other", other, seconds{30})));
  EXPECT_TRUE(must(session_->hold_lease("gauges", incarnation_, seconds{30})));
  harness_->let_time_pass(seconds{31});
  EXPECT_TRUE(must(session_->hold_lease("gauges", other, seconds{30})));
  EXPECT_FALSE(must(session_->hold_lease("gauges", incarnation_, seconds{30})));
}

TEST_P(StoreContract, SagasAreListedByPageNewestOrOldestFirst) {
  SagaWrite other = start(1004, "cancel-4");
  other.address.definition = "CancelOrder";
  must(session_->commit(
      batch({start(1001, "order-1"), start(1002, "order-2"), start(1003, "order-3"), other})));
  must(session_->commit(batch({advance(1002, 1, SagaStatus::kCompleted)})));
  const auto keys = [&](const ListFilter& filter) {
    std::vector<SagaKey> found;
    for (const SagaRow& row : must(session_->list(filter))) found.push_back(row.key);
    return found;
  };
  EXPECT_THAT(keys({}), ElementsAre(1004, 1003, 1002, 1001));
  ListFilter page;
  page.definition = "PlaceOrder";
  page.maximum = 2;
  EXPECT_THAT(keys(page), ElementsAre(1003, 1002));
  page.page_from = 1002;
  EXPECT_THAT(keys(page), ElementsAre(1001));
  ListFilter oldest;
  oldest.oldest_first = true;
  oldest.maximum = 3;
  EXPECT_THAT(keys(oldest), ElementsAre(1001, 1002, 1003));
  oldest.page_from = 1003;
  EXPECT_THAT(keys(oldest), ElementsAre(1004));
  ListFilter ended;
  ended.status = SagaStatus::kCompleted;
  EXPECT_THAT(keys(ended), ElementsAre(1002));
  ListFilter open_only;
  open_only.open_only = true;
  EXPECT_THAT(keys(open_only), ElementsAre(1004, 1003, 1001));
  open_only.oldest_first = true;
  open_only.page_from = 1001;
  EXPECT_THAT(keys(open_only), ElementsAre(1003, 1004));
  ListFilter unheard;
  unheard.definition = "Unheard";
  EXPECT_THAT(keys(unheard), IsEmpty());
}

TEST_P(StoreContract, GaugesCountWhatIsOpenAndStuck) {
  EXPECT_THAT(must(session_->gauges()).open, IsEmpty());
  SagaWrite stuck = start(1003, "order-3");
  stuck.status = SagaStatus::kStuck;
  stuck.stuck_reason = "divergence";
  SagaWrite refused = advance(1005, 1, SagaStatus::kStuck);
  refused.stuck_reason = "compensation-refused";
  refused.stuck_step = "charge-card";
  must(session_->commit(batch({start(1001, "order-1"), start(1002, "order-2"), stuck, start(1004, "order-4"),
                               start(1005, "order-5")})));
  must(session_->commit(batch({advance(1002, 1, SagaStatus::kCompleted), refused})));
  const Gauges gauges = must(session_->gauges());
  std::int64_t running = 0;
  for (const auto& open : gauges.open)
    if (open.status == SagaStatus::kRunning) running += open.count;
  for (const auto& open : gauges.open) {
    EXPECT_LE(open.oldest, gauges.now);
    EXPECT_GT(open.oldest, gauges.now - std::chrono::minutes(10));
  }
  EXPECT_EQ(running, 2);
  ASSERT_THAT(gauges.stuck, SizeIs(2));
  EXPECT_EQ(gauges.stuck[0].definition, "PlaceOrder");
  EXPECT_EQ(gauges.stuck[0].reason, "divergence");
  EXPECT_EQ(gauges.stuck[0].step, "");
  EXPECT_EQ(gauges.stuck[0].count, 1);
  EXPECT_EQ(gauges.stuck[1].step, "charge-card");
  EXPECT_EQ(gauges.stuck[1].reason, "compensation-refused");
  EXPECT_EQ(gauges.stuck[1].count, 1);
}

}  // namespace skald::contract
