// Contract: due sagas. Who may claim one, when, and for how long nobody else gets it.
#include <gmock/gmock.h>

#include "contract/store_contract.hpp"

namespace skald::contract {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::IsEmpty;
using testing::SizeIs;

TEST_P(StoreContract, ASagaIsClaimedWhenItsTimeHasComeAndNotBefore) {
  const Time wake_at = must(session_->now()) + minutes{10};
  must(session_->commit(batch({start(1001, "order-1", wake_at), start(1002, "order-2")})));

  const auto early = must(session_->claim_due(everything()));
  EXPECT_THAT(early.sagas, IsEmpty());
  ASSERT_TRUE(early.next_due);
  EXPECT_LE(*early.next_due, wake_at);
  EXPECT_GT(*early.next_due, early.now);

  harness_->let_time_pass(minutes{10} + seconds{1});
  const auto claimed = must(session_->claim_due(everything()));
  ASSERT_THAT(claimed.sagas, SizeIs(1));
  EXPECT_EQ(claimed.sagas[0].key, 1001);
  EXPECT_EQ(claimed.sagas[0].address.saga_id, "order-1");
  EXPECT_EQ(claimed.sagas[0].revision, 3);
  EXPECT_LE(claimed.sagas[0].wake_at, claimed.now);
}

TEST_P(StoreContract, AClaimedSagaIsNobodyElsesUntilItsLeaseHasPassed) {
  must(session_->commit(batch({start(1001, "order-1", must(session_->now()))})));
  auto other = open();
  EXPECT_THAT(must(session_->claim_due(everything())).sagas, SizeIs(1));
  const auto second = must(other->claim_due(everything()));
  EXPECT_THAT(second.sagas, IsEmpty());
  EXPECT_TRUE(second.next_due) << "or nobody would look when the lease has passed";
  harness_->let_time_pass(milliseconds{5001});
  EXPECT_THAT(must(other->claim_due(everything())).sagas, SizeIs(1));
}

TEST_P(StoreContract, AClaimOfADeadProcessIsVoid) {
  must(session_->commit(batch({start(1001, "order-1", must(session_->now()))})));
  ClaimSpec mine = everything();
  mine.incarnation = incarnation_;
  ClaimSpec others = everything();
  others.incarnation = must(session_->register_incarnation("host-b", "build-1"));
  EXPECT_TRUE(must(session_->heartbeat(incarnation_, std::chrono::seconds{20})));
  EXPECT_THAT(must(session_->claim_due(mine)).sagas, SizeIs(1));
  EXPECT_THAT(must(session_->claim_due(others)).sagas, IsEmpty());
  must(session_->retire_incarnation(incarnation_));
  EXPECT_THAT(must(session_->claim_due(others)).sagas, SizeIs(1));
  EXPECT_THAT(must(session_->claim_due(everything())).sagas, IsEmpty()) << "its heir lives";
}

TEST_P(StoreContract, AWriteReleasesTheClaim) {
  const Time now = must(session_->now());
  must(session_->commit(batch({start(1001, "order-1", now)})));
  EXPECT_THAT(must(session_->claim_due(everything())).sagas, SizeIs(1));
  must(session_->commit(batch({advance(1001, 1, SagaStatus::kRunning, now)})));
  EXPECT_THAT(must(session_->claim_due(everything())).sagas, SizeIs(1));
}

TEST_P(StoreContract, OnlyRevisionsTheProcessHasCodeForAreClaimed) {
  const Time now = must(session_->now());
  SagaWrite newer = start(1001, "order-1", now);
  newer.revision = 4;
  SagaWrite other = start(1002, "order-2", now);
  other.address.definition = "CancelOrder";
  must(session_->commit(batch({newer, other, start(1003, "order-3", now)})));
  const auto claimed = must(session_->claim_due(everything()));
  ASSERT_THAT(claimed.sagas, SizeIs(1));
  EXPECT_EQ(claimed.sagas[0].key, 1003);
  EXPECT_THAT(must(session_->claim_due(ClaimSpec{})).sagas, IsEmpty());
}

TEST_P(StoreContract, ASagaWhoseInputsWaitedForCodeOrAPauseIsNotClaimedBeforeThem) {
  const Time now = must(session_->now());
  must(session_->commit(
      batch({start(1001, "order-1", now), start(1002, "order-2", now), start(1003, "order-3", now)})));
  Batch parking = batch({});
  parking.park = {{11, {"PlaceOrder", "order-1"}, 3, ParkReason::kNoCode, "reply", {}},
                  {12, {"PlaceOrder", "order-2"}, 3, ParkReason::kPaused, "reply", {}},
                  {13, {"Other", "order-3"}, 3, ParkReason::kPaused, "reply", {}},
                  {14, {"PlaceOrder", "order-3"}, 3, ParkReason::kOrdered, "signal", {}}};
  must(session_->commit(parking));
  const auto claimed = must(session_->claim_due(everything()));
  ASSERT_THAT(claimed.sagas, SizeIs(1));
  EXPECT_EQ(claimed.sagas[0].key, 1003);
  Batch applied = batch({});
  applied.parked_done = {11, 12};
  must(session_->commit(applied));
  EXPECT_THAT(must(session_->claim_due(everything())).sagas, SizeIs(2));
}

TEST_P(StoreContract, TheOwnerOfTheReplyPartitionGoesFirst) {
  must(session_->commit(batch({start(1001, "order-1", must(session_->now()))})));  // route 4
  ClaimSpec stranger = everything();
  stranger.reply_partitions = 8;
  stranger.owned_partitions = {0, 1};
  ClaimSpec owner = stranger;
  owner.owned_partitions = {4};
  const auto early = must(session_->claim_due(stranger));
  EXPECT_THAT(early.sagas, IsEmpty());
  EXPECT_TRUE(early.next_due) << "the grace ends some time";
  EXPECT_THAT(must(session_->claim_due(owner)).sagas, SizeIs(1));
  harness_->let_time_pass(milliseconds{10002});
  EXPECT_THAT(must(session_->claim_due(stranger)).sagas, SizeIs(1));
}

TEST_P(StoreContract, AClaimTakesAtMostSoManyOldestFirst) {
  const Time now = must(session_->now());
  std::vector<SagaWrite> starts;
  for (int index = 0; index < 10; ++index)
    starts.push_back(start(1001 + index, "order-" + std::to_string(index), now - seconds{index}));
  must(session_->commit(batch(starts)));
  ClaimSpec spec = everything();
  spec.maximum = 4;
  const auto first = must(session_->claim_due(spec));
  ASSERT_THAT(first.sagas, SizeIs(4));
  for (const DueSaga& saga : first.sagas) EXPECT_GE(saga.key, 1007);
  ASSERT_TRUE(first.next_due);
  EXPECT_LE(*first.next_due, first.now) << "more of them are due now";
  EXPECT_THAT(must(session_->claim_due(spec)).sagas, SizeIs(4));
  EXPECT_THAT(must(session_->claim_due(spec)).sagas, SizeIs(2));
}

TEST_P(StoreContract, TimeDoesNotGoBack) {
  const Time first = must(session_->now());
  const Time second = must(session_->commit(Batch{})).now;
  EXPECT_GE(second, first);
}

TEST_P(StoreContract, ParkedInputsComeInOrderAndByRevision) {
  Batch parking = batch({});
  for (const auto& [id, saga, revision] : std::vector<std::tuple<int, std::string, int>>{
           {13, "a", 0}, {11, "a", 3}, {12, "b", 4}, {14, "b", 3}, {15, "c", 3}}) {
    parking.park.push_back(
        {id, {"PlaceOrder", saga}, revision, ParkReason::kNoCode, std::string("\0\xff", 2), {}});
  }
  must(session_->commit(parking));

  const auto claimed = must(session_->claim_parked(everything()));
  ASSERT_THAT(claimed, SizeIs(3));  // not 12: revision 4; not 14: it waits behind 12
  EXPECT_EQ(claimed[0].parked_id, 11);
  EXPECT_EQ(claimed[1].parked_id, 13);
  EXPECT_EQ(claimed[2].parked_id, 15);
  EXPECT_EQ(claimed[0].input, std::string("\0\xff", 2));
  EXPECT_EQ(claimed[0].reason, ParkReason::kNoCode);
  EXPECT_GT(claimed[0].parked_at, Time{});
  EXPECT_THAT(must(open()->claim_parked(everything())), IsEmpty());
  harness_->let_time_pass(milliseconds{5001});
  EXPECT_THAT(must(session_->claim_parked(everything())), SizeIs(3));
}

TEST_P(StoreContract, ParkedInputsOfASagaAreThereWhoeverHasClaimedThem) {
  Batch parking = batch({});
  for (int id = 14; id >= 11; --id)
    parking.park.push_back({id, {"PlaceOrder", id == 13 ? "b" : "a"}, 3, ParkReason::kNoSaga, "x", {}});
  must(session_->commit(parking));
  EXPECT_THAT(must(session_->claim_parked(everything())), SizeIs(4));
  const std::vector<SagaAddress> asked{{"PlaceOrder", "a"}, {"Other", "b"}};
  const auto found = must(open()->parked_of(asked, 2));
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].parked_id, 11);
  EXPECT_EQ(found[1].parked_id, 12);
  EXPECT_THAT(must(session_->parked_of(asked, 10)), SizeIs(3));
}

