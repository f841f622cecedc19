// Records that were not understood: the log says so, the operator lists them with their reasons and puts them back.
#include <gtest/gtest.h>

#include "contract/bus_probe.hpp"
#include "contract/kafka_harness.hpp"
#include "wire/dead_letter.hpp"
#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

class DeadLetters : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(world_.place_order({"migrate"}, output_), 0) << output_;
    orchestrator_ = world_.start_orchestrator();
    kafka::Options options;
    options.bootstrap_servers = world_.cluster().kafka;
    bus_ = kafka::open(contract::for_tests(options)).value();
    producer_ = bus_->producer().value();
  }

  void publish(Message message) { contract::publish_all(*producer_, {std::move(message)}); }
  void place(const std::string& id, const std::string& input) {
    Message message;
    message.topic = world_.topic("orders");
    message.partition = 1;
    message.key = id;
    message.value = input;
    publish(std::move(message));
  }
  int call(const std::string& verb, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"dead-letters", verb, "--topic", world_.topic("orders")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return world_.place_order(arguments, output_);
  }
  [[nodiscard]] bool says(const std::string& text) const { return output_.find(text) != std::string::npos; }
  [[nodiscard]] bool list_says(const std::string& text) {
    return eventually(20s, [&] { return call("list", {}) == 0 && says(text); });
  }
  static std::string order(const std::string& id) {
    return R"({"id":")" + id + R"(","customer":"ann","sku":"book","total_cents":5})";
  }
  /// A good order on the dead-letter topic, as another reader of the topic would have left it there.
  void leave(const std::string& id, std::int32_t partition = 1) {
    Record record;
    record.topic = world_.topic("orders");
    record.partition = partition;
    record.offset = 40;
    record.key = id;
    record.value = order(id);
    publish(wire::dead_letter(record, "com.example.NotNow", "not now"));
  }

  World world_{World::given()};
  Orchestrator orchestrator_;
  std::unique_ptr<Bus> bus_;
  std::unique_ptr<Producer> producer_;
  std::string output_;
};

TEST_F(DeadLetters, AreListedWithTheirReasonsAndOneThatIsStillWrongComesAgain) {
  place("o-1", R"({"id":"o-1","customer":"ann"})");
  ASSERT_TRUE(list_says("1 dead letter: 1 SKALD-103")) << output_;
  EXPECT_TRUE(says(world_.topic("orders-dlt") + "[1]@0  SKALD-103  ")) << output_;
  EXPECT_TRUE(says("key o-1  was " + world_.topic("orders") + "[1]@0")) << output_;
  EXPECT_TRUE(says(R"(  {"id":"o-1","customer":"ann"})")) << output_;
  EXPECT_NE(world_.logs().find("A record is a dead letter."), std::string::npos);

  EXPECT_EQ(call("redrive", {"--code", "SKALD-103"}), 2) << "nobody says who and why";
  EXPECT_EQ(call("redrive", {"--who", "ann", "--why", "mended"}), 2);
  EXPECT_TRUE(says("which ones?")) << output_;
  EXPECT_EQ(call("redrive", {"--all", "--code", "SKALD-103", "--who", "ann", "--why", "mended"}), 2);
  EXPECT_TRUE(says("--all says all of the topic")) << output_;
  EXPECT_EQ(call("redrive", {"--partition", "1", "--offset", "900", "--who", "ann", "--why", "mended"}), 1);
  EXPECT_TRUE(says("put back: 0\n")) << output_;
  EXPECT_EQ(call("redrive", {"--code", "SKALD-103", "--who", "ann", "--why", "mended"}), 0) << output_;
  EXPECT_TRUE(says("put back: 1\n")) << output_;
  ASSERT_TRUE(list_says("2 dead letters: 2 SKALD-103")) << output_;
  EXPECT_EQ(call("list", {"--limit", "1"}), 0);
  EXPECT_TRUE(output_.starts_with(world_.topic("orders-dlt") + "[1]@1  ")) << output_;
  EXPECT_TRUE(says("; the newest 1 are shown (--limit)")) << output_;
  EXPECT_EQ(call("list", {"--json", "--partition", "1", "--offset", "1"}), 0);
  EXPECT_TRUE(says(R"({"name":"skald-origin","value":")" + world_.topic("orders") + "[1]@0\"}")) << output_;
  EXPECT_TRUE(says(world_.topic("orders-dlt") + "[1]@0 by ann: mended")) << output_;
}

