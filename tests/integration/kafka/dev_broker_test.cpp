// The development broker serves other processes too: kcat publishes to it and reads from it, in a group as well.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "contract/bus_probe.hpp"
#include "contract/kafka_harness.hpp"
#include "kafka/dev_broker.hpp"

namespace skald::contract {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// What a shell command prints; fails the test when the command does.
std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  std::array<char, 4096> buffer{};
  while (const auto size = std::fread(buffer.data(), 1, buffer.size(), pipe))
    output.append(buffer.data(), size);
  EXPECT_EQ(pclose(pipe), 0) << command << "\n" << output;
  return output;
}

class DevBrokerAndKcat : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::array<std::string, 1> topics{"events"};
    ASSERT_TRUE(broker_->create_topics(topics, 3).ok());
  }
  [[nodiscard]] std::string kcat(const std::string& arguments) const {
    return "timeout 60 kcat -b " + broker_->bootstrap_servers() + " " + arguments + " 2>&1";
  }

  std::unique_ptr<kafka::DevBroker> broker_ = kafka::DevBroker::start().value();
  std::unique_ptr<Bus> bus_ = kafka::open(for_tests(broker_->options())).value();
};

TEST_F(DevBrokerAndKcat, KcatSeesTheTopics) {
  EXPECT_THAT(output_of(kcat("-L")), HasSubstr("topic \"events\" with 3 partitions"));
}

TEST_F(DevBrokerAndKcat, WhatKcatPublishesIsRead) {
  output_of("printf 'order-1|{\"id\":1}' | " + kcat("-P -t events -K '|' -H ce_type=order.placed"));
  Listener listener;
  const auto consumer = bus_->consumer({{"events"}, "", true}, listener).value();
  const auto records = read(*consumer, 1);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].key, "order-1");
  EXPECT_EQ(records[0].value, "{\"id\":1}");
  EXPECT_EQ(records[0].header("ce_type"), "order.placed");
}

TEST_F(DevBrokerAndKcat, WhatIsPublishedKcatReadsAloneAndInAGroup) {
  const auto producer = bus_->producer().value();
  publish_all(*producer, {message("events", "k", "for kcat")});
  EXPECT_THAT(output_of(kcat("-C -t events -o beginning -e -q")), HasSubstr("for kcat"));
  EXPECT_THAT(output_of(kcat(
                  "-G kcat-group -X auto.offset.reset=earliest -X session.timeout.ms=3000 -c 1 -q events")),
              HasSubstr("for kcat"));
}

}  // namespace
}  // namespace skald::contract
