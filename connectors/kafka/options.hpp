// How to reach a Kafka cluster. Plain values, copied by whoever opens a bus with them; no librdkafka type here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "skald/result.hpp"

namespace skald::kafka {

struct Options {
  std::string bootstrap_servers;
  /// Any property of librdkafka. What Skald's promises rest on cannot be set (docs/kafka.md); a property that
  /// librdkafka does not know is refused with its words.
  std::map<std::string, std::string> properties;
  std::string client_id = "skald";
  /// Static membership: a name that no other member of a group has at the same time and that comes back after a restart.
  /// Empty: a member for as long as it runs.
  std::string instance_id;
  /// A silent process loses its partitions after this long.
  int session_timeout_ms = 45'000;
  /// A process that does not poll loses its partitions after this long; raised to the session timeout if below.
  int maximum_poll_interval_ms = 300'000;

  // Bounds of memory: one consumer's fetched records, one producer's unanswered messages. librdkafka counts only
  // values as bytes: keys, headers and its own 400 bytes for each are bounded by the numbers.
  int fetch_queue_messages = 20'000;
  int fetch_queue_kilobytes = 16 * 1024;
  int producer_queue_messages = 20'000;
  int producer_queue_kilobytes = 32 * 1024;
  /// What one poll hands over, about.
  std::size_t maximum_poll_bytes = 4u << 20;

  /// Called with librdkafka's syslog severity (3 error to 7 debug) and one line, from any thread. Empty: standard
  /// error from severity 5 (notice) on.
  std::function<void(int severity, const std::string& line)> log;
  /// Creates topics where the cluster's own CreateTopics request does not work (DevBroker).
  std::function<Result<void>(std::span<const std::string> topics, std::int32_t partitions)> create_topics;
};

/// As a property gives it, else session_timeout_ms.
int session_timeout_ms(const Options& options);

/// Bytes that a process's one consumer and one producer may occupy with these: records fetched and not polled, a fetch
/// under way to each of three brokers, one poll, requests. Messages of the producer are not counted: whoever hands them
/// over keeps count of both copies.
std::size_t memory_bound(const Options& options);

/// Whether a bus can be opened with these, without touching the network: an error names the property.
Result<void> check(const Options& options);

}  // namespace skald::kafka
