// The database is restored to an earlier moment, as docs/operations.md says, while Kafka and the participants are ahead of
// it: every order still ends, and every effect took place once.
#include <gtest/gtest.h>

#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

TEST(Restore, ToAnEarlierMomentEndsEveryOrderOnceWithoutAnEffectDoneTwice) {
  constexpr int kOrders = 300;
  World world{World::given()};
  world.prepare();
  auto before = world.start_orchestrator();
  auto& load = world.start_load(kOrders, 60);
  ASSERT_TRUE(load.says("outcomes [1-9]", 60s)) << world.logs();
  const auto dump = world.file("skald.dump");
  const auto uri = world.database_uri("skald");
  Process backup{{"/usr/bin/pg_dump", "-Fc", "-n", "skald", "-f", dump, uri}, world.file("dump.log")};
  ASSERT_EQ(backup.wait(60s), 0) << backup.output();
  const auto at_backup = world.number("SELECT count(*) FROM skald.saga WHERE wake_at IS NULL");
  ASSERT_TRUE(load.says("reached", 60s)) << world.logs();
  ASSERT_GT(world.number("SELECT count(*) FROM skald.saga WHERE wake_at IS NULL"), at_backup);

  before.process->signal(SIGTERM);
  ASSERT_EQ(before.process->wait(40s), 0) << before.process->output();
  Process restore{{"/usr/bin/pg_restore", "--clean", "--if-exists", "-d", uri, dump},
                  world.file("restore.log")};
  ASSERT_EQ(restore.wait(60s), 0) << restore.output();
  ASSERT_LT(world.number("SELECT count(*) FROM skald.saga WHERE wake_at IS NULL"), kOrders);

  auto after = world.start_orchestrator();
  const auto outcome = world.finish_load(150s);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.report << world.logs();
  EXPECT_EQ(outcome.number("completed") + outcome.number("compensated"), kOrders) << outcome.report;
  EXPECT_TRUE(eventually(60s, [&] {
    return world.number("SELECT count(*) FROM skald.saga WHERE wake_at IS NULL") == kOrders;
  })) << world.logs();
  EXPECT_EQ(world.offences(), "");
}

}  // namespace
}  // namespace skald::e2e