TEST_F(DeadLetters, OnesPutBackAreTakenOnceHoweverOften) {
  leave("o-7");
  place("o-8", "nonsense");
  ASSERT_TRUE(list_says("2 dead letters")) << output_;
  EXPECT_EQ(call("redrive", {"--code", "com.example.NotNow", "--dry-run"}), 0);
  EXPECT_TRUE(says("would be put back: 1\n")) << output_;
  EXPECT_EQ(world_.number("SELECT count(*) FROM skald.saga"), 0);
  for (int time = 0; time < 2; ++time)
    EXPECT_EQ(call("redrive", {"--partition", "1", "--offset", "0", "--who", "ann", "--why", "now"}), 0)
        << output_;
  leave("o-9");
  EXPECT_EQ(call("redrive", {"--all", "--limit", "2", "--who", "ann", "--why", "now"}), 0) << output_;
  EXPECT_TRUE(says("put back: 2, left, beyond --limit: 1; go on with --from ")) << output_;
  EXPECT_EQ(call("redrive", {"--partition", "1", "--offset", "2", "--who", "ann", "--why", "now"}), 0);
  EXPECT_TRUE(eventually(20s, [&] { return world_.number("SELECT count(*) FROM skald.saga") == 2; }));
  EXPECT_EQ(world_.place_order({"show", "o-7"}, output_), 0) << output_;
  EXPECT_EQ(world_.place_order({"show", "o-9"}, output_), 0) << output_;
}

TEST_F(DeadLetters, APortionIsTheOldestOfAllPartitionsWhicheverAnswersFirst) {
  const int order[] = {4, 2, 5, 0, 3, 1};
  for (const int partition : order) {
    leave("o-" + std::to_string(partition), partition);
    // The next one comes in a later millisecond, or the partition's number would decide.
    const auto before = std::chrono::system_clock::now();
    ASSERT_TRUE(eventually(5s, [&] { return std::chrono::system_clock::now() - before > 5ms; }));
  }
  const std::string topic = world_.topic("orders-dlt");
  for (int time = 0; time < 4; ++time) {
    EXPECT_EQ(call("redrive", {"--all", "--dry-run", "--limit", "2"}), 0);
    EXPECT_TRUE(says("would be put back: 2, left, beyond --limit: 4; go on with --from ")) << output_;
    EXPECT_TRUE(says(": " + topic + "[4]@0  ") && says(": " + topic + "[2]@0  ")) << output_;
  }
}

TEST_F(DeadLetters, WhatIsNoneIsNamedAndStaysWhereItIs) {
  Message stranger;
  stranger.topic = world_.topic("orders-dlt");
  stranger.partition = 0;
  stranger.value = "hello";
  publish(stranger);
  ASSERT_TRUE(list_says("1 dead letter: 1 SKALD-305")) << output_;
  EXPECT_TRUE(says("no dead letter: its header kafka_dlt-original-topic is missing")) << output_;
  EXPECT_EQ(call("redrive", {"--all", "--who", "ann", "--why", "now"}), 1) << output_;
  EXPECT_TRUE(says("put back: 0, refused: 1\n")) << output_;
  EXPECT_EQ(world_.place_order({"dead-letters", "list", "--topic", "nothing"}, output_), 2) << output_;
  EXPECT_TRUE(says("topic 'nothing-dlt' is not there")) << output_;
}

}  // namespace
}  // namespace skald::e2e
