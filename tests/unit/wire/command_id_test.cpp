// Command ids and the whitelists: every valid id survives the round trip, every other text is refused.
#include "wire/command_id.hpp"

#include <gtest/gtest.h>

namespace skald::wire {
namespace {

TEST(CommandId, SurvivesTheRoundTrip) {
  const CommandId id{"shop", "place-order", "order-17", 3, Phase::kCompensation, 2};
  EXPECT_EQ(format(id), "shop/place-order/order-17/3/compensation/2");
  EXPECT_EQ(parse_command_id(format(id)), id);
}

TEST(CommandId, SagaIdMayContainSlashesAndLookLikeAnId) {
  const CommandId id{"ns", "def", "a/b/7/action/1", 0, Phase::kAction, 1};
  EXPECT_EQ(parse_command_id(format(id)), id);
}

TEST(CommandId, WithTheLongestPartsFitsTheLimit) {
  const CommandId id{std::string(63, 'n'), std::string(63, 'd'), std::string(255, 's'),
                     2147483647,           Phase::kCompensation, 2147483647};
  EXPECT_LE(format(id).size(), kMaximumIdBytes);
  EXPECT_EQ(parse_command_id(format(id)), id);
}

class RefusedCommandId : public testing::TestWithParam<std::string> {};
TEST_P(RefusedCommandId, IsRefused) { EXPECT_EQ(parse_command_id(GetParam()), std::nullopt) << GetParam(); }
INSTANTIATE_TEST_SUITE_P(
    CommandId, RefusedCommandId,
    testing::Values("", "/", "/////", "ns/def/id/0/action", "ns/def//0/action/1", "n s/def/id/0/action/1",
                    "ns//id/0/action/1", "ns/def/id/-1/action/1", "ns/def/id/0/action/0",
                    "ns/def/id/0/action/01", "ns/def/id/00/action/1", "ns/def/id/+1/action/1",
                    "ns/def/id/0/Action/1", "ns/def/id/0/undo/1", "ns/def/id/0/action/99999999999",
                    "ns/def/id/0/action/1 ", "ns/def/i\nd/0/action/1", "ns/def/id/0x1/action/1",
                    "ns/def/id/0/action/", "ns/def/" + std::string(256, 'x') + "/0/action/1",
                    std::string(100000, '/'),
                    "ns/d\xc3\xa9"
                    "f/id/0/action/1"));

TEST(Whitelist, NamesAreShortAndPlain) {
  EXPECT_TRUE(is_valid_name("reserve-stock"));
  EXPECT_TRUE(is_valid_name("a.b_C-9"));
  EXPECT_TRUE(is_valid_name(std::string(63, 'x')));
  EXPECT_FALSE(is_valid_name(std::string(64, 'x')));
  for (const char* bad : {"", "a b", "a/b", "a'b", "a;--", "\xc3\xa9", "a\n", "$(x)"})
    EXPECT_FALSE(is_valid_name(bad)) << bad;
}

TEST(Whitelist, SagaIdsAreVisibleAscii) {
  EXPECT_TRUE(is_valid_saga_id("order/17:a'b\"c;--"));
  EXPECT_TRUE(is_valid_saga_id(std::string(255, '~')));
  EXPECT_FALSE(is_valid_saga_id(""));
  EXPECT_FALSE(is_valid_saga_id(std::string(300, 'x')));
  EXPECT_FALSE(is_valid_saga_id("two words"));
  EXPECT_FALSE(is_valid_saga_id("line\nbreak"));
  EXPECT_FALSE(
      is_valid_saga_id("\xe2\x80\xae"
                       "right-to-left"));
  EXPECT_FALSE(is_valid_saga_id("caf\xc3\xa9"));
  EXPECT_FALSE(is_valid_saga_id("cafe\xcc\x81"));
  EXPECT_FALSE(is_valid_saga_id(std::string("nul\0l", 5)));
}

TEST(Whitelist, TopicsAreThoseKafkaTakes) {
  EXPECT_TRUE(is_valid_topic("inventory.commands"));
  EXPECT_TRUE(is_valid_topic(std::string(249, 't')));
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string(250, 't')})
    EXPECT_FALSE(is_valid_topic(bad)) << bad;
}

}  // namespace
}  // namespace skald::wire
