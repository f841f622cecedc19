// Orders through participants whose limits let commands wait: slower, and otherwise the same. Real processes, Kafka and
// PostgreSQL, the orders' outcomes and the participants' own tables as witnesses.
#include <gtest/gtest.h>

#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

TEST(LimitedParticipants, DoEveryOrderOnceThoughAnOrchestratorIsKilled) {
  constexpr int kOrders = 300;
  World world{World::given()};
  world.add_participant_arguments({"--limit", "*.maximum_concurrent=3,*.maximum_starts_per_second=80",
                                   "--limit", "*.breaker.failures=20"});
  world.prepare();
  auto first = world.start_orchestrator();
  auto second = world.start_orchestrator();
  ASSERT_TRUE(world.start_load(kOrders, 150).says("reached", 60s)) << world.logs();
  first.process->kill();
  const auto outcome = world.finish_load(120s);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.report << world.logs();
  EXPECT_EQ(outcome.number("completed") + outcome.number("compensated"), kOrders) << outcome.report;
  EXPECT_EQ(world.offences(), "");
}

TEST(LimitedParticipants, ThatAreLimitedWronglySaySoInOneLineAndEnd) {
  World world{World::given()};
  Process process{{SKALD_BUILD_DIR "/examples/order/participants/order-payments", "--schema", "payments",
                   "--topic", world.topic("payments"), "--limit", "charge-card.maximum_concurrent=many"},
                  world.file("wrong.log")};
  EXPECT_EQ(process.wait(30s), 2);
  EXPECT_EQ(process.output(),
            "--limit: charge-card.maximum_concurrent does not take 'many'; it takes a number\n");
}

}  // namespace
}  // namespace skald::e2e
