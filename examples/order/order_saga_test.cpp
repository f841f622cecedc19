// The order saga, tested as its author would: one run by hand, then every run there can be.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

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

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// What is in one and not in the other, as a patch has it.
std::string difference(const std::string& kept, const std::string& found) {
  const auto was = lines_of(kept), is = lines_of(found);
  std::string text;
  for (const std::string& line : was)
    if (std::find(is.begin(), is.end(), line) == is.end()) text += "- " + line + "\n";
  for (const std::string& line : is)
    if (std::find(was.begin(), was.end(), line) == was.end()) text += "+ " + line + "\n";
  return text;
}

/// The flow beside the saga, so that a pull request shows what changed in it. SKALD_UPDATE_FLOWS=1 writes it anew.
void expect_flow(const skald::testing::Exploration& found, const std::string& name) {
  const std::string path = std::string(SHOP_FOLDER) + "/" + name;
  if (std::getenv("SKALD_UPDATE_FLOWS") != nullptr) std::ofstream(path) << found.mermaid();
  std::ifstream file(path);
  const std::string kept{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (found.mermaid() != kept)
    ADD_FAILURE() << "the flow of the saga changed:\n"
                  << difference(kept, found.mermaid()) << "if it should, run this with SKALD_UPDATE_FLOWS=1";
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
