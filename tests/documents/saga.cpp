// What surrounds the code of README.md and docs/authoring.md.
#include <chrono>
#include <optional>
#include <string_view>

#include "order_types.hpp"
#include "skald/skald.hpp"

namespace shop {

using namespace std::chrono_literals;

#include "authoring-1.inc"

struct ChargeCard : skald::CommandStep<Charge, Payment> {
  static constexpr std::string_view name = "charge-card", topic = "payments.commands";
  static constexpr skald::NoCompensation compensation{"not needed here"};
};
struct ShipOrder : skald::CommandStep<Shipment, Parcel> {
  static constexpr std::string_view name = "ship-order", topic = "shipping.commands";
  static constexpr skald::NoCompensation compensation{"not needed here"};
};

#include "README-1.inc"

struct Parallel : skald::Saga<Order, Receipt> {
  static constexpr std::string_view name = "parallel";
  skald::Task<Receipt> run(skald::Context& saga, Order order) override {
#include "authoring-2.inc"
    co_return Receipt{charged.get().id, parcel.tracking};
  }
};

struct Named {
  std::string customer;
};
SKALD_FIELDS(Named, customer)
struct CheckCustomer : skald::CommandStep<Named, skald::Nothing> {
  static constexpr std::string_view name = "check-customer", topic = "customers.commands";
  static constexpr skald::NoCompensation compensation{"it only looks"};
};
struct Prices {
  std::int64_t current(const std::string&) { return 1; }
};

struct Changed : skald::Saga<Order, skald::Nothing> {
  static constexpr std::string_view name = "changed";
  skald::Task<skald::Nothing> run(skald::Context& saga, Order order) override {
#include "authoring-4.inc"
    Prices prices;
#include "authoring-5.inc"
    static_cast<void>(price);
    co_return skald::Nothing{};
  }
};

void add_to(skald::Registry& registry) {
#include "authoring-3.inc"
  registry.add_saga<Parallel>();
}

}  // namespace shop
