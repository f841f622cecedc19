// Triggers by configuration: where the id and the input come from, record by record.
#include "app/triggers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skald::app {
namespace {

using testing::HasSubstr;

TriggerConfig trigger(const char* id, const char* input, const char* filter = nullptr) {
  TriggerConfig config{
      "web-order", "shop.events", "place-order", false, *parse_source(id), *parse_source(input), {}};
  if (filter != nullptr) config.filter = parse_filter(filter);
  return config;
}

Record record(const char* value) {
  Record record;
  record.topic = "shop.events";
  record.key = "key-1";
  record.value = value;
  record.headers = {{"ce_subject", "subject-1"}, {"x-order", "header-1"}};
  return record;
}

/// What it answers, in one word or two.
std::string outcome(const TriggerConfig& config, const Record& record) {
  const auto start = configured_trigger(config).start(record);
  if (!start) return start.error().code + ": " + start.error().message;
  return *start ? (*start)->saga_id + " " + (*start)->input : "filtered";
}

TEST(ConfiguredTrigger, TakesTheIdFromEverywhere) {
  const Record one = record(R"({"order":{"id":"p-1","n":17}})");
  EXPECT_EQ(outcome(trigger("key", "/order"), one), R"(key-1 {"id":"p-1","n":17})");
  EXPECT_EQ(outcome(trigger("ce:subject", "/order"), one), R"(subject-1 {"id":"p-1","n":17})");
  EXPECT_EQ(outcome(trigger("header:x-order", "/order"), one), R"(header-1 {"id":"p-1","n":17})");
  EXPECT_EQ(outcome(trigger("/order/id", "value"), one), R"(p-1 {"order":{"id":"p-1","n":17}})");
  EXPECT_EQ(outcome(trigger("/order/n", "/order"), one), R"(17 {"id":"p-1","n":17})");
}

TEST(ConfiguredTrigger, SkipsWhatItsFilterDoesNotWant) {
  const TriggerConfig placed = trigger("key", "value", "/type = placed");
  EXPECT_EQ(outcome(placed, record(R"({"type":"placed"})")), R"(key-1 {"type":"placed"})");
  EXPECT_EQ(outcome(placed, record(R"({"type":"paid"})")), "filtered");
  EXPECT_EQ(outcome(placed, record(R"({})")), "filtered");
  EXPECT_EQ(outcome(trigger("key", "value", "header:x-order = header-2"), record("{}")), "filtered");
}

TEST(ConfiguredTrigger, SaysWhatIsMissingInARecordThatItWants) {
  EXPECT_THAT(outcome(trigger("/order/id", "value"), record("{}")),
              HasSubstr("SKALD-920: trigger web-order finds no saga id in /order/id"));
  EXPECT_THAT(outcome(trigger("key", "/order"), record("{}")),
              HasSubstr("SKALD-921: trigger web-order finds no input in /order"));
  EXPECT_THAT(outcome(trigger("/id", "value"), record("not json")), HasSubstr("SKALD-101"));
  EXPECT_THAT(outcome(trigger("/id", "value"), record(std::string(200'000, '[').c_str())),
              HasSubstr("SKALD-1"));
  Record tombstone = record("");
  tombstone.value.reset();
  EXPECT_THAT(outcome(trigger("key", "value"), tombstone), HasSubstr("SKALD-405"));
  Record without_key = record("{}");
  without_key.key.reset();
  EXPECT_THAT(outcome(trigger("key", "value"), without_key), HasSubstr("SKALD-920"));
}

TEST(ConfiguredTrigger, ReadsAttributesOfAStructuredEventAsWell) {
  Record event = record(
      R"({"specversion":"1.0","id":"e-1","source":"/shop","type":"order.placed","subject":"s-9","data":{"a":1}})");
  event.headers = {{"content-type", "application/cloudevents+json"}};
  EXPECT_EQ(outcome(trigger("ce:subject", "value", "ce:type = order.placed"), event), R"(s-9 {"a":1})");
}

}  // namespace
}  // namespace skald::app
