// Two orchestrators share the work, and one of them dies, freezes or is asked to go: real processes, Kafka and
// PostgreSQL, the orders' outcomes and the participants' own tables as witnesses.
#include <gtest/gtest.h>

#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

class TwoProcesses : public testing::Test {
 protected:
  void SetUp() override { world_.prepare(); }

  void expect_all_promises_held(int orders) {
    const auto outcome = world_.finish_load(120s);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.report << world_.logs();
    EXPECT_EQ(outcome.number("orders"), orders) << outcome.report;
    EXPECT_EQ(outcome.number("completed") + outcome.number("compensated"), orders) << outcome.report;
    EXPECT_EQ(world_.offences(), "");
  }

  World world_{World::given()};
};

TEST_F(TwoProcesses, KilledOneHandsItsSagasOver) {
  auto first = world_.start_orchestrator();
  auto second = world_.start_orchestrator();
  ASSERT_TRUE(world_.start_load(400, 100).says("reached", 60s)) << world_.logs();
  first.process->kill();
  expect_all_promises_held(400);
  EXPECT_TRUE(second.process->is_running());
}

TEST_F(TwoProcesses, FrozenOneLosesItsSagasAndHarmsNothingWhenItWakes) {
  auto first = world_.start_orchestrator();
  auto second = world_.start_orchestrator();
  auto& load = world_.start_load(600, 60);
  ASSERT_TRUE(load.says("outcomes [1-9]", 60s)) << world_.logs();
  first.process->signal(SIGSTOP);
  ASSERT_TRUE(load.says("reached", 60s)) << world_.logs();  // long after the session timeout of 3 s
  first.process->signal(SIGCONT);
  expect_all_promises_held(600);
  EXPECT_TRUE(first.process->is_running()) << world_.logs();
  EXPECT_TRUE(second.process->is_running());
}

TEST_F(TwoProcesses, AskedToGoOneDrainsAndEndsWithZero) {
  auto first = world_.start_orchestrator();
  auto second = world_.start_orchestrator();
  ASSERT_TRUE(world_.start_load(300, 100).says("reached", 60s)) << world_.logs();
  first.process->signal(SIGTERM);
  EXPECT_EQ(first.process->wait(30s), 0) << first.process->output();
  expect_all_promises_held(300);
  second.process->signal(SIGTERM);
  EXPECT_EQ(second.process->wait(30s), 0) << second.process->output();
}

}  // namespace
}  // namespace skald::e2e
