// Before a deploy: what a new binary would do to the sagas that are open, asked of real databases and of exported files.
#include <gtest/gtest.h>

#include <fstream>

#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

class Preflight : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(world_.place_order({"migrate"}, output_), 0) << output_;
    Orchestrator orchestrator = world_.start_orchestrator();
    for (const char* id : {"d-1", "d-2", "d-3"})
      ASSERT_EQ(world_.place_order(
                    {"start", "deliver", "--id", id, "--input", std::string(R"({"id":")") + id + R"("})",
                     "--url", "http://127.0.0.1:" + std::to_string(orchestrator.port)},
                    output_),
                0)
          << output_;
    orchestrator.process->signal(SIGTERM);
    ASSERT_EQ(orchestrator.process->wait(60s), 0);
  }
  int run(const std::string& which, const std::vector<std::string>& arguments) {
    world_.use_program("tests/e2e/revised-" + which);
    return world_.place_order(arguments, output_);
  }
  [[nodiscard]] bool says(const std::string& text) const { return output_.find(text) != std::string::npos; }

  World world_{World::given(), "tests/e2e/revised-old"};
  std::string output_;
};

constexpr const char* kDifference =
    "deliver revision 1: 3 sagas would break, like d-3 at transition 1: the code goes on with `step new-way "
    "#1`";

TEST_F(Preflight, NamesWhatABinaryWouldBreak) {
  EXPECT_EQ(run("new", {"preflight"}), 0) << output_;
  EXPECT_TRUE(says("deliver revision 1: 3 sagas fit\n")) << output_;
  EXPECT_EQ(run("broken", {"preflight"}), 1) << output_;
  EXPECT_TRUE(says(kDifference)) << output_;
  EXPECT_TRUE(says("3 replayed in ") && says(", 3 would break\n")) << output_;
}

TEST_F(Preflight, NamesRevisionsWithoutCode) {
  world_.sql("UPDATE skald.saga SET revision = 7 WHERE saga_id = 'd-2'");
  EXPECT_EQ(run("new", {"preflight"}), 1);
  EXPECT_TRUE(says("deliver revision 7: 1 saga, and no code for it in this binary\n")) << output_;
}

TEST_F(Preflight, GivesUpWhenItsTimeIsOver) {
  EXPECT_EQ(run("new", {"preflight", "--time-limit", "0ms"}), 69) << output_;
  EXPECT_TRUE(says("0 replayed in ") && says("SKALD-926")) << output_;
}

TEST_F(Preflight, ExportedHistoriesTellTheSame) {
  EXPECT_EQ(run("old", {"export", "--definition", "deliver", "--status", "open"}), 0) << output_;
  const std::string file = world_.file("exported.jsonl");
  std::ofstream(file) << output_;
  EXPECT_EQ(run("new", {"replay", file}), 0) << output_;
  EXPECT_TRUE(says("deliver revision 1: 3 sagas fit\n")) << output_;
  EXPECT_EQ(run("broken", {"replay", file}), 1) << output_;
  EXPECT_TRUE(says(kDifference)) << output_;
  std::ofstream(file) << "{\"definition\":\"deliver\"}\n";
  EXPECT_EQ(run("new", {"replay", file}), 2) << output_;
  EXPECT_TRUE(says("line 1: /id takes a text (SKALD-925)")) << output_;
  std::ofstream(file) << "\n";
  EXPECT_EQ(run("new", {"replay", file}), 2) << output_;
  EXPECT_TRUE(says("holds no exported history")) << output_;
  EXPECT_EQ(run("old", {"export", "nobody"}), 1);
  EXPECT_TRUE(says("there are no such sagas")) << output_;
}

}  // namespace
}  // namespace skald::e2e
