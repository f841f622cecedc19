// What has ended is removed by a real process from a real database, and is told from what never was for as long as its row is
// there.
#include <gtest/gtest.h>

#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

class Removed : public testing::Test {
 protected:
  int start(const Orchestrator& orchestrator, const std::string& id) {
    return world_.place_order({"start", "place-order", "--id", id, "--input",
                               R"({"id":")" + id + R"(","customer":"ann","sku":"book","total_cents":5})",
                               "--url", "http://127.0.0.1:" + std::to_string(orchestrator.port)},
                              output_);
  }
  [[nodiscard]] bool says(const std::string& text) const { return output_.find(text) != std::string::npos; }
  [[nodiscard]] std::int64_t count(const std::string& table) {
    return world_.number("SELECT count(*) FROM skald." + table);
  }

  World world_{World::given()};
  std::string output_;
};

TEST_F(Removed, TheHistoryFirstAndLaterTheRow) {
  world_.prepare();
  world_.add_runtime("history_retention: 1s, retention_interval: 200ms");
  Orchestrator first = world_.start_orchestrator();
  for (int order = 0; order < 5; ++order) ASSERT_EQ(start(first, "o-" + std::to_string(order)), 0) << output_;
  ASSERT_TRUE(eventually(60s, [&] { return count("saga") == 5 && count("history") == 0; })) << world_.logs();
  EXPECT_EQ(world_.place_order({"show", "o-3"}, output_), 0);
  EXPECT_TRUE(says("place-order o-3   completed")) << output_;
  EXPECT_TRUE(says("Its history was removed (runtime.history_retention).")) << output_;
  EXPECT_EQ(start(first, "o-3"), 0) << output_;
  EXPECT_TRUE(says("exists")) << output_;
  EXPECT_EQ(count("saga"), 5);
  EXPECT_EQ(count("history"), 0);
  EXPECT_EQ(world_.place_order({"cancel", "place-order", "o-3", "--who", "ann", "--why", "too late", "--url",
                                "http://127.0.0.1:" + std::to_string(first.port)},
                               output_),
            1);
  EXPECT_TRUE(says("the saga has ended and its history was removed")) << output_;
  first.process->signal(SIGTERM);
  ASSERT_EQ(first.process->wait(60s), 0);

  world_.add_runtime("saga_retention: 2s");
  Orchestrator second = world_.start_orchestrator();
  EXPECT_TRUE(eventually(60s, [&] { return count("saga") == 0; })) << world_.logs();
  EXPECT_NE(world_.logs().find("What ended long ago is removed."), std::string::npos);
}

}  // namespace
}  // namespace skald::e2e
