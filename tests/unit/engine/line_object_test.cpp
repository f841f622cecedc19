// Goal: a line is read alike whether it is plain or not, and what is no flat object of ours is refused as the JSON
// parser refuses it. Method: the same object written plainly and with a space (which sends it to the parser); then
// texts that end or go wrong at each of their bytes.
#include "engine/line_object.hpp"

#include <gtest/gtest.h>

namespace skald::engine {
namespace {

constexpr std::string_view kPlain =
    R"({"type":"step","ordinal":7,"until":1763726400000,"pivot":true,"step":"","bytes":0})";

TEST(LineObject, ReadsAPlainLineAsTheParserDoes) {
  LineObject plain, parsed;
  ASSERT_TRUE(plain.read(kPlain));
  const std::string spaced = " " + std::string(kPlain);
  ASSERT_TRUE(parsed.read(spaced));
  ASSERT_EQ(plain.members().size(), 6U);
  ASSERT_EQ(parsed.members().size(), 6U);
  for (std::size_t index = 0; index < 6; ++index) {
    const LineMember& one = plain.members()[index];
    const LineMember& other = parsed.members()[index];
    EXPECT_EQ(one.name, other.name);
    EXPECT_EQ(one.kind, other.kind) << one.name;
    EXPECT_EQ(one.text, other.text) << one.name;
    EXPECT_EQ(one.number(), other.number()) << one.name;
  }
  EXPECT_EQ(plain.members()[1].number(), 7);
  EXPECT_EQ(plain.members()[0].number(), std::nullopt);
}

TEST(LineObject, UnescapesWhatIsNotPlain) {
  LineObject object;
  ASSERT_TRUE(object.read(R"({"message":"a \"quoted\" \u00e9é","n":-5})"));
  ASSERT_EQ(object.members().size(), 2U);
  EXPECT_EQ(object.members()[0].text, "a \"quoted\" éé");
  EXPECT_EQ(object.members()[1].number(), -5);
  ASSERT_TRUE(object.read(R"({"other":"x"})"));
  ASSERT_EQ(object.members().size(), 1U);
  EXPECT_EQ(object.members()[0].text, "x");
}

TEST(LineObject, RefusesWhatTheParserRefuses) {
  LineObject object;
  for (const std::string_view bad :
       {"", "{", "[]", "1", "{\"a\":1,\"a\":2}", "{\"a\":01}", "{\"a\":true,}", "{\"a\":tru}", "{\"a\":1}x",
        "{a:1}", "{\"a\":\"\x01\"}", "{\"a\":\"\xff\"}", "{\"a\":99999999999999999999999}{"})
    EXPECT_FALSE(object.read(bad)) << bad;
  for (std::size_t length = 0; length < kPlain.size(); ++length)
    EXPECT_FALSE(object.read(kPlain.substr(0, length))) << length;
}

TEST(LineObject, LeavesNumbersBeyondItsRangeToTheParser) {
  LineObject object;
  ASSERT_TRUE(object.read(R"({"a":9223372036854775807,"b":9223372036854775808,"c":1.5,"d":{},"e":false})"));
  EXPECT_EQ(object.members()[0].number(), 9223372036854775807);
  EXPECT_EQ(object.members()[1].number(), std::nullopt);
  EXPECT_EQ(object.members()[2].number(), std::nullopt);
  EXPECT_EQ(object.members()[3].kind, json::Kind::kObject);
  EXPECT_EQ(object.members()[4].kind, json::Kind::kBoolean);
}

}  // namespace
}  // namespace skald::engine
