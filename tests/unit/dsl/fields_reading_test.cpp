// Reading and writing of mapped types: what goes out comes back; what does not fit is refused with its place; nothing
// is rounded, defaulted or dropped on the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "skald/fields.hpp"

namespace shop {

enum class Colour { red, green, hidden };
SKALD_ENUM(Colour, red, green)

struct Line {
  std::string sku;
  std::int32_t quantity = 1;
  bool operator==(const Line&) const = default;
};
SKALD_FIELDS(Line, sku, quantity)

struct Order {
  std::string id;
  std::int64_t total_cents = 0;
  std::uint64_t serial = 0;
  bool gift = false;
  double weight = 0;
  skald::Decimal price;
  Colour colour = Colour::green;
  std::vector<Line> lines;
  std::map<std::string, std::vector<int>> marks;
  std::optional<std::string> note;
  skald::Nothing rest;
  bool operator==(const Order&) const = default;
};
SKALD_FIELDS(Order, id, total_cents, serial, gift, weight, price, colour, lines, marks, note, rest)

struct Tree {
  std::string name;
  std::vector<Tree> children;
};
SKALD_FIELDS(Tree, name, children)

struct Discounted : Line {
  std::int8_t percent = 0;
};
SKALD_FIELDS(Discounted, sku, percent)

struct Undescribed : Line {};

struct Empty {};
SKALD_FIELDS(Empty)

struct Outer {
  struct Inner {
    std::vector<bool> flags;
    std::optional<Colour> colour;
    std::optional<Line> line;
  };
  Inner inner;
};
SKALD_FIELDS(Outer::Inner, flags, colour, line)
SKALD_FIELDS(Outer, inner)

struct Wide {
  int a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0, a6 = 0, a7 = 0, a8 = 0, b1 = 0, b2 = 0, b3 = 0, b4 = 0, b5 = 0,
      b6 = 0, b7 = 0, b8 = 0, c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0, c6 = 0, c7 = 0, c8 = 0, d1 = 0, d2 = 0,
      d3 = 0, d4 = 0, d5 = 0, d6 = 0, d7 = 0, d8 = 0;
};
SKALD_FIELDS(Wide, a1, a2, a3, a4, a5, a6, a7, a8, b1, b2, b3, b4, b5, b6, b7, b8, c1, c2, c3, c4, c5, c6, c7,
             c8, d1, d2, d3, d4, d5, d6, d7, d8)

}  // namespace shop

namespace {

using shop::Colour, shop::Line, shop::Order, shop::Outer, shop::Tree;
using testing::HasSubstr;

static_assert(skald::JsonMapped<Order> && skald::JsonMapped<const Order> && skald::JsonMapped<Colour>);
static_assert(skald::JsonMapped<std::optional<std::vector<std::map<std::string, skald::Decimal>>>>);
static_assert(!skald::JsonMapped<shop::Undescribed>, "a type does not take over the fields of its base");
static_assert(!skald::JsonMapped<float> && !skald::JsonMapped<char> && !skald::JsonMapped<const char*>);
static_assert(!skald::JsonMapped<std::vector<shop::Undescribed>>);
static_assert(!skald::JsonMapped<std::map<int, int>>);
static_assert(!skald::JsonMapped<std::optional<std::optional<int>>>, "null would mean two things");
static_assert(skald::field_count<shop::Wide>() == 32);
static_assert(skald::field_count<shop::Empty>() == 0);

template <class T>
std::string refusal(std::string_view text) {
  const auto read = skald::from_json<T>(text);
  if (read) return "accepted";
  EXPECT_EQ(read.error().code, "SKALD-103");
  return read.error().message;
}

Order an_order() {
  return {.id = "o-1",
          .total_cents = std::numeric_limits<std::int64_t>::min(),
          .serial = std::numeric_limits<std::uint64_t>::max(),
          .gift = true,
          .weight = 0.1,
          .price = skald::Decimal::parse("12.30").value(),
          .colour = Colour::red,
          .lines = {{"a\"b", 2}, {"ü", 3}},
          .marks = {{"x", {1, 2}}, {"y", {}}},
          .note = std::nullopt,
          .rest = {}};
}

TEST(Fields, OfEveryKindComeBackAsTheyWere) {
  const std::string text = skald::to_json(an_order());
  EXPECT_EQ(
      text,
      R"({"id":"o-1","total_cents":-9223372036854775808,"serial":18446744073709551615,"gift":true,"weight":0.1,)"
      R"("price":"12.30","colour":"red","lines":[{"sku":"a\"b","quantity":2},{"sku":"ü","quantity":3}],)"
      R"("marks":{"x":[1,2],"y":[]},"rest":{}})");
  const auto read = skald::from_json<Order>(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, an_order());
  EXPECT_EQ(read->price.text(), "12.30");
}

