// A Kafka broker inside this process, for the everyday loop of a saga author and for tests: librdkafka's mock
// cluster, listening on 127.0.0.1. Any client can use it. It forgets everything at exit and drops the oldest
// records of a partition beyond about 5 MB; docs/kafka.md says what else it is not. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kafka/options.hpp"
#include "ports/bus.hpp"

namespace skald::kafka {

class DevBroker {
 public:
  /// The mock cluster's own limit, which cannot be changed.
  static constexpr std::int64_t kPartitionBytesLimit = 5 * 1024 * 1024;

  static Result<std::unique_ptr<DevBroker>> start();
  ~DevBroker();

  /// "127.0.0.1:PORT", another one at each start.
  [[nodiscard]] std::string bootstrap_servers() const;
  /// Options for a bus on this broker, which must outlive it: its address, and creating topics here.
  [[nodiscard]] Options options();

  Result<void> create_topics(std::span<const std::string> topics, std::int32_t partitions);

  struct Usage {
    TopicPartition partition;
    std::int64_t bytes = 0;      ///< held now, by our count of what was ever there
    std::int64_t forgotten = 0;  ///< records dropped to make room
  };
  /// The partitions that hold more than `share` of their limit or dropped records already. Reads what was
  /// published since the last call; for a call every few seconds.
  std::vector<Usage> nearly_full(double share = 0.8);

  // --- for tests: faults ---

  /// No connection is accepted and those that exist break, until bring_up().
  void take_down();
  void bring_up();
  /// The next `count` Produce requests are answered with this error code of Kafka's protocol.
  void fail_produce_requests(int error_code, int count);
  void set_round_trip_ms(int delay_ms);

 private:
  class Implementation;
  explicit DevBroker(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace skald::kafka
