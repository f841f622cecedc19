// Values, pointers and the writer: how a parsed text is looked at, and that what is written can be read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>

#include "skald/json.hpp"

namespace {

using skald::json::Document;
using skald::json::Kind;
using skald::json::Value;
using skald::json::Writer;

Document parsed(std::string_view text) {
  auto document = Document::parse(text);
  EXPECT_TRUE(document) << (document ? "" : document.error().message);
  return std::move(*document);
}

TEST(JsonValue, EveryKindIsToldApart) {
  const Document document = parsed(R"([null,true,-7,18446744073709551615,1.5,"a",[],{}])");
  const Value root = document.root();
  ASSERT_EQ(root.size(), 8u);
  const Kind expected[] = {Kind::kNull,   Kind::kBoolean, Kind::kInteger, Kind::kInteger,
                           Kind::kNumber, Kind::kString,  Kind::kArray,   Kind::kObject};
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(root.element(i).kind(), expected[i]) << i;
  EXPECT_TRUE(root.element(1).as_boolean());
  EXPECT_EQ(root.element(2).as_int64(), -7);
  EXPECT_EQ(root.element(2).as_uint64(), std::nullopt);
  EXPECT_EQ(root.element(3).as_int64(), std::nullopt);
  EXPECT_EQ(root.element(3).as_uint64(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(root.element(4).as_double(), 1.5);
  EXPECT_EQ(root.element(4).as_int64(), std::nullopt);
  EXPECT_EQ(root.element(5).as_string(), "a");
}

TEST(JsonValue, AskingAnotherKindGivesNothing) {
  const Document document = parsed(R"({"a":"x"})");
  const Value text = document.root().find("a").value();
  EXPECT_FALSE(text.as_boolean());
  EXPECT_EQ(text.as_int64(), std::nullopt);
  EXPECT_EQ(text.as_exact_double(), std::nullopt);
  EXPECT_EQ(text.as_double(), 0);
  EXPECT_EQ(text.size(), 0u);
  EXPECT_TRUE(text.element(0).is_null());
  EXPECT_EQ(text.find("a"), std::nullopt);
  EXPECT_EQ(document.root().as_string(), "");
  EXPECT_TRUE(document.root().element(0).is_null());
  EXPECT_TRUE(document.root().member_value(1).is_null());
  EXPECT_EQ(document.root().member_name(1), "");
  EXPECT_TRUE(Value().is_null());
  EXPECT_EQ(Value().text(), "null");
}

TEST(JsonValue, MembersAreFoundFromAnyHintAndKeepTheOrderOfTheText) {
  const Document document = parsed(R"({"b":1,"a":[2,{"c":3}],"":4})");
  const Value root = document.root();
  for (std::size_t hint = 0; hint < 5; ++hint) {
    EXPECT_EQ(root.find("b", hint)->as_int64(), 1);
    EXPECT_EQ(root.find("", hint)->as_int64(), 4);
    EXPECT_EQ(root.find("c", hint), std::nullopt);
  }
  EXPECT_EQ(root.member_name(0), "b");
  EXPECT_EQ(root.member_value(1).element(1).find("c")->as_int64(), 3);
}

TEST(JsonValue, ValuesStayWhenTheirDocumentMoves) {
  Document first = parsed(R"({"a":"long enough to live on the heap, if anything does"})");
  const Value value = first.root().find("a").value();
  const Document second = std::move(first);
  EXPECT_EQ(value.as_string(), "long enough to live on the heap, if anything does");
  EXPECT_EQ(second.root().size(), 1u);
}

TEST(JsonValue, TextIsCompactAndEscapesOnlyWhatItMust) {
  const Document document =
      parsed("{ \"a\\/b\" : [ 1 , \"\\u0041\\u00fc\\n\\\"\\u001f\" ] , \"c\" : { } , \"d\":[ ]}");
  EXPECT_EQ(document.root().text(), "{\"a/b\":[1,\"A\u00FC\\n\\\"\\u001f\"],\"c\":{},\"d\":[]}");
}

TEST(JsonPointer, LeadsToItsNodeAsTheRfcShows) {
  const Document document =
      parsed(R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8})");
  const Value root = document.root();
  const auto at = [&](std::string_view pointer) {
    const auto value = root.at_pointer(pointer);
    return value ? value->text() : "nothing";
  };
  EXPECT_EQ(at(""), root.text());
  EXPECT_EQ(at("/foo"), R"(["bar","baz"])");
  EXPECT_EQ(at("/foo/0"), R"("bar")");
  EXPECT_EQ(at("/"), "0");
  EXPECT_EQ(at("/a~1b"), "1");
  EXPECT_EQ(at("/c%d"), "2");
  EXPECT_EQ(at("/i\\j"), "5");
  EXPECT_EQ(at("/k\"l"), "6");
  EXPECT_EQ(at("/ "), "7");
  EXPECT_EQ(at("/m~0n"), "8");
}

TEST(JsonPointer, LeadsNowhereWhereNothingIs) {
  const Document document = parsed(R"({"a":[1,2],"b":"x","~1":3,"c":null})");
  for (const std::string_view pointer :
       {"/x", "/a/2", "/a/-", "/a/00", "/a/01", "/a/+1", "/a/", "/a/1x", "/a/99999999999999999999", "/b/0",
        "/a/0/0", "a", "/~", "/~2", "/a~"})
    EXPECT_EQ(document.root().at_pointer(pointer), std::nullopt) << pointer;
  EXPECT_EQ(document.root().at_pointer("/~01")->as_int64(), 3);
  EXPECT_TRUE(document.root().at_pointer("/c")->is_null());
}

TEST(JsonPointer, SyntaxIsChecked) {
  for (const std::string_view pointer : {"", "/", "/a", "/a/b", "//", "/~0~1"})
    EXPECT_TRUE(skald::json::valid_pointer(pointer)) << pointer;
  for (const std::string_view pointer : {"a", "a/b", "/~", "/a~b", "/~2", "#/a", " /a"})
    EXPECT_FALSE(skald::json::valid_pointer(pointer)) << pointer;
  EXPECT_EQ(skald::json::pointer_token("a/b~c"), "a~1b~0c");
}

TEST(JsonWriter, WritesEveryKindWithItsCommas) {
  Writer writer;
  writer.begin_object();
  writer.key("a");
  writer.begin_array();
  writer.integer(std::numeric_limits<std::int64_t>::min());
  writer.unsigned_integer(std::numeric_limits<std::uint64_t>::max());
  writer.number(0.1);
  writer.boolean(false);
  writer.null();
  writer.begin_array();
  writer.end_array();
  writer.begin_object();
  writer.end_object();
  writer.raw("{\"r\":1}");
  writer.end_array();
  writer.key("b\n");
  writer.string("\x01\x7F\"\\/\u20AC");
  writer.end_object();
  EXPECT_EQ(writer.deepest(), 3);
  EXPECT_EQ(writer.values(), 11u);
  EXPECT_EQ(writer.first_replacement(), std::nullopt);
  const std::string text = writer.take();
  EXPECT_EQ(text,
            "{\"a\":[-9223372036854775808,18446744073709551615,0.1,false,null,[],{},{\"r\":1}],"
            "\"b\\n\":\"\\u0001\x7F\\\"\\\\/\u20AC\"}");
  EXPECT_EQ(parsed(text).root().text(), text);
}

TEST(JsonWriter, DoublesComeBackAsTheSameDouble) {
  for (const double value : {0.0, -0.0, 0.1, 1e300, 5e-324, 1.7976931348623157e308, -123456.789,
                             9007199254740993.0, 1e22, 123456789012345680.0}) {
    Writer writer;
    writer.number(value);
    const Document document = parsed(writer.text());
    EXPECT_EQ(document.root().as_exact_double(), value) << writer.text();
  }
}

TEST(JsonWriter, WhatJsonCannotHoldIsReplacedAndRemembered) {
  using namespace std::string_view_literals;
  for (const std::string_view bytes : {"a\xFF"
                                       "b"sv,
                                       "\xC3"sv, "\xED\xA0\x80"sv, "x\0y"sv, "\xF0\x9F\x98"sv}) {
    Writer writer;
    writer.begin_array();
    writer.string("fine");
    writer.string(bytes);
    writer.end_array();
    ASSERT_TRUE(writer.first_replacement());
    EXPECT_EQ(writer.first_replacement()->offset, 8u);
    EXPECT_THAT(parsed(writer.text()).root().element(1).as_string(), testing::HasSubstr("\uFFFD"));
  }
  Writer writer;
  writer.number(std::numeric_limits<double>::infinity());
  EXPECT_EQ(writer.text(), "null");
  EXPECT_EQ(writer.first_replacement()->reason, "a double that is not finite");
}

TEST(JsonWriter, PlacesInItsTextHavePointers) {
  const std::string text = R"({"a":[1,{"b/c":"x,}]","d":2}],"e":{"\"":3}})";
  const auto at = [&](std::string_view part) { return skald::json::pointer_at(text, text.find(part)); };
  EXPECT_EQ(at("{\"a"), "");
  EXPECT_EQ(at("1,"), "/a/0");
  EXPECT_EQ(at("\"x,"), "/a/1/b~1c");
  EXPECT_EQ(at("2}"), "/a/1/d");
  EXPECT_EQ(at("3}"), "/e/\\\"");
  EXPECT_EQ(at("\"e\""), "");
}

}  // namespace
