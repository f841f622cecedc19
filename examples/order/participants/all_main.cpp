// All three participants as one process, one schema and one service: what the benchmark runs.
#include "order_types.hpp"
#include "participants/participants.hpp"

int main(int argc, char** argv) {
  const auto options = skald::participant::Options::from(
      argc, argv,
      {.topics = {std::string(shop::kInventoryTopic), std::string(shop::kPaymentsTopic),
                  std::string(shop::kShippingTopic)},
       .schema = "shop"});
  const auto kafka = skald::participant::open_bus(options);
  const auto bus = shop::without_silent_replies(*kafka);
  skald::participant::Service service{options, *bus};
  shop::add_inventory(service);
  shop::add_payments(service);
  shop::add_shipping(service);
  return service.run();
}
