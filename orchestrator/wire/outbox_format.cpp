// Encoding appends to one string; decoding is a cursor that checks every length against the bytes that are left
// before it takes or reserves anything.
#include "wire/outbox_format.hpp"

#include <cstdint>
#include <optional>
#include <utility>

namespace skald::wire {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kCountOffset = 1;
constexpr std::uint8_t kHasPartition = 1;
constexpr std::uint8_t kHasKey = 2;
constexpr std::uint8_t kHasValue = 4;
constexpr std::uint8_t kKnownFlags = kHasPartition | kHasKey | kHasValue;
constexpr std::size_t kSmallestMessage = 13;  // flags, topic length, header count, command id length
constexpr std::size_t kSmallestHeader = 8;    // two lengths

void put_u32(std::string& bytes, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>((number >> shift) & 0xff));
}

void put_text(std::string& bytes, std::string_view text) {
  put_u32(bytes, static_cast<std::uint32_t>(text.size()));
  bytes.append(text);
}

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t offset() const { return offset_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size() - offset_; }

  std::optional<std::uint8_t> u8() {
    if (left() < 1) return std::nullopt;
    return static_cast<std::uint8_t>(bytes_[offset_++]);
  }

  std::optional<std::uint32_t> u32() {
    if (left() < 4) return std::nullopt;
    std::uint32_t number = 0;
    for (int shift = 0; shift < 32; shift += 8)
      number |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes_[offset_++])) << shift;
    return number;
  }

  std::optional<std::string> text() {
    const auto length = u32();
    if (!length || *length > left()) return std::nullopt;
    std::string taken{bytes_.substr(offset_, *length)};
    offset_ += *length;
    return taken;
  }

 private:
  std::string_view bytes_;
  std::size_t offset_ = 0;
};

bool read_headers(Cursor& cursor, std::vector<Header>& headers) {
  const auto count = cursor.u32();
  if (!count || *count > cursor.left() / kSmallestHeader) return false;
  headers.reserve(*count);
  for (std::uint32_t index = 0; index < *count; ++index) {
    auto name = cursor.text();
    auto value = cursor.text();
    if (!name || !value) return false;
    headers.push_back({std::move(*name), std::move(*value)});
  }
  return true;
}

bool read_message(Cursor& cursor, Message& message) {
  const auto flags = cursor.u8();
  if (!flags || (*flags & ~kKnownFlags) != 0) return false;
  auto topic = cursor.text();
  if (!topic) return false;
  message.topic = std::move(*topic);
  if (*flags & kHasPartition) {
    const auto partition = cursor.u32();
    if (!partition) return false;
    message.partition = static_cast<std::int32_t>(*partition);
  }
  if ((*flags & kHasKey) && !(message.key = cursor.text())) return false;
  if ((*flags & kHasValue) && !(message.value = cursor.text())) return false;
  if (!read_headers(cursor, message.headers)) return false;
  auto command_id = cursor.text();
  if (!command_id) return false;
  message.command_id = std::move(*command_id);
  return true;
}

Error malformed(const Cursor& cursor) {
  return {ErrorKind::kInvalid, "SKALD-338",
          "outbox row is malformed at byte " + std::to_string(cursor.offset())};
}

}  // namespace

OutboxEncoder::OutboxEncoder() {
  bytes_.push_back(static_cast<char>(kVersion));
  put_u32(bytes_, 0);
}

void OutboxEncoder::add(const Message& message) {
  std::uint8_t flags = 0;
  if (message.partition) flags |= kHasPartition;
  if (message.key) flags |= kHasKey;
  if (message.value) flags |= kHasValue;
  bytes_.push_back(static_cast<char>(flags));
  put_text(bytes_, message.topic);
  if (message.partition) put_u32(bytes_, static_cast<std::uint32_t>(*message.partition));
  if (message.key) put_text(bytes_, *message.key);
  if (message.value) put_text(bytes_, *message.value);
  put_u32(bytes_, static_cast<std::uint32_t>(message.headers.size()));
  for (const Header& header : message.headers) {
    put_text(bytes_, header.name);
    put_text(bytes_, header.value);
  }
  put_text(bytes_, message.command_id);
  ++count_;
}

std::string OutboxEncoder::finish() && {
  for (int index = 0; index < 4; ++index)
    bytes_[kCountOffset + index] = static_cast<char>((count_ >> (8 * index)) & 0xff);
  return std::move(bytes_);
}

std::string encode_messages(std::span<const Message> messages) {
  OutboxEncoder encoder;
  for (const Message& message : messages) encoder.add(message);
  return std::move(encoder).finish();
}

Result<std::vector<Message>> decode_messages(std::string_view bytes) {
  Cursor cursor{bytes};
  const auto version = cursor.u8();
  if (!version || *version != kVersion) {
    return Error{ErrorKind::kInvalid, "SKALD-338",
                 "outbox row has format " + (version ? std::to_string(*version) : std::string{"none"}) +
                     ", this binary reads " + std::to_string(kVersion)};
  }
  const auto count = cursor.u32();
  if (!count || *count > cursor.left() / kSmallestMessage) return malformed(cursor);
  std::vector<Message> messages(*count);
  for (Message& message : messages)
    if (!read_message(cursor, message)) return malformed(cursor);
  if (cursor.left() != 0) return malformed(cursor);
  return messages;
}

}  // namespace skald::wire
