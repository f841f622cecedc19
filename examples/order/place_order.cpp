// The order service: the order saga, started by each order placed.
#include <optional>

#include "order_saga.hpp"

int main(int argc, char** argv) {
  skald::Registry registry;
  registry.add_saga<shop::PlaceOrder>().trigger(
      "order-placed",
      [](const shop::Order& event, const skald::Record&) -> std::optional<skald::Start<shop::Order>> {
        if (event.total_cents <= 0) return std::nullopt;  // a quote, not an order
        return skald::Start<shop::Order>{.saga_id = event.id, .input = event};
      });
  return skald::main(argc, argv, registry);
}
