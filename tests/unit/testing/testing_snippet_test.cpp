// The snippet of docs/testing.md, compiled and run.
#include <gtest/gtest.h>

#include "../snippet.hpp"
#include "skald/skald.hpp"
#include "skald/testing.hpp"

namespace shop {
namespace {

using namespace std::chrono_literals;

struct Order {
  std::string id;
  std::int64_t cents = 0;
};
SKALD_FIELDS(Order, id, cents)
struct Payment {
  std::string id;
};
SKALD_FIELDS(Payment, id)
struct Parcel {
  std::string tracking;
};
SKALD_FIELDS(Parcel, tracking)

struct ChargeCard : skald::CommandStep<Order, Payment> {
  static constexpr std::string_view name = "charge-card", topic = "payments";
  static constexpr skald::StepOptions options{.schedule_to_close = 2min};
  static Order compensation(const Order& order, const std::optional<Payment>&) { return order; }
};
struct ShipParcel : skald::CommandStep<Order, Parcel> {
  static constexpr std::string_view name = "ship-parcel", topic = "shipping";
  static constexpr skald::StepOptions options{.schedule_to_close = 72h};
  static Order compensation(const Order& order, const std::optional<Parcel>&) { return order; }
};
struct PlaceOrder : skald::Saga<Order, Parcel> {
  static constexpr std::string_view name = "place-order";
  skald::Task<Parcel> run(skald::Context& saga, Order order) override {
    co_await saga.step<ChargeCard>(order);
    co_return co_await saga.step<ShipParcel>(order);
  }
};

// clang-format off
// snippet begins
TEST(PlaceOrder, RefundsWhatCannotBeShipped) {
  skald::testing::SagaTest<PlaceOrder> saga;
  saga.on<ChargeCard>().succeeds({"p-1"});
  saga.on<ShipParcel>().fails("no-truck").is_lost();      // the first attempt, then all others
  const auto end = saga.run({"o-1", 500});
  EXPECT_EQ(end.status, skald::testing::Status::compensated);
  EXPECT_EQ(end.log, (std::vector<std::string>{"charge-card", "ship-parcel failed", "ship-parcel timed out",
                                               "undo ship-parcel", "undo charge-card"}));
  EXPECT_GT(end.took, std::chrono::hours{72});            // in a millisecond
}

TEST(PlaceOrder, IsConsistentWhateverHappens) {
  const auto found = skald::testing::explore<PlaceOrder>(
      {"o-1", 500}, skald::testing::Explore()
                        .refuses<ChargeCard>("card-declined")
                        .together<ChargeCard, ShipParcel>("money is taken and no goods are sent"));
  EXPECT_TRUE(found) << found;
}
// snippet ends
// clang-format on

TEST(TestingSnippet, IsTheOneOnThePage) {
  skald::snippets::expect_same_snippet("testing.md", "testing/testing_snippet_test.cpp");
}

}  // namespace
}  // namespace shop
