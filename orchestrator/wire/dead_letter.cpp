// Building dead letters; the size bound is kept by cutting the value first, then headers, then the key.
#include "wire/dead_letter.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "wire/place.hpp"

namespace skald::wire {
namespace {

constexpr std::string_view kPrefix = "kafka_dlt-";
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

template <class Integer>
std::optional<Integer> from_big_endian(std::string_view bytes) {
  if (bytes.size() != sizeof(Integer)) return std::nullopt;
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return static_cast<Integer>(number);
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
    message.headers.push_back({std::string(kPrefix) + std::string(name), std::move(value)});
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

Result<DeadLetter> read_dead_letter(const Record& record) {
  const auto header = [&record](std::string_view name) {
    return record.header(std::string(kPrefix) + std::string(name));
  };
  const auto unfit = [](std::string_view name) {
    return Error{ErrorKind::kInvalid, "SKALD-305",
                 "no dead letter: its header " + std::string(kPrefix) + std::string(name) +
                     " is missing or has the wrong length"};
  };
  const auto topic = header("original-topic");
  if (!topic || topic->empty()) return unfit("original-topic");
  const auto partition = from_big_endian<std::int32_t>(header("original-partition").value_or(""));
  if (!partition) return unfit("original-partition");
  const auto offset = from_big_endian<std::int64_t>(header("original-offset").value_or(""));
  if (!offset) return unfit("original-offset");
  const auto timestamp = from_big_endian<std::int64_t>(header("original-timestamp").value_or(""));
  DeadLetter letter;
  letter.topic = *topic;
  letter.partition = *partition;
  letter.offset = *offset;
  letter.timestamp = Time(std::chrono::milliseconds(timestamp.value_or(0)));
  letter.code = header("exception-fqcn").value_or("");
  letter.reason = header("exception-message").value_or("");
  letter.truncated = header("skald-truncated").has_value();
  return letter;
}

Message redriven(const Record& record, const DeadLetter& letter, std::string_view by) {
  Message message;
  message.topic = letter.topic;
  message.partition = letter.partition;
  message.key = record.key;
  message.value = record.value;
  for (const Header& header : record.headers)
    if (!header.name.starts_with(kPrefix) && header.name != kRedrivenHeader)
      message.headers.push_back(header);
  if (!record.header(kOriginHeader))
    message.headers.push_back(
        {std::string(kOriginHeader), place_of(letter.topic, letter.partition, letter.offset)});
  message.headers.push_back({std::string(kRedrivenHeader), place_of(record) + " by " + std::string(by)});
  return message;
}

}  // namespace skald::wire
