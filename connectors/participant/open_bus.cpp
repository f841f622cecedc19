// The one place of the SDK that knows which bus it runs on.
#include <cstdio>
#include <cstdlib>

#include "kafka/kafka_bus.hpp"
#include "skald/participant.hpp"

namespace skald::participant {

std::unique_ptr<Bus> open_bus(const Options& options) {
  kafka::Options kafka;
  kafka.bootstrap_servers = options.kafka;
  kafka.properties = options.kafka_properties;
  kafka.client_id = "skald-participant-" + options.schema;
  auto bus = kafka::open(kafka);
  if (!bus) {
    std::fprintf(stderr, "--kafka: %s\n", bus.error().message.c_str());
    std::exit(2);
  }
  return std::move(bus).value();
}

}  // namespace skald::participant
