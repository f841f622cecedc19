// What an operator meets at start: somebody is not there yet, or will not have us.
#include <gtest/gtest.h>

#include <algorithm>

#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

class Startup : public testing::Test {
 protected:
  std::string with_user(const std::string& user) const {
    auto uri = world_.cluster().postgres;
    const auto begin = uri.find("//") + 2;
    return uri.replace(begin, uri.find('@') - begin, user);
  }

  World world_{World::given()};
  std::string output_;
};

TEST_F(Startup, UnknownDatabaseUserIsOneLineAndAnExitCode) {
  EXPECT_EQ(world_.place_order({"serve"}, output_, {{"SKALD_POSTGRES_URI", with_user("nobody-we-know")}}), 77)
      << output_;
  EXPECT_NE(output_.find("nobody-we-know"), std::string::npos) << output_;
}

TEST_F(Startup, DatabaseWithoutTablesIsOneLineAndAnExitCode) {
  EXPECT_EQ(world_.place_order({"serve"}, output_), 78) << output_;
  EXPECT_NE(output_.find("migrate"), std::string::npos) << output_;
}

TEST_F(Startup, WrongConfigurationNamesTheKey) {
  EXPECT_EQ(world_.place_order({"serve"}, output_, {{"SKALD_TOPICS_PARTITIONS", "many"}}), 2) << output_;
  EXPECT_NE(output_.find("SKALD_TOPICS_PARTITIONS"), std::string::npos) << output_;
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
