// The Kafka bus keeps the contract of the Bus on librdkafka's mock cluster, which this process holds.
#include "contract/kafka_harness.hpp"
#include "kafka/dev_broker.hpp"

namespace skald::contract {
namespace {

kafka::DevBroker& broker() {
  static const auto kBroker = kafka::DevBroker::start().value();
  return *kBroker;
}

std::unique_ptr<BusHarness> make_harness() {
  return std::make_unique<KafkaHarness>(broker().options(), false);
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(MockCluster, BusContract, ::testing::Values(&make_harness));

}  // namespace skald::contract
