// Message: one record on its way out. It is created by a transition, made durable in the outbox, and
// published as often as needed under the same id; who receives it twice sees the same bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "skald/record.hpp"

namespace skald {

struct Message {
  std::string topic;
  std::optional<std::int32_t> partition;  ///< only dead letters name one; else by key (murmur2)
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<Header> headers;
  /// The command id when this is a command, empty otherwise: by it a message that Kafka refuses for good
  /// comes back to its saga as `undeliverable`.
  std::string command_id;

  bool operator==(const Message&) const = default;
};

/// All messages of a batch: one outbox row.
struct OutboxRow {
  std::int64_t outbox_id = 0;
  std::vector<Message> messages;
};

}  // namespace skald
