// topics --plan and --apply on a real cluster, and what serve says of topics that are not as it needs them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/kafka_harness.hpp"
#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Topics : public testing::Test {
 protected:
  void create(const std::string& topic, int partitions) {
    kafka::Options options;
    options.bootstrap_servers = world_.cluster().kafka;
    auto bus = kafka::open(contract::for_tests(options)).value();
    const std::vector<std::string> topics{topic};
    ASSERT_TRUE(bus->create_topics(topics, partitions));
  }
  int topics(const std::string& flag) {
    return world_.place_order({"topics", flag}, output_, {{"SKALD_TOPICS_RETENTION", "2d"}});
  }

  World world_{World::given()};
  std::string output_;
};

TEST_F(Topics, ArePlannedCreatedAndThenAsWanted) {
  EXPECT_EQ(topics("--plan"), 1);
  EXPECT_THAT(output_, AllOf(HasSubstr(world_.replies_topic()), HasSubstr("missing"), HasSubstr("2d")));
  EXPECT_EQ(topics("--apply"), 0) << output_;
  EXPECT_THAT(output_, AllOf(HasSubstr("created " + world_.replies_topic() + "-dlt"),
                             HasSubstr("0 missing, 0 not as wanted")));
  EXPECT_EQ(topics("--plan"), 0) << output_;
  EXPECT_EQ(topics("--apply"), 0) << output_;
  EXPECT_THAT(output_, Not(HasSubstr("created"))) << "a second time there is nothing to do";
}

TEST_F(Topics, ThatDifferAreNamedAndLeftAsTheyAre) {
  create(world_.replies_topic(), 3);
  create(world_.lifecycle_topic(), 2);
  EXPECT_EQ(topics("--apply"), 1) << output_;
  EXPECT_THAT(output_, AllOf(HasSubstr("has 3 partitions, not"), HasSubstr("0 missing, 2 not as wanted")));
}

TEST_F(Topics, DeadLetterTopicThatIsTooNarrowEndsServeWithOneLine) {
  ASSERT_EQ(world_.place_order({"migrate"}, output_), 0) << output_;
  create(world_.replies_topic(), 5);
  create(world_.replies_topic() + "-dlt", 1);
  EXPECT_EQ(world_.place_order({"serve"}, output_), 69) << output_;
  EXPECT_THAT(output_, AllOf(HasSubstr("SKALD-962"), HasSubstr("-dlt has 1 partitions"), HasSubstr("has 5")));
}

TEST_F(Topics, ThatServeWouldMissAreNamedByPreflight) {
  ASSERT_EQ(world_.place_order({"migrate"}, output_), 0) << output_;
  const auto preflight = [this](const std::string& create) {
    return world_.place_order({"preflight"}, output_, {{"SKALD_TOPICS_CREATE", create}});
  };
  EXPECT_EQ(preflight("false"), 1);
  EXPECT_THAT(output_, AllOf(HasSubstr("SKALD-960"), HasSubstr("Kafka has no topic "),
                             HasSubstr(world_.replies_topic())));
  EXPECT_EQ(preflight("true"), 0) << output_ << "serve would make them";
  ASSERT_EQ(topics("--apply"), 0) << output_;
  EXPECT_EQ(preflight("false"), 0) << output_;
  EXPECT_EQ(world_.place_order(
                {"preflight"}, output_,
                {{"SKALD_TOPICS_CREATE", "false"}, {"SKALD_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9"}}),
            69)
      << output_ << "it could not find out";
}

TEST_F(Topics, TakesOneOfTwoWords) {
  EXPECT_EQ(world_.place_order({"topics"}, output_), 2);
  EXPECT_EQ(world_.place_order({"topics", "--plan", "--apply"}, output_), 2);
}

}  // namespace
}  // namespace skald::e2e
