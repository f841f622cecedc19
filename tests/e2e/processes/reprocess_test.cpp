// Past orders through changed code: in shadow, which sends nothing, then for real.
#include <gtest/gtest.h>

#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

class Reprocess : public testing::Test {
 protected:
  static constexpr int kOrders = 40;

  void SetUp() override {
    world_.prepare();
    Orchestrator orchestrator = world_.start_orchestrator();
    world_.start_load(kOrders, 100);
    ASSERT_EQ(world_.finish_load(60s).exit_code, 0) << world_.logs();
    orchestrator.process->signal(SIGTERM);
    ASSERT_EQ(orchestrator.process->wait(60s), 0);
  }
  int reprocess(const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"reprocess", "place-order", "--topic", world_.topic("orders")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return world_.place_order(arguments, output_);
  }
  [[nodiscard]] bool says(const std::string& text) const { return output_.find(text) != std::string::npos; }
  [[nodiscard]] std::int64_t sagas() { return world_.number("SELECT count(*) FROM skald.saga"); }
  [[nodiscard]] std::int64_t after(const std::string& name) const {
    const std::size_t at = output_.rfind(name + ": ");
    return at == std::string::npos ? -1 : std::stoll(output_.substr(at + name.size() + 2));
  }

  /// One that has at least five of the orders: where an order goes is by its id, and the ids are new in each run.
  [[nodiscard]] std::string full_partition() {
    for (int partition = 0; partition < 6; ++partition) {
      const std::string number = std::to_string(partition);
      if (reprocess({"--partition", number, "--from-offset", "0"}) <= 1 && after("records") >= 5)
        return number;
    }
    ADD_FAILURE() << "40 orders, six partitions, and none has five: " << output_;
    return "0";
  }

  World world_{World::given()};
  std::string output_;
};

TEST_F(Reprocess, InShadowTheSameCodeDiffersInNothingAndChangedCodeInWhatItDoes) {
  const std::int64_t before = sagas();
  EXPECT_EQ(reprocess({"--from", "2026-01-01T00:00:00Z"}), 0) << output_;
  EXPECT_EQ(after("starts"), after("the same") + after("repeated")) << output_;
  EXPECT_EQ(after("the same"), kOrders) << output_;
  world_.use_program("tests/e2e/reprocessed");
  EXPECT_EQ(reprocess({"--from", "2026-01-01T00:00:00Z"}), 1) << output_;
  EXPECT_EQ(after("the same") + after("differ"), kOrders) << output_;
  EXPECT_GT(after("differ"), 0);
  EXPECT_TRUE(says("  step charge-card: its input was ")) << output_;
  EXPECT_EQ(reprocess({"--from", "2026-01-01T00:00:00Z", "--revision", "1"}), 0) << output_;
  EXPECT_EQ(sagas(), before) << "nothing was started";
}

TEST_F(Reprocess, ARangeIsOfOffsetsOrOfTimes) {
  EXPECT_EQ(reprocess({"--partition", full_partition(), "--from-offset", "2", "--to-offset", "5"}), 0)
      << output_;
  EXPECT_EQ(after("records"), 3) << output_;
  EXPECT_EQ(reprocess({"--to", "2026-01-01T00:00:00Z"}), 0) << output_;
  EXPECT_EQ(after("records"), 0) << output_;
  EXPECT_EQ(reprocess({}), 2);
  EXPECT_TRUE(says("which records? Say --from, --to, or --from-offset, --to-offset")) << output_;
  EXPECT_EQ(reprocess({"--from-offset", "3"}), 2);
  EXPECT_TRUE(says("--from-offset and --to-offset need --partition")) << output_;
  EXPECT_EQ(reprocess({"--partition", "99", "--from-offset", "3"}), 2);
  EXPECT_TRUE(says("and no partition 99")) << output_;
  EXPECT_EQ(
      world_.place_order(
          {"reprocess", "place-order", "--topic", "nonsense", "--from", "2026-01-01T00:00:00Z"}, output_),
      2);
  EXPECT_TRUE(says("no trigger of place-order reads topic 'nonsense'; there is " + world_.topic("orders")))
      << output_;
}

TEST_F(Reprocess, ForRealItStartsSagasOfTheirOwnOnce) {
  world_.use_program("tests/e2e/reprocessed");
  Orchestrator orchestrator = world_.start_orchestrator();
  const std::string url = "http://127.0.0.1:" + std::to_string(orchestrator.port);
  const std::string partition = full_partition();
  const std::vector<std::string> range{"--partition", partition, "--from-offset", "0", "--to-offset", "4"};
  std::vector<std::string> real = range;
  real.insert(real.end(), {"--start", "--url", url, "--who", "ann", "--why", "they were shipped late"});
  EXPECT_EQ(reprocess(real), 2) << "without a suffix they would be the same sagas";
  real.insert(real.end(), {"--suffix", "/again"});
  ASSERT_EQ(reprocess(real), 0) << output_;
  const std::int64_t started = after("started");
  EXPECT_GT(started, 0) << output_;
  const std::string again = "SELECT count(*) FROM skald.saga WHERE saga_id LIKE '%/again' AND revision = 2";
  EXPECT_EQ(world_.number(again), started);
  EXPECT_EQ(reprocess(real), 0) << output_;
  EXPECT_EQ(after("existed"), started) << output_;
  EXPECT_TRUE(eventually(60s, [&] { return world_.number(again + " AND ended_at IS NOT NULL") == started; }));
  EXPECT_EQ(world_.place_order({"list", "--json", "--limit", "1"}, output_), 0);
  const std::size_t id = output_.find("order-");
  ASSERT_EQ(world_.place_order({"show", output_.substr(id, output_.find("/again") + 6 - id)}, output_), 0)
      << output_;
  EXPECT_TRUE(says("started by " + world_.topic("orders") + "[" + partition + "]@") &&
              says(" again, ann: they were shipped late (api: "))
      << output_;
}

}  // namespace
}  // namespace skald::e2e
