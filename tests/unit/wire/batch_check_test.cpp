// Which texts can be stored, to the byte.
#include "wire/batch_check.hpp"

#include <gtest/gtest.h>

namespace skald::wire {
namespace {

TEST(StorableText, EveryValidSequenceIsStorable) {
  EXPECT_FALSE(first_unstorable_byte(""));
  EXPECT_FALSE(first_unstorable_byte("plain text that is longer than one word of eight bytes"));
  EXPECT_FALSE(first_unstorable_byte(
      "\x01\x7f \xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf"));
  EXPECT_FALSE(first_unstorable_byte("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"));
}

TEST(StorableText, TheFirstBadByteIsNamed) {
  EXPECT_EQ(first_unstorable_byte(std::string_view("\0", 1)), 0u);
  EXPECT_EQ(first_unstorable_byte(std::string_view("0123456789abcdef\0x", 18)), 16u);
  EXPECT_EQ(first_unstorable_byte("01234567\xff"), 8u);
  EXPECT_EQ(first_unstorable_byte("a\xc3"), 1u);
}

TEST(StorableText, WhatLooksLikeUtf8ButIsNotIsRefused) {
  for (const char* bad : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                          "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                          "\xf8\x88\x80\x80\x80", "\xe2\x82", "\xf0\x9f\x98", "\xe2\x28\xa1", "\xfe"})
    EXPECT_EQ(first_unstorable_byte(bad), 0u);
}

}  // namespace
}  // namespace skald::wire
