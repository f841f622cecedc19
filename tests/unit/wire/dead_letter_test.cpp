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

/// As it would be read from the dead-letter topic.
Record read_back(const Message& letter, std::int64_t offset) {
  return {letter.topic, *letter.partition, offset, Time{}, letter.key, letter.value, letter.headers};
}

TEST(DeadLetter, SaysWhatItWasAndGoesBackAsItWas) {
  const Record letter = read_back(dead_letter(sample(), "SKALD-404", "no cents"), 5);
  const auto read = read_dead_letter(letter);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->topic, "orders");
  EXPECT_EQ(read->partition, 258);
  EXPECT_EQ(read->offset, 72623859790382856);
  EXPECT_EQ(read->timestamp, sample().timestamp);
  EXPECT_EQ(read->code, "SKALD-404");
  EXPECT_EQ(read->reason, "no cents");
  EXPECT_FALSE(read->truncated);
  const Message back = redriven(letter, *read, "ann: mended");
  EXPECT_EQ(back.topic, "orders");
  EXPECT_EQ(back.partition, 258);
  EXPECT_EQ(back.key, sample().key);
  EXPECT_EQ(back.value, sample().value);
  EXPECT_EQ(back.headers, (std::vector<Header>{{"ce_id", "a"},
                                               {"ce_id", "b"},
                                               {"skald-origin", "orders[258]@72623859790382856"},
                                               {"skald-redriven", "orders-dlt[258]@5 by ann: mended"}}));
}

TEST(DeadLetter, ThatComesAgainKeepsItsFirstOrigin) {
  const Record first = read_back(dead_letter(sample(), "SKALD-404", "no cents"), 5);
  Record back = read_back(redriven(first, *read_dead_letter(first), "ann: mended"), 99);
  const Record second = read_back(dead_letter(back, "SKALD-404", "still none"), 6);
  const auto read = read_dead_letter(second);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->offset, 99);
  EXPECT_EQ(read->reason, "still none");
  const Message again = redriven(second, *read, "ben: now");
  EXPECT_EQ(again.headers, (std::vector<Header>{{"ce_id", "a"},
                                                {"ce_id", "b"},
                                                {"skald-origin", "orders[258]@72623859790382856"},
                                                {"skald-redriven", "orders-dlt[258]@6 by ben: now"}}));
}

TEST(DeadLetter, WhatIsNoneIsRefusedByTheHeaderThatIsMissing) {
  Record record = read_back(dead_letter(sample(), "SKALD-404", "no cents"), 5);
  std::erase_if(record.headers, [](const Header& one) { return one.name == "kafka_dlt-original-offset"; });
  const auto without = read_dead_letter(record);
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().message,
            "no dead letter: its header kafka_dlt-original-offset is missing or has the wrong length");
  record.headers.push_back({"kafka_dlt-original-offset", "17"});
  EXPECT_FALSE(read_dead_letter(record)) << "a number as text";
  EXPECT_FALSE(read_dead_letter(sample()));
}

}  // namespace
}  // namespace skald::wire
