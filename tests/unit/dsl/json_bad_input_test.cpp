// The bad inputs B1 to B6: each is refused at a byte that is named, or read exactly; none costs stack or memory beyond
// its limit. Method: the text as it might stand on a topic, and the whole error, since operators read it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "skald/fields.hpp"

namespace {

using skald::json::Document;
using skald::json::Kind;
using skald::json::Limits;
using testing::HasSubstr;

std::string repeated(std::string_view part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

void expect_refused(std::string_view text, std::string_view code, std::string_view why,
                    const Limits& limits = {}) {
  const auto document = Document::parse(text, limits);
  ASSERT_FALSE(document) << "accepted: " << text.substr(0, 60);
  EXPECT_EQ(document.error().code, code) << text.substr(0, 60);
  EXPECT_EQ(document.error().kind, skald::ErrorKind::kInvalid);
  EXPECT_THAT(document.error().message, HasSubstr(std::string(why))) << text.substr(0, 60);
}
void expect_malformed(std::string_view text, std::string_view why) { expect_refused(text, "SKALD-101", why); }
void expect_beyond(std::string_view text, std::string_view why) { expect_refused(text, "SKALD-102", why); }

std::string text_of(std::string_view text) {
  const auto document = Document::parse(text);
  return document ? document->root().text() : document.error().message;
}

struct Money {
  std::int64_t cents = 0;
  double rate = 0;
  skald::Decimal price;
};
SKALD_FIELDS(Money, cents, rate, price)

TEST(BadInputB1, NestingIsAcceptedToTheLimitAndRefusedBeyond) {
  EXPECT_TRUE(Document::parse(repeated("[", 64) + repeated("]", 64)));
  EXPECT_TRUE(Document::parse(repeated(R"({"a":)", 64) + "1" + repeated("}", 64)));
  expect_beyond(repeated("[", 65) + repeated("]", 65), "at byte 64: nested deeper than 64 levels");
  expect_beyond(repeated(R"({"a":)", 65) + "1" + repeated("}", 65),
                "at byte 320: nested deeper than 64 levels");
}

TEST(BadInputB1, ADeepTextIsRefusedAtTheLimitAndNeverReadToItsEnd) {
  expect_beyond(repeated("[", 100'000), "at byte 64: nested deeper");
  expect_beyond(repeated("[", 1 << 20), "at byte 64: nested deeper");
  expect_beyond(repeated(R"([{"a":)", 100'000), "nested deeper");
}

TEST(BadInputB1, AGenerousLimitStillBoundsTheStack) {
  const Limits generous{.maximum_bytes = 1 << 24, .maximum_depth = 1'000'000, .maximum_members = 10'000'000};
  expect_refused(repeated("[", 1'000'000), "SKALD-102", "nested deeper than 1000 levels", generous);
  const auto deep = Document::parse(repeated("[", 1000) + repeated("]", 1000), generous);
  ASSERT_TRUE(deep);
  EXPECT_EQ(deep->root().text().size(), 2000u);
}

TEST(BadInputB2, BytesThatAreNotUtf8AreRefusedWithTheirOffset) {
  for (const std::string_view bytes : {
           "\x80",              // continuation without a lead
           "\xC3",              // cut
           "\xC3(",             // no continuation
           "\xC0\xAF",          // overlong /
           "\xC1\xBF",          // overlong
           "\xE0\x80\xAF",      // overlong
           "\xE0\x9F\xBF",      // overlong
           "\xF0\x80\x80\xAF",  // overlong
           "\xED\xA0\x80",      // surrogate
           "\xED\xBF\xBF",      // surrogate
           "\xF4\x90\x80\x80",  // beyond U+10FFFF
           "\xF5\x80\x80\x80",
           "\xFF",
       }) {
    expect_malformed("{\"a\":\"xy" + std::string(bytes) + "\"}", "at byte 8: bytes that are not UTF-8");
    expect_malformed("{\"" + std::string(bytes) + "\":1}", "at byte 2: bytes that are not UTF-8");
  }
  expect_malformed("{\"a\":\xC3\xBC}", "at byte 5: expected a value here");
}

TEST(BadInputB2, ATextCutInsideACharacterIsRefusedWhereTheCharacterBegins) {
  for (const std::string_view cut : {"\xC3", "\xE2\x82", "\xF0", "\xF0\x9F", "\xF0\x9F\x98"}) {
    expect_malformed("[\"ab" + std::string(cut), "at byte 4: bytes that are not UTF-8");
    expect_malformed("[\"\\n" + std::string(cut), "at byte 4: bytes that are not UTF-8");
  }
}

TEST(BadInputB2, HalfASurrogatePairIsRefused) {
  expect_malformed(R"(["\uD800"])", "at byte 2: half of a surrogate pair");
  expect_malformed(R"(["x\uDC00"])", "at byte 3: half of a surrogate pair");
  expect_malformed(R"(["\uD800\n"])", "half of a surrogate pair");
  expect_malformed(R"(["\uD800\uD800"])", "half of a surrogate pair");
  expect_malformed(R"(["\uD800\u0041"])", "half of a surrogate pair");
  expect_malformed(R"(["\\\uD83D\uDE00\n\uDFFF"])", "at byte 18: half of a surrogate pair");
  expect_malformed(R"({"\uDC00":1})", "at byte 2: half of a surrogate pair");
  EXPECT_EQ(text_of(R"(["\uD83D\uDE00\u00fc\u20AC"])"), "[\"\U0001F600\u00FC\u20AC\"]");
}

TEST(BadInputB2, AByteOrderMarkIsRefused) {
  expect_malformed("\xEF\xBB\xBF{}", "at byte 0: a byte order mark");
  expect_malformed(std::string_view("\xFE\xFF\0{", 4), "at byte 0: expected a value");
  EXPECT_EQ(text_of("[\"\xEF\xBB\xBF\"]"), "[\"\xEF\xBB\xBF\"]") << "inside a string it is a character";
}

TEST(BadInputB3, TheNullCharacterIsRefusedInStringsAndNames) {
  expect_malformed(R"({"a":"x\u0000y"})", "at byte 7: \\u0000");
  expect_malformed(R"({"a\u0000":1})", "at byte 3: \\u0000");
  expect_malformed(std::string_view("[\"a\0b\"]", 7), "at byte 3: a control character");
  expect_malformed(std::string_view("{}\0", 3), "at byte 2: bytes after the end");
  expect_malformed(std::string_view("\0{}", 3), "at byte 0: expected a value");
  EXPECT_EQ(text_of(R"(["\\u0000"])"), R"(["\\u0000"])") << "an escaped backslash is no escape";
}

TEST(BadInputB4, NothingAndNothingButSpaceAreRefused) {
  expect_malformed("", "at byte 0: there is no value");
  expect_malformed(" \t\r\n ", "at byte 5: there is no value");
  expect_malformed("\v{}", "at byte 0: expected a value here");
}

TEST(BadInputB4, AScalarRootDoesNotFitAStruct) {
  for (const std::string_view text : {"null", "true", "5", "1.5", "\"x\"", "[]"}) {
    EXPECT_TRUE(Document::parse(text)) << text;
    const auto money = skald::from_json<Money>(text);
    ASSERT_FALSE(money) << text;
    EXPECT_EQ(money.error().code, "SKALD-103");
    EXPECT_THAT(money.error().message, testing::StartsWith("at the root: expected an object, found "))
        << text;
  }
}

TEST(BadInputB4, BytesAfterTheValueAreRefused) {
  expect_malformed("{} {}", "at byte 3: bytes after the end");
  expect_malformed("{}}", "at byte 2: bytes after the end");
  expect_malformed("1 2", "at byte 2: bytes after the end");
  expect_malformed("null,", "at byte 4: bytes after the end");
  EXPECT_EQ(text_of(" {} \n"), "{}");
}

TEST(BadInputB4, EveryTruncationIsRefused) {
  const std::string_view whole = R"({"a":[1,-2.5e3,true,null,"\u00fc\n\uD83D\uDE00"],"b":{"c":false}})";
  ASSERT_TRUE(Document::parse(whole));
  for (std::size_t length = 0; length < whole.size(); ++length)
    expect_malformed(whole.substr(0, length), "at byte");
  expect_malformed(whole.substr(0, 12), "at byte 12: the text ends too early");
}

TEST(BadInputB4, WhatOnlyLooksLikeJsonIsRefused) {
  expect_malformed("{a:1}", "at byte 1: expected a name in quotes");
  expect_malformed("{'a':1}", "at byte 1: expected a name in quotes");
  expect_malformed(R"({"a" 1})", "at byte 5: expected a colon");
  expect_malformed(R"({"a":1,})", "at byte 7: expected a name in quotes");
  expect_malformed("[1,]", "at byte 3: expected a value");
  expect_malformed("[1 2]", "at byte 3: expected a comma or ]");
  expect_malformed(R"({"a":1 "b":2})", "at byte 7: expected a comma or }");
  expect_malformed("[1}", "at byte 2: expected a comma or ]");
  expect_malformed(R"({"a":1])", "at byte 6: expected a comma or }");
  expect_malformed("[,1]", "at byte 1: expected a value");
  expect_malformed("[nul]", "at byte 4: expected true, false or null");
  expect_malformed("[TRUE]", "at byte 1: expected a value");
  expect_malformed("// no\n{}", "at byte 0: expected a value");
  expect_malformed("[\"\t\"]", "at byte 2: a control character");
  expect_malformed(R"(["\x41"])", "at byte 2: an unknown escape");
  expect_malformed(R"(["\u00g0"])", "at byte 6: expected four hexadecimal digits");
}

TEST(BadInputB5, ANameTwiceInAnObjectIsRefusedWithItsPointer) {
  expect_malformed(R"({"a":1,"b":2,"a":3})", "at byte 14: the name at /a stands twice");
  expect_malformed(R"({"lines":[{"x":1},{"q/y":1,"q\/y":2}]})", "the name at /lines/1/q~1y stands twice");
  expect_malformed(R"({"a":{"b":{"c":1,"\u0063":2}}})", "the name at /a/b/c stands twice");
  expect_malformed(R"([[],[{"":1,"":2}]])", "the name at /1/0/ stands twice");
  EXPECT_TRUE(Document::parse(R"([{"a":1},{"a":2}])"));
}

TEST(BadInputB5, ANameTwiceAmongManyIsFound) {
  std::string members;
  for (int i = 0; i < 1000; ++i) members += "\"name-" + std::to_string(i) + "\":1,";
  EXPECT_TRUE(Document::parse("{" + members + "\"last\":1}"));
  expect_malformed("{" + members + "\"name-500\":1}", "the name at /name-500 stands twice");
}

TEST(BadInputB5, AVeryLongNameIsReadAndNeverRepeatedInAnError) {
  const std::string name(1 << 19, 'n');
  EXPECT_TRUE(Document::parse("{\"" + name + "\":1}"));
  const auto twice =
      Document::parse("{\"" + name + "\":1,\"" + name.substr(1) + "n\":1}", {.maximum_bytes = 1 << 21});
  ASSERT_FALSE(twice);
  EXPECT_LT(twice.error().message.size(), 400u);
  expect_beyond("{\"" + std::string(1 << 20, 'n') + "\":1}", "at byte 1048576: a text of 1048582 bytes");
}

TEST(BadInputB5, AMillionNamesStopAtTheLimit) {
  std::string text = "{";
  for (int i = 0; i < 1'000'000; ++i) (text += i == 0 ? "\"" : ",\"") += std::to_string(i) + "\":1";
  text += "}";
  expect_beyond(text, "a text of");
  const Limits large{.maximum_bytes = 1 << 28};
  expect_refused(text, "SKALD-102", "more than 100000 values", large);
}

TEST(BadInputB5, ValuesAreCountedWhereverTheyStand) {
  const Limits few{.maximum_members = 3};
  EXPECT_TRUE(Document::parse("[1,2]", few));
  expect_refused("[1,2,3]", "SKALD-102", "at byte 5: more than 3 values", few);
  expect_refused(R"({"a":[],"b":{"c":1}})", "SKALD-102", "more than 3 values", few);
}

TEST(BadInputB5, NamesThatMeanSomethingElsewhereAreOrdinary) {
  for (const std::string_view name :
       {"__proto__", "constructor", "", "$ref", "../..", "'; DROP TABLE saga; --"}) {
    const auto document = Document::parse("{\"" + std::string(name) + "\":7}");
    ASSERT_TRUE(document) << name;
    EXPECT_EQ(document->root().find(name).value().as_int64(), 7) << name;
  }
}

TEST(BadInputB6, IntegersAreExactTo64BitsOrRefused) {
  const auto cents = [](std::string_view number) {
    const auto money =
        skald::from_json<Money>("{\"cents\":" + std::string(number) + R"(,"rate":0,"price":"0"})");
    return money ? std::to_string(money->cents) : money.error().message;
  };
  EXPECT_EQ(cents("9007199254740993"), "9007199254740993");
  EXPECT_EQ(cents("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(cents("-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(cents("-0"), "0");
  constexpr std::string_view kOutside =
      "at /cents: expected an integer from -9223372036854775808 to 9223372036854775807, found one outside";
  EXPECT_EQ(cents("9223372036854775808"), kOutside);
  EXPECT_EQ(cents("18446744073709551616"), "at /cents: expected an integer, found an integer beyond 64 bits");
  EXPECT_EQ(cents("-9223372036854775809"), "at /cents: expected an integer, found an integer beyond 64 bits");
  EXPECT_EQ(cents("1.5"), "at /cents: expected an integer, found a number with a fraction or an exponent");
  EXPECT_EQ(cents("1.0"), "at /cents: expected an integer, found a number with a fraction or an exponent");
  EXPECT_EQ(cents("1e3"), "at /cents: expected an integer, found a number with a fraction or an exponent");
  EXPECT_EQ(cents("\"1\""), "at /cents: expected an integer, found a string");
}

TEST(BadInputB6, ADoubleIsNeverMadeFromAnIntegerItWouldRound) {
  const auto rate = [](std::string_view number) {
    return skald::from_json<Money>(R"({"cents":0,"rate":)" + std::string(number) + R"(,"price":"0"})");
  };
  EXPECT_EQ(rate("9007199254740992")->rate, 9007199254740992.0);
  EXPECT_EQ(rate("18446744073709551616")->rate, 18446744073709551616.0) << "2^64 is exact";
  EXPECT_EQ(rate("0.1")->rate, 0.1);
  EXPECT_EQ(rate("5e-324")->rate, 5e-324);
  EXPECT_TRUE(std::signbit(rate("-0")->rate));
  for (const std::string_view number : {"9007199254740993", "18446744073709551617", "-9007199254740993"})
    EXPECT_EQ(rate(number).error().message,
              "at /rate: expected a number, found an integer that a double would round");
}

TEST(BadInputB6, NumbersBeyondADoubleAreRefused) {
  expect_malformed("[1e400]", "at byte 1: a number beyond the range of a double");
  expect_malformed("[-1e400]", "at byte 1: a number beyond the range of a double");
  expect_malformed("[1e-400]", "at byte 1: a number beyond the range of a double");
  expect_malformed("[1e99999999999999999999]", "at byte 1: a number beyond the range of a double");
  expect_beyond("[" + std::string(400, '9') + "]", "at byte 1: a number of more than 128 characters");
  expect_beyond("[0." + std::string(400, '1') + "]", "at byte 1: a number of more than 128 characters");
}

TEST(BadInputB6, AZeroWithAGreatExponentIsRefusedToo) {
  expect_malformed("[0e400]", "at byte 1: a number beyond the range of a double");
  EXPECT_EQ(text_of("[0e300,-0.0E-400]"), "[0e300,-0.0E-400]");
}

TEST(BadInputB6, ALeadingZeroIsNamedWhereverItStands) {
  expect_malformed("01", "at byte 0: a number begins with 0");
  expect_malformed("[-01]", "at byte 2: a number begins with 0");
  expect_malformed(R"({"a":00})", "at byte 5: a number begins with 0");
}

TEST(BadInputB6, WordsAndFormsThatAreNoJsonNumbersAreRefused) {
  for (const std::string_view text : {"NaN", "nan", "Infinity", "-Infinity", "+1", ".5", "5.", "1e", "1e+",
                                      "-", "01", "-01", "0x10", "1_000", "--1", "1.e3"})
    EXPECT_FALSE(Document::parse("[" + std::string(text) + "]")) << text;
}

TEST(BadInputB6, NumbersPassThroughAsTheyWereWritten) {
  for (const std::string_view text :
       {"[12345678901234567890123]", "[1.10]", "[-0]", "[1E+2]", "[0.1234567890123456789]"})
    EXPECT_EQ(text_of(text), text);
}

TEST(BadInputB6, MoneyIsADecimalInAStringAndStaysAsWritten) {
  const auto money = skald::from_json<Money>(R"({"cents":0,"rate":0,"price":"12345678901234567890.10"})");
  ASSERT_TRUE(money) << money.error().message;
  EXPECT_EQ(money->price.text(), "12345678901234567890.10");
  EXPECT_EQ(
      skald::from_json<Money>(R"({"cents":0,"rate":0,"price":12.30})").error().message,
      "at /price: expected a decimal number in a string, found a number with a fraction or an exponent");
}

}  // namespace
