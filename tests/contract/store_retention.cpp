// Contract: what has ended is removed, histories first, rows later; what has not ended never is.
#include <gmock/gmock.h>

#include "contract/store_contract.hpp"

namespace skald::contract {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

namespace {
std::vector<SagaKey> keys_of(const EndedPage& page) {
  std::vector<SagaKey> keys;
  for (const EndedSaga& saga : page.sagas) keys.push_back(saga.key);
  return keys;
}
constexpr SagaKey kAll = 9'999;
}  // namespace

TEST_P(StoreContract, SagasThatEndedBeforeATimeAreFoundByPageWithTheirFirstTransition) {
  must(session_->commit(batch({start(1001, "order-1"), start(1002, "order-2"), start(1003, "order-3")})));
  must(session_->commit(
      batch({advance(1001, 1, SagaStatus::kCompleted), advance(1003, 1, SagaStatus::kCompensated)})));
  const Time later = must(session_->now()) + std::chrono::hours(1);
  const EndedPage all = must(session_->ended_with_history(later, 0, kAll, 10));
  EXPECT_THAT(keys_of(all), ElementsAre(1001, 1003));
  EXPECT_EQ(all.sagas[0].sequence, 2);
  EXPECT_EQ(all.sagas[0].first_events, history_of("order-1")[0].events);
  EXPECT_EQ(all.last, 1003);
  EXPECT_FALSE(all.more);
  const EndedPage first = must(session_->ended_with_history(later, 0, kAll, 2));
  EXPECT_THAT(keys_of(first), ElementsAre(1001)) << "two were looked at, and one is open";
  EXPECT_EQ(first.last, 1002);
  EXPECT_TRUE(first.more);
  EXPECT_THAT(keys_of(must(session_->ended_with_history(later, first.last, kAll, 2))), ElementsAre(1003));
  EXPECT_THAT(keys_of(must(session_->ended_with_history(later, 0, 1003, 10))), ElementsAre(1001));
  const EndedPage too_young = must(session_->ended_with_history(later - std::chrono::hours(2), 0, kAll, 10));
  EXPECT_THAT(too_young.sagas, IsEmpty());
  EXPECT_EQ(too_young.last, 1003);
  const EndedPage none = must(session_->ended_with_history(later, 5'000, kAll, 10));
  EXPECT_EQ(none.last, 5'000);
  EXPECT_FALSE(none.more);
}

TEST_P(StoreContract, OnlyTheHistoryOfASagaThatEndedAndStandsThereIsRemoved) {
  must(session_->commit(batch({start(1001, "order-1"), start(1002, "order-2"), start(1003, "order-3")})));
  must(session_->commit(
      batch({advance(1001, 1, SagaStatus::kCompleted), advance(1003, 1, SagaStatus::kCompleted)})));
  const std::vector<Fence> sagas{{1001, 2}, {1002, 1}, {1003, 1}, {7777, 1}};
  EXPECT_EQ(must(session_->remove_histories(sagas)), 1u);
  EXPECT_EQ(must(session_->remove_histories(sagas)), 0u) << "again";
  EXPECT_THAT(history_of("order-1"), IsEmpty());
  EXPECT_THAT(history_of("order-2"), SizeIs(1)) << "open";
  EXPECT_THAT(history_of("order-3"), SizeIs(2)) << "moved since it was looked at";
  const SagaAddress address{"PlaceOrder", "order-1"};
  EXPECT_TRUE(must(session_->load({&address, 1}))[0].history_removed());
  const auto again = must(session_->commit(batch({start(2001, "order-1")})));
  ASSERT_THAT(again.conflicts, SizeIs(1)) << "its id is still taken";
  EXPECT_EQ(again.conflicts[0].existing.key, 1001);
}

TEST_P(StoreContract, AnEndedSagaWithoutHistoryIsRemovedAndItsIdIsFree) {
  must(session_->commit(batch({start(1001, "order-1"), start(1002, "order-2"), start(1003, "order-3")})));
  must(session_->commit(
      batch({advance(1001, 1, SagaStatus::kCompleted), advance(1003, 1, SagaStatus::kCompleted)})));
  const std::vector<Fence> first{{1001, 2}};
  must(session_->remove_histories(first));
  const Time later = must(session_->now()) + std::chrono::hours(1);
  EXPECT_EQ(must(session_->remove_ended(later - std::chrono::hours(2), 0, kAll, 10)).removed, 0u);
  const RemovedPage page = must(session_->remove_ended(later, 0, kAll, 2));
  EXPECT_EQ(page.removed, 1u);
  EXPECT_EQ(page.last, 1002);
  EXPECT_TRUE(page.more);
  EXPECT_EQ(must(session_->remove_ended(later, page.last, kAll, 10)).removed, 0u) << "it has its history";
  const SagaAddress address{"PlaceOrder", "order-1"};
  EXPECT_THAT(must(session_->load({&address, 1})), IsEmpty());
  EXPECT_THAT(must(session_->commit(batch({start(2001, "order-1")}))).conflicts, IsEmpty());
  EXPECT_EQ(row_of("order-1").key, 2001);
}

}  // namespace skald::contract
