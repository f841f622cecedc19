// Kafka for the contract of the Bus: settings that make a test's waits short, and names nobody else uses.
#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "contract/bus_contract.hpp"
#include "kafka/kafka_bus.hpp"

namespace skald::contract {

/// Unique on a cluster that outlives this process.
inline std::string unique_name(const std::string& name) {
  static std::atomic<int> made{0};
  static const auto start = std::chrono::steady_clock::now().time_since_epoch().count();
  return name + "-" + std::to_string(::getpid()) + "-" + std::to_string(start) + "-" + std::to_string(++made);
}

inline kafka::Options for_tests(kafka::Options options) {
  options.session_timeout_ms = 3'000;
  options.properties["topic.metadata.propagation.max.ms"] = "500";
  options.log = [](int, const std::string&) {};
  return options;
}

class KafkaHarness final : public BusHarness {
 public:
  explicit KafkaHarness(const kafka::Options& options, bool refuses_unknown_topics = true)
      : bus_(kafka::open(for_tests(options)).value()), refuses_unknown_topics_(refuses_unknown_topics) {}
  Bus& bus() override { return *bus_; }
  std::string unique(const std::string& name) override { return unique_name(name); }
  [[nodiscard]] bool refuses_unknown_topics() const override { return refuses_unknown_topics_; }
  [[nodiscard]] bool knows_times() const override { return refuses_unknown_topics_; }

 private:
  std::unique_ptr<Bus> bus_;
  bool refuses_unknown_topics_;
};

}  // namespace skald::contract
