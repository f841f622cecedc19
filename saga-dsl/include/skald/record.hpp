// Record: one Kafka record as a trigger function sees it, and Start: what the function answers. Plain values,
// owned by whoever holds them; no I/O here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace skald {

/// A moment with millisecond resolution. Inside a saga it is PostgreSQL's time and never goes back.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;

struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};

/// One record as read from a topic. A key or value that is null on the topic is nullopt (a tombstone).
struct Record {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  Time timestamp{};
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<Header> headers;

  /// The value of a header; of several of one name the last one counts. Names are compared exactly.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const {
    for (auto header = headers.rbegin(); header != headers.rend(); ++header)
      if (header->name == name) return header->value;
    return std::nullopt;
  }
};

/// What a trigger answers: start the saga of this id with this input. The same id with the same input again
/// is a duplicate and does nothing; the same id with other input is a dead letter.
template <class Input>
struct Start {
  std::string saga_id;  ///< 1 to 255 visible ASCII characters
  Input input;
};

}  // namespace skald
