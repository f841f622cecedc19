// What topics a configuration needs, how each is to be, and what differs from that in a cluster. Pure.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/config.hpp"
#include "kafka/topic_admin.hpp"

namespace skald::app {

struct PlannedTopic {
  kafka::NewTopic wanted;
  std::string purpose;                   ///< "trigger", "replies", "commands", "dead letters", …
  std::optional<kafka::TopicState> now;  ///< nullopt: it does not exist
  std::vector<std::string> differences;  ///< each a sentence; of one that exists
};

/// Every topic of the configuration, by name. A dead-letter topic gets as many partitions as its topic has: a dead letter
/// goes into the partition of the same number.
[[nodiscard]] std::vector<PlannedTopic> plan_topics(const Config& config,
                                                    const std::map<std::string, kafka::TopicState>& cluster);

/// A table and a last line that counts what is to be created and what differs.
[[nodiscard]] std::string describe(const std::vector<PlannedTopic>& plan);

/// Dead-letter topics with fewer partitions than what they are for, in one sentence; empty if there are none.
[[nodiscard]] std::string narrow_dead_letter_topics(const std::map<std::string, std::int32_t>& partitions);

/// Of a cluster with these topics: kRefused, SKALD-960 or SKALD-962, if `serve` could not begin there.
[[nodiscard]] Result<void> check_topics(const std::vector<std::string>& needed,
                                        const std::map<std::string, std::int32_t>& partitions);

}  // namespace skald::app
