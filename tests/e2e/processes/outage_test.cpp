// PostgreSQL or Kafka goes away under load and comes back: nothing is lost, and nobody has to help. Each test has a
// cluster of its own to stop.
#include <gtest/gtest.h>

#include "stack.hpp"
#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

class Outage : public testing::Test {
 protected:
  void SetUp() override { world_.prepare(); }

  /// `pid`: the name of a process id in stack.env; it gets `number` half-way and comes back when it is gone.
  void survive(const std::string& pid, int number) {
    auto orchestrator = world_.start_orchestrator();
    auto& load = world_.start_load(150, 50);
    ASSERT_TRUE(load.says("outcomes [1-9]", 60s)) << world_.logs();
    stack_.signal(pid, number);
    ASSERT_TRUE(eventually(60s, [&] { return !stack_.is_running(pid); }));
    EXPECT_TRUE(eventually(30s, [&] { return http_status(orchestrator.port, "/readyz") == 503; }))
        << world_.logs();
    EXPECT_EQ(http_status(orchestrator.port, "/healthz"), 200);
    stack_.start();
    const auto outcome = world_.finish_load(150s);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.report << world_.logs();
    EXPECT_EQ(outcome.number("orders"), 150) << outcome.report;
    EXPECT_EQ(world_.offences(), "");
    EXPECT_TRUE(orchestrator.process->is_running());
    EXPECT_TRUE(eventually(30s, [&] { return http_status(orchestrator.port, "/readyz") == 200; }))
        << world_.logs();
  }

  Stack stack_;
  World world_{stack_.cluster()};
};

TEST_F(Outage, OfPostgresLosesNothing) { survive("SKALD_POSTGRES_PID", SIGINT); }

TEST_F(Outage, OfKafkaLosesNothing) { survive("SKALD_KAFKA_PID", SIGKILL); }

}  // namespace
}  // namespace skald::e2e
