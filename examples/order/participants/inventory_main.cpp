// The inventory participant as a process: --help says how to reach Kafka and PostgreSQL.
#include "order_types.hpp"
#include "participants/participants.hpp"

int main(int argc, char** argv) {
  skald::participant::Service service{skald::participant::Options::from(
      argc, argv, {.topics = {std::string(shop::kInventoryTopic)}, .schema = "inventory"})};
  shop::add_inventory(service);
  return service.run();
}
