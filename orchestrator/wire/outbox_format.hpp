// The bytes of an outbox row: all messages of a batch, length-prefixed, integers little-endian, the first byte the
// version of the format. Decoding is bounded by the bytes at hand and refuses whatever it does not understand to
// the last byte. Pure; any thread.
//
//   row     = version:u8 (1) count:u32 message*
//   message = flags:u8 (1 partition, 2 key, 4 value) topic [partition:i32] [key] [value]
//             headers:u32 (name value)* command_id          every name and value: length:u32 byte*
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ports/message.hpp"
#include "skald/result.hpp"

namespace skald::wire {

/// Version and count, before the first message.
inline constexpr std::size_t kOutboxHeadBytes = 5;

/// Builds a row message by message, so that nobody copies messages to encode them.
class OutboxEncoder {
 public:
  OutboxEncoder();
  void add(const Message& message);
  [[nodiscard]] std::uint32_t count() const { return count_; }
  /// The row's bytes; the encoder is spent.
  [[nodiscard]] std::string finish() &&;

 private:
  std::string bytes_;
  std::uint32_t count_ = 0;
};

[[nodiscard]] std::string encode_messages(std::span<const Message> messages);

/// kInvalid with the offset for anything encode_messages does not write.
[[nodiscard]] Result<std::vector<Message>> decode_messages(std::string_view bytes);

}  // namespace skald::wire