TEST_P(StoreContract, ParkedInputsComeAsFarAsThereIsRoomForTheirBytes) {
  Batch parking = batch({});
  for (int id = 11; id <= 14; ++id)
    parking.park.push_back({id, {"PlaceOrder", "a"}, 3, ParkReason::kNoCode, std::string(1'000, 'x'), {}});
  must(session_->commit(parking));
  ClaimSpec some = everything();
  some.maximum_bytes = 1'500;
  const auto first = must(session_->claim_parked(some));
  ASSERT_THAT(first, SizeIs(2));
  EXPECT_EQ(first[0].parked_id, 11);
  EXPECT_EQ(first[1].parked_id, 12);
}

TEST_P(StoreContract, ParkingAgainIsNoErrorAndAnAppliedInputIsGone) {
  Batch parking = batch({});
  parking.park = {{11, {"PlaceOrder", "a"}, 0, ParkReason::kNoSaga, "input", {}}};
  must(session_->commit(parking));
  parking.park[0].reason = ParkReason::kNoCode;
  parking.park[0].revision = 3;
  must(session_->commit(parking));
  const auto claimed = must(session_->claim_parked(everything()));
  ASSERT_THAT(claimed, SizeIs(1));
  EXPECT_EQ(claimed[0].reason, ParkReason::kNoCode);
  EXPECT_EQ(claimed[0].revision, 3);
  EXPECT_EQ(must(session_->gauges()).parked, 1);

  Batch applied = batch({start(1001, "a")});
  applied.parked_done = {11};
  must(session_->commit(applied));
  EXPECT_EQ(must(session_->gauges()).parked, 0);
}

}  // namespace skald::contract
