// Which properties of librdkafka may be set, and what is said about the others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kafka/kafka_bus.hpp"

namespace skald::kafka {
namespace {

using ::testing::HasSubstr;

Result<void> check_with(const std::string& name, const std::string& value) {
  Options options;
  options.bootstrap_servers = "127.0.0.1:1";
  options.properties[name] = value;
  return check(options);
}

class FixedProperty : public ::testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(FixedProperty, IsRefusedByName) {
  const auto checked = check_with(GetParam().first, GetParam().second);
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().kind, ErrorKind::kRefused);
  EXPECT_EQ(checked.error().code, "SKALD-201");
  EXPECT_THAT(checked.error().message, HasSubstr("kafka.properties." + GetParam().first + " cannot be set"));
}

INSTANTIATE_TEST_SUITE_P(
    All, FixedProperty,
    ::testing::Values(std::pair("partition.assignment.strategy", "cooperative-sticky"),
                      std::pair("group.protocol", "consumer"), std::pair("enable.auto.commit", "true"),
                      std::pair("auto.commit.enable", "true"), std::pair("enable.auto.offset.store", "true"),
                      std::pair("auto.offset.reset", "latest"), std::pair("enable.partition.eof", "true"),
                      std::pair("enable.idempotence", "false"), std::pair("acks", "1"),
                      std::pair("request.required.acks", "0"), std::pair("partitioner", "random"),
                      std::pair("transactional.id", "skald"), std::pair("group.id", "other"),
                      std::pair("bootstrap.servers", "elsewhere:9092"), std::pair("client.id", "other")));

TEST(Properties, FixedOnesMayBeGivenTheirOwnValue) {
  EXPECT_TRUE(check_with("acks", "all").ok());
  EXPECT_TRUE(check_with("enable.idempotence", "true").ok());
}

TEST(Properties, OthersPassThroughForConsumersAndProducers) {
  EXPECT_TRUE(check_with("linger.ms", "7").ok());
  EXPECT_TRUE(check_with("fetch.min.bytes", "2").ok());
  EXPECT_TRUE(check_with("compression.type", "lz4").ok());
}

TEST(Properties, UnknownOneIsRefusedInLibrdkafkasWords) {
  const auto checked = check_with("no.such.property", "1");
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code, "SKALD-202");
  EXPECT_THAT(checked.error().message, HasSubstr("No such configuration property: \"no.such.property\""));
}

TEST(Properties, ValueOutOfRangeIsRefusedByName) {
  const auto checked = check_with("linger.ms", "minus one");
  ASSERT_FALSE(checked.ok());
  EXPECT_THAT(checked.error().message, HasSubstr("linger.ms"));
}

TEST(Properties, CombinationThatIdempotenceForbidsIsRefused) {
  const auto checked = check_with("max.in.flight.requests.per.connection", "50");
  ASSERT_FALSE(checked.ok());
  EXPECT_EQ(checked.error().code, "SKALD-202");
}

TEST(Memory, OfTheClientsIsWhatTheirQueuesAreTold) {
  const std::size_t before = memory_bound(Options{});
  Options options;
  options.fetch_queue_messages *= 2;
  const std::size_t doubled = memory_bound(options);
  EXPECT_GT(doubled, before);
  options.properties["queued.min.messages"] = std::to_string(Options{}.fetch_queue_messages);
  EXPECT_EQ(memory_bound(options), before) << "a property given counts instead";
  options.properties["fetch.max.bytes"] = std::to_string(64 << 20);
  EXPECT_GT(memory_bound(options), before + (64u << 20));
}

TEST(Properties, NoServersIsRefused) { EXPECT_EQ(check(Options{}).error().code, "SKALD-202"); }

}  // namespace
}  // namespace skald::kafka
