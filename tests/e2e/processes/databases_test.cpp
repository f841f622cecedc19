// One namespace on two databases in two PostgreSQL clusters: both work, a share of the slots moves from one to the
// other while sagas are under way, and every order still ends once, with all promises held.
#include <gtest/gtest.h>

#include <cstdlib>

#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

class TwoDatabases : public testing::Test {
 protected:
  void SetUp() override {
    const char* second = std::getenv("SKALD_TEST_POSTGRES_SECOND");
    ASSERT_NE(second, nullptr) << "SKALD_TEST_POSTGRES_SECOND is not set: ./dev test sets it";
    world_.divide(second, "0-1023", "none");
    world_.prepare();
  }
  std::string run(const std::vector<std::string>& arguments, int expected = 0) {
    std::string output;
    EXPECT_EQ(world_.place_order(arguments, output), expected) << output;
    return output;
  }
  void end(Orchestrator& orchestrator) {
    orchestrator.process->signal(SIGTERM);
    EXPECT_EQ(orchestrator.process->wait(30s), 0) << orchestrator.process->output();
  }
  std::string move_upper_half(int expected = 0) {
    return run(
        {"slots", "move", "512-1023", "--from", "first", "--to", "second", "--who", "test", "--why", "test"},
        expected);
  }

  World world_{World::given()};
};

TEST_F(TwoDatabases, HalfOfTheSagasMoveWhileTheyAreUnderWayAndAllEnd) {
  auto before = world_.start_orchestrator();
  auto& load = world_.start_load(400, 40);
  ASSERT_TRUE(load.says("outcomes [1-9]", 60s)) << world_.logs();
  EXPECT_NE(move_upper_half(1).find("end all processes of both databases first"), std::string::npos);
  end(before);  // orders go on coming, and participants go on answering
  const std::string moved = move_upper_half();
  EXPECT_NE(moved.find("databases.second.slots: 512-1023"), std::string::npos) << moved;

  auto unchanged = world_.start_orchestrator(false);
  EXPECT_EQ(unchanged.process->wait(30s), 78);
  EXPECT_NE(unchanged.process->output().find("has the slots 0-511"), std::string::npos)
      << unchanged.process->output();
  run({"slots", "show"}, 1);

  world_.divide(std::getenv("SKALD_TEST_POSTGRES_SECOND"), "0-511", "512-1023");
  run({"slots", "show"});
  auto first = world_.start_orchestrator(true, {"--database", "first"});
  auto second = world_.start_orchestrator(true, {"--database", "second"});
  auto both = world_.start_orchestrator();
  const auto outcome = world_.finish_load(120s);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.report << world_.logs();
  EXPECT_EQ(outcome.number("completed") + outcome.number("compensated"), 400) << outcome.report;
  EXPECT_EQ(world_.offences(), "");
  const std::string listed = run({"list", "--limit", "500", "--status", "open"});
  EXPECT_EQ(listed, "no sagas\n");
  for (Orchestrator* orchestrator : {&first, &second, &both}) end(*orchestrator);
}

}  // namespace
}  // namespace skald::e2e
