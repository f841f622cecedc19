// The JSON Schema of mapped types: draft 2020-12, nested types once under $defs, valid JSON.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "skald/fields.hpp"

namespace first {
enum class State { open, closed };
SKALD_ENUM(State, open, closed)
struct Item {
  std::string sku;
  std::uint8_t count = 0;
};
SKALD_FIELDS(Item, sku, count)
}  // namespace first

namespace second {
struct Item {
  skald::Decimal price;
};
SKALD_FIELDS(Item, price)
struct Order {
  std::string id;
  std::vector<first::Item> items;
  std::optional<first::Item> extra;
  Item fee;
  std::map<std::string, double> rates;
  first::State state = first::State::open;
  bool gift = false;
};
SKALD_FIELDS(Order, id, items, extra, fee, rates, state, gift)
struct Tree {
  std::vector<Tree> children;
};
SKALD_FIELDS(Tree, children)
struct Forest {
  std::vector<Tree> trees;
};
SKALD_FIELDS(Forest, trees)
struct Signal {
  std::optional<skald::Nothing> nothing;
};
SKALD_FIELDS(Signal, nothing)
}  // namespace second

namespace {

TEST(FieldsSchema, DescribesEveryFieldAndNestedTypesOnceUnderDefs) {
  const std::string schema = skald::json_schema<second::Order>();
  EXPECT_EQ(
      schema,
      R"({"$schema":"https://json-schema.org/draft/2020-12/schema","title":"Order","type":"object",)"
      R"("properties":{"id":{"type":"string"},)"
      R"("items":{"type":"array","items":{"$ref":"#/$defs/Item"}},)"
      R"("extra":{"anyOf":[{"$ref":"#/$defs/Item"},{"type":"null"}]},)"
      R"("fee":{"$ref":"#/$defs/Item_2"},)"
      R"("rates":{"type":"object","additionalProperties":{"type":"number"}},)"
      R"("state":{"$ref":"#/$defs/State"},)"
      R"("gift":{"type":"boolean"}},)"
      R"("required":["id","items","fee","rates","state","gift"],)"
      R"("$defs":{)"
      R"("Item":{"type":"object","properties":{"sku":{"type":"string"},)"
      R"("count":{"type":"integer","minimum":0,"maximum":255}},"required":["sku","count"]},)"
      R"("Item_2":{"type":"object","properties":{"price":)"
      R"({"type":"string","pattern":"^[-+]?[0-9]+(\\.[0-9]+)?$","maxLength":42}},"required":["price"]},)"
      R"("State":{"type":"string","enum":["open","closed"]}}})");
  EXPECT_TRUE(skald::json::Document::parse(schema));
}

TEST(FieldsSchema, ATypeThatHoldsItselfRefersToItself) {
  EXPECT_EQ(skald::json_schema<second::Tree>(),
            R"({"$schema":"https://json-schema.org/draft/2020-12/schema","title":"Tree","type":"object",)"
            R"("properties":{"children":{"type":"array","items":{"$ref":"#"}}},"required":["children"]})");
  EXPECT_EQ(skald::json_schema<second::Forest>(),
            R"({"$schema":"https://json-schema.org/draft/2020-12/schema","title":"Forest","type":"object",)"
            R"("properties":{"trees":{"type":"array","items":{"$ref":"#/$defs/Tree"}}},"required":["trees"],)"
            R"("$defs":{"Tree":{"type":"object","properties":{"children":{"type":"array","items":)"
            R"({"$ref":"#/$defs/Tree"}}},"required":["children"]}}})");
}

TEST(FieldsSchema, IsThereForTypesWithoutFieldsToo) {
  EXPECT_EQ(
      skald::json_schema<std::vector<bool>>(),
      R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":"array","items":{"type":"boolean"}})");
  EXPECT_EQ(skald::json_schema<skald::Nothing>(),
            R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":["object","null"]})");
  EXPECT_EQ(skald::json_schema<first::State>(),
            R"({"$schema":"https://json-schema.org/draft/2020-12/schema","$ref":"#/$defs/State",)"
            R"("$defs":{"State":{"type":"string","enum":["open","closed"]}}})");
}

}  // namespace
