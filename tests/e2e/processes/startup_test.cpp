// What an operator meets at start: somebody is not there yet, or will not have us.
#include <gtest/gtest.h>

#include <algorithm>

#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

class Startup : public testing::Test {
 protected:
  World world_{World::given()};
  std::string output_;
};

TEST_F(Startup, UnknownDatabaseUserIsOneLineAndAnExitCode) {
  EXPECT_EQ(
      world_.place_order({"serve"}, output_, {{"SKALD_POSTGRES_URI", world_.database_uri("nobody-we-know")}}),
      77)
      << output_;
  EXPECT_NE(output_.find("nobody-we-know"), std::string::npos) << output_;
}

TEST_F(Startup, UnknownDatabaseUserOfAParticipantIsOneLineAndAnExitCode) {
  Process inventory{{std::string(SKALD_BUILD_DIR) + "/examples/order/participants/order-inventory", "--kafka",
                     world_.cluster().kafka, "--postgres", world_.database_uri("nobody-we-know")},
                    world_.file("inventory.log")};
  EXPECT_EQ(inventory.wait(30s), 77) << inventory.output();
  EXPECT_NE(inventory.output().find("nobody-we-know"), std::string::npos) << inventory.output();
}

TEST_F(Startup, DatabaseUserWithoutRightsOnTheTablesIsToldSo) {
  ASSERT_EQ(world_.place_order({"migrate"}, output_), 0) << output_;
  const auto role = world_.name() + "_stranger";
  world_.sql("CREATE ROLE " + role + " LOGIN");
  EXPECT_EQ(world_.place_order({"serve"}, output_, {{"SKALD_POSTGRES_URI", world_.database_uri(role)}}), 78)
      << output_;
  EXPECT_NE(output_.find("may not be read by role " + role), std::string::npos) << output_;
  world_.sql("DROP ROLE " + role);
}

TEST_F(Startup, DatabaseWithoutTablesIsOneLineAndAnExitCode) {
  EXPECT_EQ(world_.place_order({"serve"}, output_), 78) << output_;
  EXPECT_NE(output_.find("migrate"), std::string::npos) << output_;
}

TEST_F(Startup, WrongConfigurationNamesTheKey) {
  EXPECT_EQ(world_.place_order({"serve"}, output_, {{"SKALD_TOPICS_PARTITIONS", "many"}}), 2) << output_;
  EXPECT_NE(output_.find("SKALD_TOPICS_PARTITIONS"), std::string::npos) << output_;
}

TEST_F(Startup, ReadyAsksWhoeverListens) {
  const std::string nobody = "http://127.0.0.1:" + std::to_string(free_port());
  EXPECT_EQ(world_.place_order({"ready", "--url", nobody}, output_), 69) << output_;
  ASSERT_EQ(world_.place_order({"migrate"}, output_), 0) << output_;
  const Orchestrator orchestrator = world_.start_orchestrator();
  EXPECT_EQ(world_.place_order({"ready", "--url", "http://127.0.0.1:" + std::to_string(orchestrator.port)},
                               output_),
            0)
      << output_;
  EXPECT_NE(output_.find("\"postgresql\":\"reached\""), std::string::npos) << output_;
}

TEST_F(Startup, AbsentKafkaIsWaitedFor) {
  world_.prepare();
  const int port = free_port();
  const auto config = world_.file("command.yaml");
  Process process{{std::string(SKALD_BUILD_DIR) + "/examples/place-order", "serve", "--config", config},
                  world_.file("absent.log"),
                  {{"SKALD_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1"},
                   {"SKALD_HTTP_LISTEN", "127.0.0.1:" + std::to_string(port)}}};
  EXPECT_TRUE(eventually(30s, [&] { return http_status(port, "/readyz") == 503; })) << process.output();
  EXPECT_EQ(http_status(port, "/healthz"), 200);
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait(30s), 0) << process.output();
}

}  // namespace
}  // namespace skald::e2e
