// The payments participant as a process: --help says how to reach Kafka and PostgreSQL.
#include "order_types.hpp"
#include "participants/participants.hpp"

int main(int argc, char** argv) {
  skald::participant::Service service{skald::participant::Options::from(
      argc, argv, {.topics = {std::string(shop::kPaymentsTopic)}, .schema = "payments"})};
  shop::add_payments(service);
  return service.run();
}
