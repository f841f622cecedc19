// What topics a configuration needs, and what is said of those a cluster has.
#include "app/topic_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace skald::app {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Orders start sagas, one step sends commands.
Config configured() {
  Config config;
  config.databases.push_back({});
  config.databases.back().replies = "replies";
  config.topics.lifecycle = "outcomes";
  config.topics.partitions = 8;
  config.topics.replication = 3;
  config.topics.retention = 24h * 7;
  config.triggers.push_back({"order-placed", "orders", "place-order", true, {}, {}, {}});
  config.steps["reserve-stock"].topic = "inventory";
  return config;
}

const PlannedTopic& topic(const std::vector<PlannedTopic>& plan, const std::string& name) {
  const auto found =
      std::find_if(plan.begin(), plan.end(), [&](const auto& one) { return one.wanted.name == name; });
  if (found == plan.end()) throw std::runtime_error("no topic " + name);
  return *found;
}

TEST(TopicPlan, NamesEveryTopicWithWhatItIsForAndHowItIsToBe) {
  const auto plan = plan_topics(configured(), {});
  std::vector<std::string> named;
  named.reserve(plan.size());
  for (const PlannedTopic& one : plan) named.push_back(one.wanted.name + ": " + one.purpose);
  EXPECT_THAT(named, ElementsAre("inventory: commands", "inventory-dlt: dead letters", "orders: trigger",
                                 "orders-dlt: dead letters", "outcomes: outcomes", "replies: replies",
                                 "replies-dlt: dead letters"));
  EXPECT_EQ(topic(plan, "orders").wanted.partitions, 8);
  EXPECT_EQ(topic(plan, "orders").wanted.replication, 3);
  EXPECT_EQ(topic(plan, "orders").wanted.retention, 24h * 7);
  EXPECT_THAT(describe(plan), AllOf(HasSubstr("missing"), HasSubstr("7 missing, 0 not as wanted")));
}

TEST(TopicPlan, DeadLetterTopicHasAsManyPartitionsAsItsTopic) {
  const auto plan = plan_topics(configured(), {{"orders", {12, 3, 24h * 7, false}}});
  EXPECT_EQ(topic(plan, "orders-dlt").wanted.partitions, 12);
  EXPECT_THAT(topic(plan, "orders").differences, IsEmpty()) << "whose topic it is decides on its partitions";
}

TEST(TopicPlan, SaysWhatDiffers) {
  const auto plan = plan_topics(configured(), {{"orders", {8, 1, 24h, true}},
                                               {"orders-dlt", {4, 3, -1ms, false}},
                                               {"replies", {6, 3, std::nullopt, false}},
                                               {"outcomes", {8, 3, 24h * 7, true}}});
  EXPECT_THAT(topic(plan, "orders").differences,
              ElementsAre(HasSubstr("1 copies"), HasSubstr("for 1d, not 7d"), HasSubstr("compacted")));
  EXPECT_THAT(topic(plan, "orders-dlt").differences, ElementsAre("has 4 partitions, not 8"));
  EXPECT_THAT(topic(plan, "replies").differences, ElementsAre("has 6 partitions, not 8"));
  EXPECT_THAT(topic(plan, "outcomes").differences, IsEmpty());
  EXPECT_THAT(describe(plan), HasSubstr("3 missing, 3 not as wanted"));
}

TEST(TopicPlan, NarrowDeadLetterTopicsAreNamedTogether) {
  EXPECT_EQ(narrow_dead_letter_topics({{"orders", 8}, {"orders-dlt", 8}, {"a", 4}, {"a-dlt", 9}}), "");
  EXPECT_EQ(
      narrow_dead_letter_topics({{"orders", 8}, {"orders-dlt", 4}, {"a", 4}, {"a-dlt", 1}}),
      "a-dlt has 1 partitions, a has 4; orders-dlt has 4 partitions, orders has 8: a dead letter goes into "
      "the partition it came from, so that topic needs as many");
}

}  // namespace
}  // namespace skald::app
