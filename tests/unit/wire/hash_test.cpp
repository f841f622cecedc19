// The hashes other programs must agree with, by published values.
#include <gtest/gtest.h>

#include <string>

#include "wire/checksum.hpp"
#include "wire/murmur2.hpp"

namespace skald::wire {
namespace {

TEST(Murmur2, GivesWhatTheJvmClientGives) {
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("21")), -973932308);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("foobar")), -790332482);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("a-little-bit-long-string")), -985981536);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("a-little-bit-longer-string")), -1486304829);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")),
            -58897971);
  EXPECT_EQ(static_cast<std::int32_t>(murmur2("abc")), 479470107);
}

TEST(Murmur2, HashesEachTailLength) {
  EXPECT_EQ(murmur2(""), 0x106e08d9U);
  EXPECT_EQ(murmur2("4"), 0x5a4b5ca1U);
  EXPECT_EQ(murmur2("34"), 0x873930daU);
  EXPECT_EQ(murmur2("234"), 0xe7c009caU);
  EXPECT_EQ(murmur2("1234"), 0x9fc97b14U);
}

TEST(Murmur2, RouteIsNeverNegative) {
  EXPECT_EQ(route_of("21"), -973932308 & 0x7fffffff);
  EXPECT_EQ(route_of("abc"), 479470107);
  for (int number = 0; number < 1000; ++number) EXPECT_GE(route_of("order-" + std::to_string(number)), 0);
}

TEST(Checksum, GivesThePublishedValues) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Checksum, ContinuesFromASeed) {
  EXPECT_EQ(crc32c("56789", crc32c("1234")), crc32c("123456789"));
  EXPECT_EQ(crc32c("", 0x12345678U), 0x12345678U);
}

TEST(Checksum, InstructionAndTableAgreeAtEveryLength) {
  std::string bytes;
  for (int length = 0; length < 100; ++length) {
    EXPECT_EQ(crc32c(bytes), crc32c_by_table(bytes)) << length;
    bytes.push_back(static_cast<char>(length * 37));
  }
}

}  // namespace
}  // namespace skald::wire
