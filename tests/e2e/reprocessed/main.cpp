// The order service after a change: revision 2 of the order saga ships before it charges, so that its histories tell what
// differs.
#include <optional>

#include "order_saga.hpp"

namespace {

using namespace shop;

class ShipsFirst : public skald::Saga<Order, Receipt> {
 public:
  static constexpr std::string_view name = PlaceOrder::name;
  static constexpr int revision = 2;

  skald::Task<Receipt> run(skald::Context& saga, Order order) override {
    const Reservation stock = co_await saga.step<ReserveStock>(order);
    const Parcel parcel = co_await saga.step<ShipOrder>(order.id, order.customer, stock.warehouse);
    const Payment payment = co_await saga.step<ChargeCard>(order.id, order.customer, order.total_cents + 1);
    co_return Receipt{payment.id, parcel.tracking};
  }
};

}  // namespace

int main(int argc, char** argv) {
  skald::Registry registry;
  registry.add_saga<PlaceOrder>();
  registry.add_saga<ShipsFirst>().trigger(
      "order-placed", [](const Order& event, const skald::Record&) -> std::optional<skald::Start<Order>> {
        if (event.total_cents <= 0) return std::nullopt;
        return skald::Start<Order>{.saga_id = event.id, .input = event};
      });
  return skald::main(argc, argv, registry);
}
