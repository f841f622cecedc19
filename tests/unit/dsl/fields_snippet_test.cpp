// The snippet of docs/fields.md, compiled and run; a test below compares it with the page, line by line.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "skald/fields.hpp"

namespace {

// clang-format off
// snippet begins
enum class Parcel { letter, small, large };
SKALD_ENUM(Parcel, letter, small, large)

struct Line {
  std::string sku;
  std::int32_t quantity = 0;
};
SKALD_FIELDS(Line, sku, quantity)

struct Order {
  std::string id;
  std::vector<Line> lines;
  skald::Decimal total;               // "12.30": exact, a string in JSON
  Parcel parcel = Parcel::small;      // by name
  std::optional<std::string> note;    // absent or null: empty; empty: left out when written
};
SKALD_FIELDS(Order, id, lines, total, parcel, note)

std::string read_and_write(std::string_view json) {
  const skald::Result<Order> order = skald::from_json<Order>(json);
  if (!order) return order.error().message;  // "at /lines/0/quantity: expected an integer, found a string"
  return skald::to_json(*order);             // fields in the order they are named
}
// snippet ends
// clang-format on

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  if (from == std::string::npos) return "no " + begin;
  return text.substr(from + begin.size(), text.find(end, from + begin.size()) - from - begin.size());
}

TEST(FieldsSnippet, DoesWhatThePageSays) {
  const std::string order =
      R"({"id":"o-1","lines":[{"sku":"a","quantity":2}],"total":"12.30","parcel":"letter"})";
  EXPECT_EQ(read_and_write(order), order);
  EXPECT_EQ(read_and_write(
                R"({"id":"o-1","lines":[{"sku":"a","quantity":"2"}],"total":"12.30","parcel":"letter"})"),
            "at /lines/0/quantity: expected an integer, found a string");
}

TEST(FieldsSnippet, IsTheOneOnThePage) {
  const std::string root = SKALD_SOURCE_FOLDER;
  const std::string page = between(contents(root + "/docs/fields.md"), "```cpp\n", "```\n");
  EXPECT_GT(page.size(), 500u);
  EXPECT_EQ(page, between(contents(root + "/tests/unit/dsl/fields_snippet_test.cpp"), "// snippet begins\n",
                          "// snippet ends\n"));
}

}  // namespace
