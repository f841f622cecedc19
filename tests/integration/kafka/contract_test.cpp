// The Kafka bus keeps the contract of the Bus on a real cluster: SKALD_TEST_KAFKA names it.
#include <cstdlib>

#include "contract/kafka_harness.hpp"

namespace skald::contract {
namespace {

std::unique_ptr<BusHarness> make_harness() {
  kafka::Options options;
  const char* servers = std::getenv("SKALD_TEST_KAFKA");
  if (servers == nullptr) throw std::runtime_error("SKALD_TEST_KAFKA is not set; ./dev test sets it");
  options.bootstrap_servers = servers;
  return std::make_unique<KafkaHarness>(options);
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(RealKafka, BusContract, ::testing::Values(&make_harness));

}  // namespace skald::contract
