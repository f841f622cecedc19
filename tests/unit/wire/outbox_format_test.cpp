// The outbox row's bytes: what was written is read, anything else is refused without harm.
#include "wire/outbox_format.hpp"

#include <gtest/gtest.h>

namespace skald::wire {
namespace {

std::vector<Message> samples() {
  return {{"commands", std::nullopt, "key", std::string("\0\xff\n", 3), {{"a", "1"}, {"a", ""}}, "command-1"},
          {"t-dlt", 7, std::nullopt, std::nullopt, {}, ""},
          {"", 0, "", "", {}, ""}};
}

TEST(OutboxFormat, MessagesComeBackAsTheyWere) {
  const auto decoded = decode_messages(encode_messages(samples()));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, samples());
}

TEST(OutboxFormat, NoMessagesAreARowToo) {
  const auto decoded = decode_messages(encode_messages({}));
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->empty());
}

TEST(OutboxFormat, TheBytesAreThoseOfTheDocumentedFormat) {
  const std::vector<Message> one{{"t", 2, "k", std::nullopt, {{"h", "v"}}, "c"}};
  const char expected[] =
      "\x01\x01\x00\x00\x00\x03\x01\x00\x00\x00t\x02\x00\x00\x00\x01\x00\x00\x00k"
      "\x01\x00\x00\x00\x01\x00\x00\x00h\x01\x00\x00\x00v\x01\x00\x00\x00"
      "c";
  EXPECT_EQ(encode_messages(one), std::string(expected, sizeof expected - 1));
}

TEST(OutboxFormat, ARowCutAnywhereIsRefused) {
  const std::string whole = encode_messages(samples());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto decoded = decode_messages(std::string_view{whole}.substr(0, length));
    ASSERT_FALSE(decoded) << length;
    EXPECT_EQ(decoded.error().kind, ErrorKind::kInvalid);
  }
  EXPECT_FALSE(decode_messages(whole + "x"));
}

TEST(OutboxFormat, AnyByteChangedIsReadOrRefusedButNeverHarms) {
  const std::string whole = encode_messages(samples());
  std::size_t refused = 0;
  for (std::size_t offset = 0; offset < whole.size(); ++offset) {
    std::string changed = whole;
    changed[offset] = static_cast<char>(changed[offset] ^ 0xff);
    refused += decode_messages(changed) ? 0 : 1;
  }
  EXPECT_GT(refused, 0u);
}

TEST(OutboxFormat, LengthsBeyondTheRowReserveNothing) {
  EXPECT_FALSE(decode_messages(std::string("\x01\xff\xff\xff\xff", 5)));
  EXPECT_FALSE(
      decode_messages(std::string("\x01\x01\x00\x00\x00\x00\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0", 19)));
}

TEST(OutboxFormat, AnotherVersionIsNamed) {
  std::string other = encode_messages(samples());
  other[0] = 2;
  const auto decoded = decode_messages(other);
  ASSERT_FALSE(decoded);
  EXPECT_NE(decoded.error().message.find("format 2"), std::string::npos);
}

}  // namespace
}  // namespace skald::wire
