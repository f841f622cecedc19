// The shipping participant as a process: --help says how to reach Kafka and PostgreSQL.
#include "order_types.hpp"
#include "participants/participants.hpp"

int main(int argc, char** argv) {
  const auto options = skald::participant::Options::from(
      argc, argv, {.topics = {std::string(shop::kShippingTopic)}, .schema = "shipping"});
  const auto kafka = skald::participant::open_bus(options);
  const auto bus = shop::without_silent_replies(*kafka);
  skald::participant::Service service{options, *bus};
  shop::add_shipping(service);
  return service.run();
}
