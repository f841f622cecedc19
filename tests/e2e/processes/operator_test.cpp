// A saga that is stuck, and the operator at the command line: each way out, as a stranger would take it. The test
// answers for the participants.
#include <gtest/gtest.h>

#include "contract/bus_probe.hpp"
#include "contract/kafka_harness.hpp"
#include "wire/cloud_events.hpp"
#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

class Operator : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(world_.place_order({"migrate"}, output_), 0) << output_;
    orchestrator_ = world_.start_orchestrator();
    kafka::Options options;
    options.bootstrap_servers = world_.cluster().kafka;
    bus_ = kafka::open(contract::for_tests(options)).value();
    producer_ = bus_->producer().value();
  }

  int call(std::vector<std::string> arguments) {
    const auto url = "http://127.0.0.1:" + std::to_string(orchestrator_.port);
    arguments.insert(arguments.end(), {"--url", url});
    return world_.place_order(arguments, output_);
  }
  int act(const std::string& verb, const std::string& id, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{verb,    "place-order",       id, "--who", "ann",
                                       "--why", "asked the provider"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return call(std::move(arguments));
  }
  void start(const std::string& id) {
    const auto input = R"({"id":")" + id + R"(","customer":"ann","sku":"book","total_cents":5})";
    ASSERT_EQ(call({"start", "place-order", "--id", id, "--input", input}), 0) << output_;
  }

  /// `attempt`: ordinal, phase and number, as a command id ends. Empty data: a refusal for good.
  void reply(const std::string& id, const std::string& step, const std::string& attempt,
             const std::string& data) {
    wire::Reply reply;
    reply.id = id + "/" + attempt;
    reply.step = step;
    reply.source = "/test";
    reply.saga_id = id;
    reply.causation_id = world_.name() + "/place-order/" + id + "/" + attempt;
    reply.succeeded = !data.empty();
    reply.data = data;
    reply.failure = {"no", "not possible", false};
    contract::publish_all(*producer_, {wire::to_message(reply, world_.replies_topic())});
  }
  [[nodiscard]] bool shows(const std::string& id, const std::string& text) {
    return eventually(20s, [&] {
      return world_.place_order({"show", id}, output_) == 0 && output_.find(text) != std::string::npos;
    });
  }
  /// Charging is refused, and then giving the stock back.
  void make_stuck(const std::string& id) {
    start(id);
    reply(id, "reserve-stock", "1/action/1", R"({"id":"r","warehouse":"north"})");
    reply(id, "charge-card", "2/action/1", "");
    ASSERT_TRUE(shows(id, "reserve-stock compensation scheduled")) << output_;
    reply(id, "reserve-stock", "1/compensation/1", "");
    ASSERT_TRUE(shows(id, "STUCK: compensation-refused")) << output_;
  }

  World world_{World::given()};
  Orchestrator orchestrator_;
  std::unique_ptr<Bus> bus_;
  std::unique_ptr<Producer> producer_;
  std::string output_;
};

TEST_F(Operator, RetriesWhatIsStuckAndTheHistorySaysWhoAndWhy) {
  make_stuck("o-1");
  EXPECT_EQ(act("retry", "o-1", {"--sequence", "2"}), 1);
  EXPECT_NE(output_.find("the saga moved since you looked"), std::string::npos) << output_;
  EXPECT_EQ(act("retry", "o-1"), 0) << output_;
  EXPECT_TRUE(shows("o-1", "asked the provider")) << output_;
  reply("o-1", "reserve-stock", "1/compensation/2", "{}");
  EXPECT_TRUE(shows("o-1", "compensated")) << output_;
  EXPECT_EQ(act("retry", "o-1"), 1);
  EXPECT_NE(output_.find("the saga has ended"), std::string::npos) << output_;
}

TEST_F(Operator, SkipsACompensationThatWasDoneByHand) {
  make_stuck("o-1");
  EXPECT_EQ(act("skip", "o-1"), 0) << output_;
  EXPECT_TRUE(shows("o-1", "compensated")) << output_;
}

TEST_F(Operator, EndsASagaAsItStands) {
  make_stuck("o-1");
  EXPECT_EQ(act("end", "o-1"), 0) << output_;
  EXPECT_TRUE(shows("o-1", "terminated")) << output_;
  EXPECT_EQ(act("end", "o-2"), 1);
  EXPECT_NE(output_.find("o-2"), std::string::npos) << output_;
}

