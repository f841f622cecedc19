// What an operator asks of a cluster's topics: how they are, and to create some. Each call has a client of its own and
// blocks; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "kafka/options.hpp"

namespace skald::kafka {

/// A topic as the cluster has it.
struct TopicState {
  std::int32_t partitions = 0;
  int replication = 0;                                 ///< of the partition with the fewest copies
  std::optional<std::chrono::milliseconds> retention;  ///< negative: for ever; nullopt: we may not know
  bool compacted = false;
};

struct NewTopic {
  std::string name;
  std::int32_t partitions = 1;
  int replication = 0;                                 ///< 0: the cluster's default
  std::optional<std::chrono::milliseconds> retention;  ///< nullopt: the cluster's default
};

/// Those of these topics that exist. kUnavailable: not reached within `timeout`; kRefused: it will not have us.
Result<std::map<std::string, TopicState>> describe_topics(const Options& options,
                                                          std::span<const std::string> names,
                                                          std::chrono::milliseconds timeout);

/// Creates them; one that exists by now is left as it is. Returns when all can be used.
Result<void> create_topics(const Options& options, std::span<const NewTopic> topics);

}  // namespace skald::kafka
