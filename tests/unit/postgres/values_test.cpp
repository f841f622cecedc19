// Values cross to PostgreSQL and back as they were.
#include "postgres/values.hpp"

#include <gtest/gtest.h>

namespace skald::postgres {
namespace {

TEST(PostgresValues, BytesComeBackAsTheyWere) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  EXPECT_EQ(bytea_literal(bytes).substr(0, 8), "\\x000102");
  EXPECT_EQ(bytes_of(bytea_literal(bytes)), bytes);
  EXPECT_EQ(bytes_of("\\x"), "");
}

TEST(PostgresValues, WhatIsNotHexadecimalOutputIsRefused) {
  for (const char* literal : {"", "\\", "x00", "\\x0", "\\x0g", "\\001"})
    EXPECT_FALSE(bytes_of(literal)) << literal;
}

TEST(PostgresValues, ArraysQuoteTheirTexts) {
  ArrayLiteral texts;
  texts.add_text("plain");
  texts.add_text("");
  texts.add_text("a\"b\\c,{}");
  EXPECT_EQ(std::move(texts).finish(), "{\"plain\",\"\",\"a\\\"b\\\\c,{}\"}");
  ArrayLiteral numbers;
  numbers.add(std::int64_t{-1});
  numbers.add(Time{std::chrono::milliseconds{5}});
  EXPECT_EQ(std::move(numbers).finish(), "{-1,5}");
  EXPECT_EQ(ArrayLiteral{}.finish(), "{}");
}

}  // namespace
}  // namespace skald::postgres