TEST_F(Operator, ResetsASagaWhoseStepsAreUndoneBeforeItGoesOn) {
  start("o-1");
  reply("o-1", "reserve-stock", "1/action/1", R"({"id":"r","warehouse":"north"})");
  reply("o-1", "charge-card", "2/action/1", R"({"id":"p"})");
  ASSERT_TRUE(shows("o-1", "ship-order scheduled")) << output_;
  const std::vector<std::string> target{"--to", "1", "--effects", "compensate"};
  EXPECT_EQ(act("reset", "o-1", {"--to", "1", "--effects", "compensate", "--dry-run"}), 0) << output_;
  EXPECT_NE(output_.find("step 2 charge-card: is compensated"), std::string::npos) << output_;
  EXPECT_EQ(act("reset", "o-1", {"--to", "7", "--effects", "compensate"}), 1);
  EXPECT_NE(output_.find("reset takes an earlier transition of the saga's run: 1 to 2"), std::string::npos)
      << output_;
  ASSERT_EQ(act("reset", "o-1", target), 0) << output_;
  ASSERT_TRUE(shows("o-1", "step 3 ship-order compensation scheduled")) << output_;
  reply("o-1", "ship-order", "3/compensation/1", "{}");
  ASSERT_TRUE(shows("o-1", "step 2 charge-card compensation scheduled")) << output_;
  orchestrator_.process->kill();
  orchestrator_ = world_.start_orchestrator();
  reply("o-1", "charge-card", "2/compensation/1", "{}");
  ASSERT_TRUE(shows("o-1", "goes on from transition 1")) << output_;
  EXPECT_TRUE(shows("o-1", "step 4 charge-card scheduled")) << output_;
  reply("o-1", "charge-card", "4/action/1", R"({"id":"p-2"})");
  reply("o-1", "ship-order", "5/action/1", R"({"tracking":"t"})");
  EXPECT_TRUE(shows("o-1", "ended: completed")) << output_;
  EXPECT_NE(
      output_.find("operator ann: reset to transition 1, what took effect since is compensated, because "
                   "asked the provider"),
      std::string::npos)
      << output_;
}

TEST_F(Operator, ResetsASagaAndKeepsWhatTookEffect) {
  start("o-1");
  reply("o-1", "reserve-stock", "1/action/1", R"({"id":"r","warehouse":"north"})");
  reply("o-1", "charge-card", "2/action/1", R"({"id":"p"})");
  ASSERT_TRUE(shows("o-1", "ship-order scheduled")) << output_;
  ASSERT_EQ(act("reset", "o-1", {"--to", "1", "--effects", "keep"}), 0) << output_;
  ASSERT_TRUE(shows("o-1", "step 3 ship-order compensation scheduled")) << "it may have taken effect";
  reply("o-1", "ship-order", "3/compensation/1", "{}");
  EXPECT_TRUE(shows("o-1", "step 2 charge-card counts as done: it took effect before the reset")) << output_;
  reply("o-1", "ship-order", "4/action/1", R"({"tracking":"t"})");
  EXPECT_TRUE(shows("o-1", "ended: completed")) << output_;
}

TEST_F(Operator, ActsOnAllThatAFilterFindsAndGoesOnWhereItStopped) {
  for (const char* id : {"o-1", "o-2", "o-3"}) make_stuck(id);
  const auto batch = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"batch", "end", "--reason", "compensation-refused",
                                       "--who", "ann", "--why",    "all settled by hand"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return call(std::move(arguments));
  };
  EXPECT_EQ(batch({"--dry-run"}), 0) << output_;
  EXPECT_NE(output_.find("place-order o-2: would end (compensation-refused)"), std::string::npos) << output_;
  EXPECT_NE(output_.find("3 found"), std::string::npos) << output_;
  EXPECT_EQ(batch({"--limit", "2"}), 0) << output_;
  EXPECT_NE(output_.find("2 found, 2 applied, 0 refused; go on with --before "), std::string::npos)
      << output_;
  EXPECT_TRUE(shows("o-1", "STUCK")) << "the newest first";
  EXPECT_EQ(batch({}), 0) << output_;
  EXPECT_NE(output_.find("1 found, 1 applied, 0 refused"), std::string::npos) << output_;
  EXPECT_TRUE(shows("o-1", "all settled by hand")) << output_;
  EXPECT_EQ(call({"batch", "explode", "--who", "ann", "--why", "x"}), 2);
}

}  // namespace
}  // namespace skald::e2e
