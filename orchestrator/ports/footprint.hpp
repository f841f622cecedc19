// What values occupy in memory, heap included: the unit of every bound in bytes. Estimates that are at least the truth:
// an allocator rounds up by an eighth on average and keeps a few bytes a block. Pure; from any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "ports/message.hpp"
#include "skald/record.hpp"

namespace skald {

/// What a block of that size occupies.
[[nodiscard]] constexpr std::size_t block_bytes(std::size_t size) {
  return size == 0 ? 0 : size + size / 8 + 16;
}

/// Beyond the string itself.
[[nodiscard]] inline std::size_t heap_bytes(const std::string& text) {
  static const std::size_t kInPlace = std::string().capacity();
  return text.capacity() <= kInPlace ? 0 : block_bytes(text.capacity() + 1);
}

[[nodiscard]] inline std::size_t heap_bytes(const std::optional<std::string>& text) {
  return text ? heap_bytes(*text) : 0;
}

[[nodiscard]] inline std::size_t heap_bytes(const std::vector<Header>& headers) {
  std::size_t bytes = block_bytes(headers.capacity() * sizeof(Header));
  for (const Header& header : headers) bytes += heap_bytes(header.name) + heap_bytes(header.value);
  return bytes;
}

/// A record that is shared, with its block's counters.
[[nodiscard]] inline std::size_t memory_bytes(const Record& record) {
  return block_bytes(sizeof(Record) + 2 * sizeof(void*)) + heap_bytes(record.topic) + heap_bytes(record.key) +
         heap_bytes(record.value) + heap_bytes(record.headers);
}

[[nodiscard]] inline std::size_t memory_bytes(const Message& message) {
  return sizeof(Message) + heap_bytes(message.topic) + heap_bytes(message.key) + heap_bytes(message.value) +
         heap_bytes(message.headers) + heap_bytes(message.command_id);
}

}  // namespace skald
