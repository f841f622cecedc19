// A dead letter is the record as it came plus the headers JVM tooling reads, and is always small enough to publish.
#include "wire/dead_letter.hpp"

#include <gtest/gtest.h>

namespace skald::wire {
namespace {

Record sample() {
  Record record;
  record.topic = "orders";
  record.partition = 258;
  record.offset = 72623859790382856;  // 0x0102030405060708
  record.timestamp = Time{std::chrono::milliseconds{1}};
  record.key = "k\xff";
  record.value = "[[[";
  record.headers = {{"ce_id", "a"}, {"ce_id", "b"}};
  return record;
}

std::optional<std::string> header(const Message& message, const std::string& name) {
  for (const auto& header : message.headers)
    if (header.name == name) return header.value;
  return std::nullopt;
}

std::size_t bytes_of(const Message& message) {
  std::size_t bytes = message.key.value_or("").size() + message.value.value_or("").size();
  for (const auto& header : message.headers) bytes += header.name.size() + header.value.size();
  return bytes;
}

TEST(DeadLetter, KeepsTheRecordAndSaysWhy) {
  const auto letter = dead_letter(sample(), "SKALD-303", "byte 3: not JSON");
  EXPECT_EQ(letter.topic, "orders-dlt");
  EXPECT_EQ(letter.partition, 258);
  EXPECT_EQ(letter.key, "k\xff");
  EXPECT_EQ(letter.value, "[[[");
  ASSERT_GE(letter.headers.size(), 2U);
  EXPECT_EQ(letter.headers[0], (Header{"ce_id", "a"}));
  EXPECT_EQ(letter.headers[1], (Header{"ce_id", "b"}));
  EXPECT_EQ(header(letter, "kafka_dlt-original-topic"), "orders");
  EXPECT_EQ(header(letter, "kafka_dlt-original-partition"), std::string("\0\0\x01\x02", 4));
  EXPECT_EQ(header(letter, "kafka_dlt-original-offset"), std::string("\x01\x02\x03\x04\x05\x06\x07\x08", 8));
  EXPECT_EQ(header(letter, "kafka_dlt-original-timestamp"), std::string("\0\0\0\0\0\0\0\x01", 8));
  EXPECT_EQ(header(letter, "kafka_dlt-exception-fqcn"), "SKALD-303");
  EXPECT_EQ(header(letter, "kafka_dlt-exception-message"), "byte 3: not JSON");
  EXPECT_EQ(header(letter, "kafka_dlt-skald-truncated"), std::nullopt);
  EXPECT_EQ(letter.command_id, "");
}

TEST(DeadLetter, OfATombstoneStaysOne) {
  auto record = sample();
  record.key.reset();
  record.value.reset();
  const auto letter = dead_letter(record, "SKALD-303", "the value is null");
  EXPECT_EQ(letter.key, std::nullopt);
  EXPECT_EQ(letter.value, std::nullopt);
}

TEST(DeadLetter, IsCutToWhatKafkaTakes) {
  for (const bool in_headers : {false, true}) {
    auto record = sample();
    if (in_headers)
      for (int count = 0; count < 10'000; ++count) record.headers.push_back({"h", std::string(1000, 'x')});
    else
      record.value = std::string(4 << 20, 'x');
    record.key = std::string(1 << 20, 'k');
    const auto letter = dead_letter(record, "SKALD-301", std::string(100'000, 'r'));
    EXPECT_LE(bytes_of(letter), kMaximumDeadLetterBytes);
    EXPECT_EQ(header(letter, "kafka_dlt-skald-truncated"), "true");
    EXPECT_EQ(header(letter, "kafka_dlt-original-topic"), "orders");
    EXPECT_EQ(header(letter, "ce_id"), "a");
  }
}

}  // namespace
}  // namespace skald::wire
