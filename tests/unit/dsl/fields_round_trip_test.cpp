// Reading and writing of mapped types: what goes out comes back, and nothing is rounded, defaulted or lost.
#include <gtest/gtest.h>

#include <limits>

#include "skald/fields.hpp"

namespace {

enum class Colour { red, green };
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
  bool operator==(const Order&) const = default;
};
SKALD_FIELDS(Order, id, total_cents, serial, gift, weight, price, colour, lines, marks, note)

struct Tree {
  std::string name;
  std::vector<Tree> children;
};
SKALD_FIELDS(Tree, name, children)

struct Empty {};
SKALD_FIELDS(Empty)

TEST(FieldsRoundTrip, EveryKindOfFieldComesBackAsItWas) {
  Order order{.id = "o-1",
              .total_cents = std::numeric_limits<std::int64_t>::min(),
              .serial = std::numeric_limits<std::uint64_t>::max(),
              .gift = true,
              .weight = 0.1,
              .price = skald::Decimal::parse("12.30").value(),
              .colour = Colour::red,
              .lines = {{"a\"b", 2}, {"ü", 3}},
              .marks = {{"x", {1, 2}}, {"y", {}}},
              .note = std::nullopt};
  const std::string text = skald::to_json(order);
  EXPECT_EQ(
      text,
      R"({"id":"o-1","total_cents":-9223372036854775808,"serial":18446744073709551615,"gift":true,"weight":0.1,)"
      R"("price":"12.30","colour":"red","lines":[{"sku":"a\"b","quantity":2},{"sku":"ü","quantity":3}],)"
      R"("marks":{"x":[1,2],"y":[]}})");
  const auto read = skald::from_json<Order>(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, order);
  EXPECT_EQ(read->price.text(), "12.30");
}

TEST(FieldsRoundTrip, ATypeMayHoldItself) {
  const auto read = skald::from_json<Tree>(R"({"name":"a","children":[{"name":"b","children":[]}]})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->children.at(0).name, "b");
  EXPECT_NE(skald::json_schema<Tree>().find(R"("items":{"$ref":"#"})"), std::string::npos);
}

TEST(FieldsRoundTrip, AMisfitNamesItsPlace) {
  const auto read =
      skald::from_json<std::vector<Line>>(R"([{"sku":"a","quantity":1},{"sku":"b","quantity":"2"}])");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, "SKALD-103");
  EXPECT_EQ(read.error().message, "at /1/quantity: expected an integer, found a string");
}

TEST(MakeInput, TakesTheInputOrOneArgumentForEachField) {
  EXPECT_EQ(skald::make_input<Line>("a", 2), (Line{"a", 2}));
  EXPECT_EQ(skald::make_input<Line>(Line{"b", 3}), (Line{"b", 3}));
  EXPECT_EQ(skald::field_count<Line>(), 2u);
  EXPECT_EQ(skald::field_count<Empty>(), 0u);
  EXPECT_EQ(skald::to_json(skald::make_input<Empty>()), "{}");
  EXPECT_EQ(skald::make_input<skald::Nothing>(), skald::Nothing{});
}

}  // namespace
