// The checks, cheapest first. UTF-8 is judged as in RFC 3629: no overlong forms, no surrogates, at most U+10FFFF.
#include "wire/batch_check.hpp"

#include <cstdint>
#include <cstring>
#include <string>

namespace skald::wire {
namespace {

constexpr Time kEarliest = Time{std::chrono::milliseconds{-62135596800000}};  // year 1

Error refuse(const std::string& what) { return {ErrorKind::kInvalid, "SKALD-333", what}; }

/// Length of the valid sequence that starts with this byte above 0x7f, 0 if there is none.
std::size_t sequence_length(const unsigned char* byte, std::size_t left) {
  const auto follows = [&](std::size_t index, unsigned low = 0x80, unsigned high = 0xbf) {
    return index < left && byte[index] >= low && byte[index] <= high;
  };
  const unsigned lead = byte[0];
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

bool is_plain_word(const unsigned char* bytes) {  // eight bytes of ASCII without U+0000
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  return (word & kHighBits) == 0 && ((word - 0x0101010101010101) & kHighBits) == 0;
}

Result<void> check_text(std::string_view text, const std::string& whose, const char* what) {
  if (const auto offset = first_unstorable_byte(text))
    return refuse(whose + ": " + what + " holds U+0000 or invalid UTF-8 at byte " + std::to_string(*offset));
  return {};
}

Result<void> check_name(std::string_view name, const std::string& whose, const char* what) {
  if (name.empty() || name.size() > kLongestName)
    return refuse(whose + ": " + what + " must have 1 to " + std::to_string(kLongestName) + " bytes, has " +
                  std::to_string(name.size()));
  return check_text(name, whose, what);
}

Result<void> check_address(const SagaAddress& address, const std::string& whose) {
  if (auto checked = check_name(address.definition, whose, "definition"); !checked) return checked;
  return check_name(address.saga_id, whose, "saga id");
}

Result<void> check_write(const SagaWrite& write) {
  const std::string whose = "saga " + std::to_string(write.key);
  if (write.judged_at < 0 || write.sequence < write.judged_at || write.sequence < 1)
    return refuse(whose + ": a write from sequence " + std::to_string(write.judged_at) + " to " +
                  std::to_string(write.sequence) + " makes no sense");
  if (static_cast<std::int64_t>(write.history.size()) != write.sequence - write.judged_at)
    return refuse(whose + ": " + std::to_string(write.history.size()) + " history rows for sequences " +
                  std::to_string(write.judged_at + 1) + " to " + std::to_string(write.sequence));
  if (write.wake_at < kEarliest || write.wake_at > kNever) return refuse(whose + ": wake_at is out of range");
  std::int64_t expected = write.judged_at;
  for (const HistoryRow& row : write.history) {
    if (row.sequence != ++expected) return refuse(whose + ": its history rows are not dense");
    if (auto checked = check_text(row.events, whose, "an event"); !checked) return checked;
  }
  if (auto checked = check_text(write.stuck_reason, whose, "stuck reason"); !checked) return checked;
  if (auto checked = check_text(write.stuck_step, whose, "stuck step"); !checked) return checked;
  if (write.judged_at == 0) return check_address(write.address, whose);
  return {};
}

}  // namespace

std::optional<std::size_t> first_unstorable_byte(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t offset = 0;
  while (offset < text.size()) {
    if (text.size() - offset >= 8 && is_plain_word(bytes + offset)) {
      offset += 8;
    } else if (bytes[offset] == 0) {
      return offset;
    } else if (bytes[offset] < 0x80) {
      ++offset;
    } else {
      const std::size_t length = sequence_length(bytes + offset, text.size() - offset);
      if (length == 0) return offset;
      offset += length;
    }
  }
  return std::nullopt;
}

Result<void> check_batch(const Batch& batch) {
  const SagaWrite* previous = nullptr;
  for (const SagaWrite& write : batch.writes) {
    if (previous && previous->key >= write.key)
      return refuse("saga " + std::to_string(write.key) + ": writes must be in key order, one a saga");
    if (auto checked = check_write(write); !checked) return checked;
    previous = &write;
  }
  for (const ParkedInput& parked : batch.park) {
    const std::string whose = "parked input " + std::to_string(parked.parked_id);
    if (auto checked = check_address(parked.address, whose); !checked) return checked;
  }
  return {};
}

}  // namespace skald::wire
