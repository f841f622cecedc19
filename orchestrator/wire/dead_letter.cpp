// Building dead letters; the size bound is kept by cutting the value first, then headers, then the key.
#include "wire/dead_letter.hpp"

#include <algorithm>
#include <cstdint>

namespace skald::wire {
namespace {

constexpr std::size_t kMaximumReasonBytes = 1024;
/// What the added headers may take: names, numbers, topic and reason.
constexpr std::size_t kReservedBytes = kMaximumReasonBytes + 1024;

template <class Integer>
std::string big_endian(Integer number) {
  std::string bytes(sizeof(Integer), '\0');
  auto rest = static_cast<std::uint64_t>(number);
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte, rest >>= 8)
    *byte = static_cast<char>(rest & 0xff);
  return bytes;
}

std::size_t size_of(const Header& header) { return header.name.size() + header.value.size() + 10; }

/// Cuts what does not fit any more; true if anything was cut.
bool cut_to_size(Message& message, std::size_t budget) {
  bool cut = false;
  const auto take = [&budget, &cut](std::optional<std::string>& text) {
    if (!text) return;
    if (text->size() > budget) {
      text->resize(budget);
      cut = true;
    }
    budget -= text->size();
  };
  std::size_t header_bytes = 0;
  for (const auto& header : message.headers) header_bytes += size_of(header);
  const auto key_bytes = message.key ? message.key->size() : 0;
  if (header_bytes + key_bytes > budget / 2) {  // not what a sane producer writes: keep the value, cut these
    const auto header_budget = budget / 4;
    std::size_t kept = 0;
    header_bytes = 0;
    while (kept < message.headers.size() && header_bytes + size_of(message.headers[kept]) <= header_budget)
      header_bytes += size_of(message.headers[kept++]);
    cut = kept < message.headers.size();
    message.headers.resize(kept);
    if (message.key && message.key->size() > header_budget) {
      message.key->resize(header_budget);
      cut = true;
    }
  }
  budget -= header_bytes;
  take(message.key);
  take(message.value);
  return cut;
}

}  // namespace

Message dead_letter(const Record& record, std::string_view code, std::string_view reason) {
  Message message;
  message.topic = record.topic + std::string(kDeadLetterSuffix);
  message.partition = record.partition;
  message.key = record.key;
  message.value = record.value;
  message.headers = record.headers;
  const bool cut = cut_to_size(message, kMaximumDeadLetterBytes - kReservedBytes);
  const auto add = [&message](std::string_view name, std::string value) {
    message.headers.push_back({"kafka_dlt-" + std::string(name), std::move(value)});
  };
  add("original-topic", record.topic);
  add("original-partition", big_endian(record.partition));
  add("original-offset", big_endian(record.offset));
  add("original-timestamp",
      big_endian(static_cast<std::int64_t>(record.timestamp.time_since_epoch().count())));
  add("exception-fqcn", std::string(code));
  add("exception-message", std::string(reason.substr(0, kMaximumReasonBytes)));
  if (cut) add("skald-truncated", "true");
  return message;
}

}  // namespace skald::wire