TEST(Fields, AreReadInAnyOrderAndUnknownOnesAreIgnored) {
  const auto line = skald::from_json<Line>(R"({"new":{"quantity":9},"quantity":2,"other":[1],"sku":"a"})");
  ASSERT_TRUE(line) << line.error().message;
  EXPECT_EQ(*line, (Line{"a", 2}));
}

TEST(Fields, ThatAreMissingAreRefusedEvenIfTheMemberHasADefault) {
  EXPECT_EQ(refusal<Line>(R"({"sku":"a"})"), "at /quantity: expected an integer, but the field is missing");
  EXPECT_EQ(refusal<Outer>(R"({"inner":{}})"),
            "at /inner/flags: expected an array, but the field is missing");
  EXPECT_EQ(refusal<Line>(R"({"sku":"a","quantity":null})"), "at /quantity: expected an integer, found null");
}

TEST(Fields, ThatAreOptionalMayBeAbsentOrNullAndAreLeftOutWhenEmpty) {
  for (const std::string_view text : {R"({"flags":[]})", R"({"flags":[],"colour":null,"line":null})"}) {
    const auto inner = skald::from_json<Outer::Inner>(text);
    ASSERT_TRUE(inner) << inner.error().message;
    EXPECT_FALSE(inner->colour);
    EXPECT_EQ(skald::to_json(*inner), R"({"flags":[]})");
  }
  const std::string full = R"({"flags":[true,false],"colour":"red","line":{"sku":"a","quantity":1}})";
  EXPECT_EQ(skald::to_json(*skald::from_json<Outer::Inner>(full)), full);
  EXPECT_EQ(refusal<Outer::Inner>(R"({"flags":[],"line":{"sku":1,"quantity":1}})"),
            "at /line/sku: expected a string, found an integer");
}

TEST(Fields, ThatDoNotFitNameTheirPlaceAndNotTheirContent) {
  EXPECT_EQ(refusal<std::vector<Line>>(R"([{"sku":"a","quantity":1},{"sku":"b","quantity":"secret"}])"),
            "at /1/quantity: expected an integer, found a string");
  using Nested = std::map<std::string, std::vector<int>>;
  EXPECT_EQ(refusal<Nested>(R"({"a/b":[1,true]})"), "at /a~1b/1: expected an integer, found a boolean");
  EXPECT_EQ(refusal<Nested>(R"({"a":{}})"), "at /a: expected an array, found an object");
  EXPECT_EQ(refusal<Nested>("[]"), "at the root: expected an object, found an array");
  EXPECT_EQ(refusal<std::string>("7"), "at the root: expected a string, found an integer");
  EXPECT_EQ(refusal<bool>("0"), "at the root: expected a boolean, found an integer");
  EXPECT_EQ(refusal<double>("\"0\""), "at the root: expected a number, found a string");
}

TEST(Fields, ErrorsHoldNoLineBreaksAndNoLongNames) {
  const std::string evil =
      refusal<std::map<std::string, int>>("{\"a\\nERROR all lost" + std::string(5000, 'x') + "\":\"\"}");
  EXPECT_EQ(evil.find('\n'), std::string::npos);
  EXPECT_LT(evil.size(), 300u);
}

