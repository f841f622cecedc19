// The order saga, tested as its author would: one run by hand, then every run there can be.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "order_saga.hpp"
#include "skald/testing.hpp"

namespace shop {
namespace {

using skald::testing::Explore;
using skald::testing::SagaTest;
using skald::testing::Status;

const Order kOrder{"o-1", "ann", "book", 500};

TEST(OrderSaga, ADeclinedCardGivesTheStockBack) {
  SagaTest<PlaceOrder> saga;
  saga.on<ReserveStock>().succeeds({"r-1", "north"});
  saga.on<ChargeCard>().refuses("card-declined");
  const auto end = saga.run(kOrder);
  EXPECT_EQ(end.status, Status::compensated);
  EXPECT_EQ(end.code, "card-declined");
  EXPECT_EQ(end.log,
            (std::vector<std::string>{"reserve-stock", "charge-card refused", "undo reserve-stock"}));
  EXPECT_TRUE(end.standing.empty());
}

/// The flow beside the saga, so that a pull request shows what changed in it. SKALD_UPDATE_FLOWS=1 writes it anew.
void expect_flow(const skald::testing::Exploration& found, const std::string& name) {
  const std::string path = std::string(SHOP_FOLDER) + "/" + name;
  if (std::getenv("SKALD_UPDATE_FLOWS") != nullptr) std::ofstream(path) << found.mermaid();
  std::ifstream file(path);
  const std::string kept{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(found.mermaid(), kept) << "the flow changed: if it should, run this with SKALD_UPDATE_FLOWS=1";
}

TEST(OrderSaga, IsConsistentWhateverHappens) {
  const auto found = skald::testing::explore<PlaceOrder>(
      kOrder, Explore().together<ChargeCard, ShipOrder>(
                  "the card is charged and nothing is sent, or the other way round"));
  EXPECT_TRUE(found) << found;
  expect_flow(found, "place-order.mmd");
}

}  // namespace
}  // namespace shop
