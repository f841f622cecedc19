// Decimal: exact as written, compared by value, refused when it is no plain decimal number.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>

#include "skald/decimal.hpp"

namespace {

skald::Decimal decimal(std::string_view text) {
  auto parsed = skald::Decimal::parse(text);
  EXPECT_TRUE(parsed) << text;
  return *parsed;
}

TEST(Decimal, KeepsItsTextAsWritten) {
  for (const std::string_view text :
       {"0", "-0", "+1", "12.30", "007", "-0.000", "1234567890123456789012345678901234567890",
        "-123456789012345678901234567890.1234567890"})
    EXPECT_EQ(decimal(text).text(), text);
  EXPECT_EQ(skald::Decimal().text(), "0");
  EXPECT_EQ(skald::Decimal(std::numeric_limits<std::int64_t>::min()).text(), "-9223372036854775808");
}

TEST(Decimal, RefusesWhatIsNoPlainDecimalNumber) {
  for (const std::string_view text : {"", "-", "+", ".", "5.", ".5", "-.5", "1e3", "1,5", " 1", "1 ", "1.2.3",
                                      "--1", "0x1", "NaN", "inf", "1_0", "\xD9\xA1"}) {
    const auto parsed = skald::Decimal::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, "SKALD-103");
  }
  EXPECT_FALSE(skald::Decimal::parse(std::string(41, '1')));
  EXPECT_FALSE(skald::Decimal::parse(std::string(20, '1') + "." + std::string(21, '1')));
  EXPECT_FALSE(skald::Decimal::parse(std::string(1 << 20, '1')));
}

TEST(Decimal, ComparesByValue) {
  EXPECT_EQ(decimal("12.3"), decimal("12.30"));
  EXPECT_EQ(decimal("+007"), decimal("7.0"));
  EXPECT_EQ(decimal("-0"), decimal("0.00"));
  EXPECT_NE(decimal("1"), decimal("-1"));
  const std::string_view ascending[] = {
      "-100", "-99.5", "-99.49", "-0.1", "0",       "0.01",
      "0.1",  "0.11",  "9",      "10",   "10.0001", "1234567890123456789012345678901234567890"};
  for (std::size_t i = 0; i + 1 < std::size(ascending); ++i) {
    EXPECT_LT(decimal(ascending[i]), decimal(ascending[i + 1]));
    EXPECT_GT(decimal(ascending[i + 1]), decimal(ascending[i]));
  }
}

}  // namespace