TEST(Fields, IntegersOfEveryWidthKeepTheirRange) {
  EXPECT_EQ(*skald::from_json<std::int8_t>("-128"), -128);
  EXPECT_EQ(refusal<std::int8_t>("128"),
            "at the root: expected an integer from -128 to 127, found one outside");
  EXPECT_EQ(*skald::from_json<std::uint8_t>("255"), 255);
  EXPECT_EQ(refusal<std::uint8_t>("256"),
            "at the root: expected an integer from 0 to 255, found one outside");
  EXPECT_EQ(refusal<std::uint64_t>("-1"),
            "at the root: expected an integer from 0 to 18446744073709551615, found one outside");
  EXPECT_EQ(*skald::from_json<std::uint64_t>("18446744073709551615"),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(refusal<std::uint64_t>("18446744073709551616"),
            "at the root: expected an integer, found an integer beyond 64 bits");
  EXPECT_EQ(skald::to_json(std::int8_t{-5}), "-5");
}

TEST(Fields, EnumsAreReadAndWrittenByName) {
  EXPECT_EQ(*skald::from_json<Colour>("\"green\""), Colour::green);
  EXPECT_EQ(skald::to_json(Colour::red), "\"red\"");
  EXPECT_EQ(refusal<Colour>("\"Red\""), "at the root: expected one of red, green, found another string");
  EXPECT_EQ(refusal<Colour>("0"), "at the root: expected one of red, green, found an integer");
}

TEST(Fields, OfABaseMayBeNamed) {
  const auto read = skald::from_json<shop::Discounted>(R"({"sku":"a","percent":5})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(skald::to_json(*read), R"({"sku":"a","percent":5})");
}

TEST(Fields, OfATypeThatHoldsItselfAreRead) {
  const auto read = skald::from_json<Tree>(R"({"name":"a","children":[{"name":"b","children":[]}]})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->children.at(0).name, "b");
  EXPECT_EQ(refusal<Tree>(R"({"name":"a","children":[{"name":"b","children":[{}]}]})"),
            "at /children/0/children/0/name: expected a string, but the field is missing");
}

TEST(Fields, UpToThirtyTwoAreRead) {
  shop::Wide wide;
  wide.d8 = 8;
  EXPECT_EQ(skald::from_json<shop::Wide>(skald::to_json(wide))->d8, 8);
}

TEST(Nothing, IsWrittenAsAnEmptyObjectAndReadFromNullOrAnyObject) {
  EXPECT_EQ(skald::to_json(skald::Nothing{}), "{}");
  for (const std::string_view text : {"null", "{}", R"({"a":1})"})
    EXPECT_TRUE(skald::from_json<skald::Nothing>(text)) << text;
  EXPECT_EQ(refusal<skald::Nothing>("[]"), "at the root: expected an object or null, found an array");
}

template <class T>
std::string unwritable(const T& value, const skald::json::Limits& limits = {}) {
  try {
    return "wrote " + skald::to_json(value, limits);
  } catch (const skald::NotRepresentable& error) {
    return error.what();
  }
}

TEST(Writing, RefusesWhatNoReaderCouldTakeAndNamesThePlace) {
  Order order = an_order();
  order.weight = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(unwritable(order),
            "SKALD-104: at /weight: JSON as we read it cannot hold a double that is not finite");
  order = an_order();
  order.lines[1].sku = "\xFF";
  EXPECT_EQ(unwritable(order),
            "SKALD-104: at /lines/1/sku: JSON as we read it cannot hold a string that is not UTF-8");
  order = an_order();
  order.id = std::string("a\0b", 3);
  EXPECT_EQ(unwritable(order), "SKALD-104: at /id: JSON as we read it cannot hold a string with U+0000");
  order = an_order();
  order.colour = Colour::hidden;
  EXPECT_EQ(
      unwritable(order),
      "SKALD-104: at /colour: JSON as we read it cannot hold an enumerator that SKALD_ENUM does not list");
}

TEST(Writing, AnswersAnErrorWhereExceptionsAreNotAtHome) {
  EXPECT_EQ(skald::try_to_json(Line{"a", 1}).value(), R"({"sku":"a","quantity":1})");
  const auto refused = skald::try_to_json(Line{"\xFF", 1});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "SKALD-104");
  EXPECT_EQ(refused.error().message, "at /sku: JSON as we read it cannot hold a string that is not UTF-8");
}

TEST(Writing, MayFailForWhatWasJustReadWhenItGrowsBeyondTheLimit) {
  const skald::json::Limits limits{.maximum_bytes = 9};
  const auto numbers = skald::from_json<std::vector<double>>("[1e9, 2]", limits);
  ASSERT_TRUE(numbers) << numbers.error().message;
  EXPECT_EQ(skald::try_to_json(*numbers, limits).value(), "[1e+09,2]");
  const auto longer = skald::from_json<std::vector<double>>("[1e9,1e9]", limits);
  ASSERT_TRUE(longer) << longer.error().message;
  EXPECT_EQ(skald::try_to_json(*longer, limits).error().code, "SKALD-104");
}

TEST(Writing, RefusesWhatExceedsTheLimitsOfReading) {
  EXPECT_EQ(unwritable(std::string(1 << 20, 'a')),
            "SKALD-104: the JSON would have 1048578 bytes; the limit is 1048576");
  EXPECT_EQ(unwritable(std::vector<int>(3), {.maximum_members = 3}),
            "SKALD-104: the JSON would have 4 values; the limit is 3");
  Tree tree;
  for (int i = 0; i < 40; ++i) {
    Tree parent{.name = "p", .children = {}};
    parent.children.push_back(std::move(tree));
    tree = std::move(parent);
  }
  EXPECT_EQ(unwritable(tree), "SKALD-104: the JSON would have 82 levels; the limit is 64");
}

}  // namespace
