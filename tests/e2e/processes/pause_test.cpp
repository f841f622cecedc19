// Definitions and step types paused from the command line under load, as a stranger would while a provider is in
// maintenance: nothing of them moves, and afterwards nothing is missing.
#include <gtest/gtest.h>

#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

class Pauses : public testing::Test {
 protected:
  int change(const std::string& verb, const std::string& option, const std::string& name) {
    return world_.place_order(
        {"pauses", verb, option, name, "--who", "ann", "--why", "the provider is in maintenance"}, output_);
  }
  [[nodiscard]] std::int64_t open_sagas() {
    return world_.number("SELECT count(*) FROM skald.saga WHERE wake_at IS NOT NULL");
  }
  [[nodiscard]] bool keeps_every_promise(const Outcome& load, std::int64_t sagas) {
    EXPECT_EQ(load.exit_code, 0) << load.report;
    EXPECT_EQ(load.number("completed") + load.number("compensated"), sagas) << load.report;
    EXPECT_EQ(world_.offences(), "");
    return !HasFailure();
  }

  World world_{World::given()};
  std::string output_;
};

TEST_F(Pauses, OfADefinitionUnderLoadLoseNothing) {
  world_.prepare();
  Orchestrator first = world_.start_orchestrator();
  Orchestrator second = world_.start_orchestrator();
  Process& load = world_.start_load(400, 100);
  ASSERT_TRUE(load.says("reached", 60s)) << world_.logs();
  ASSERT_EQ(change("begin", "--definition", "place-order"), 0) << output_;
  EXPECT_EQ(output_, "definition place-order is paused: running orchestrators heed it within a second\n");
  ASSERT_TRUE(first.process->says("Paused.", 10s) && second.process->says("Paused.", 10s));
  const auto input = R"({"id":"o-x","customer":"ann","sku":"book","total_cents":5})";
  EXPECT_EQ(world_.place_order({"start", "place-order", "--id", "o-x", "--input", input, "--url",
                                "http://127.0.0.1:" + std::to_string(first.port)},
                               output_),
            69);
  EXPECT_NE(output_.find("SKALD-419"), std::string::npos) << output_;
  EXPECT_EQ(world_.place_order({"pauses", "show"}, output_), 0);
  EXPECT_NE(output_.find("definition place-order since "), std::string::npos) << output_;
  EXPECT_NE(output_.find("by ann, because the provider is in maintenance"), std::string::npos) << output_;
  EXPECT_EQ(change("begin", "--definition", "place-order"), 0);
  EXPECT_EQ(output_, "definition place-order was paused already\n");
  ASSERT_EQ(change("end", "--definition", "place-order"), 0) << output_;
  EXPECT_TRUE(keeps_every_promise(world_.finish_load(120s), 400)) << world_.logs();
  EXPECT_EQ(world_.number("SELECT count(*) FROM skald.pause WHERE resumed_by = 'ann'"), 1);
  EXPECT_EQ(world_.number("SELECT count(*) FROM skald.parked_input"), 0);
}

TEST_F(Pauses, OfAStepTypeHoldItsAttemptsAndTheHistorySaysSo) {
  world_.prepare();
  Orchestrator orchestrator = world_.start_orchestrator();
  ASSERT_EQ(change("begin", "--step", "charge-card"), 0) << output_;
  ASSERT_TRUE(orchestrator.process->says("Paused.", 10s));
  world_.start_load(20, 100);
  // All that are still open: the stock of some may be refused before.
  const std::string held =
      "SELECT count(*) FROM skald.saga s WHERE wake_at IS NOT NULL AND EXISTS (SELECT FROM skald.history h "
      "WHERE h.saga_key = s.saga_key AND h.events LIKE '%\"held\":true%')";
  ASSERT_TRUE(eventually(60s, [&] {
    return world_.number("SELECT count(*) FROM skald.saga") == 20 && world_.number(held) == open_sagas();
  })) << world_.logs();
  EXPECT_GT(open_sagas(), 0);
  EXPECT_EQ(
      world_.number("SELECT count(*) FROM skald.history "
                    "WHERE events LIKE '%\"type\":\"attempt\",\"ordinal\":2,\"step\":\"charge-card\"%'"),
      0);
  ASSERT_EQ(change("end", "--step", "charge-card"), 0) << output_;
  EXPECT_TRUE(keeps_every_promise(world_.finish_load(120s), 20)) << world_.logs();
}

TEST_F(Pauses, NameWhatThereIs) {
  ASSERT_EQ(world_.place_order({"migrate"}, output_), 0) << output_;
  EXPECT_EQ(change("begin", "--step", "charge-cart"), 2);
  EXPECT_NE(output_.find("this binary has no step charge-cart; did you mean charge-card?"), std::string::npos)
      << output_;
  EXPECT_EQ(world_.place_order({"pauses", "begin", "--who", "ann", "--why", "x"}, output_), 2) << output_;
  EXPECT_EQ(world_.place_order({"pauses", "show"}, output_), 0);
  EXPECT_EQ(output_, "nothing is paused\n");
  EXPECT_EQ(change("end", "--step", "charge-card"), 0);
  EXPECT_EQ(output_, "step charge-card was not paused\n");
}

}  // namespace
}  // namespace skald::e2e
