// PostgreSQL or Kafka goes away under load and comes back: nothing is lost, and nobody has to help. Each test has a
// cluster of its own to stop.
#include <gtest/gtest.h>

#include <fstream>

#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

const std::string kStackTool = std::string(SKALD_SOURCE_DIR) + "/tools/stack";

/// A private PostgreSQL and Kafka, removed with the object.
class Stack {
 public:
  Stack()
      : folder_(std::filesystem::temp_directory_path() / ("skald-e2e-stack-" + std::to_string(getpid()))) {
    start();
  }
  ~Stack() { static_cast<void>(run("remove")); }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  void start() {
    ASSERT_EQ(run("start"), 0);
    std::ifstream in{folder_ / "stack.env"};
    for (std::string line; std::getline(in, line);)
      values_[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
  }
  [[nodiscard]] World::Cluster cluster() const {
    return {values_.at("SKALD_KAFKA"), values_.at("SKALD_POSTGRES")};
  }
  void signal(const std::string& name, int number) const { ::kill(std::stoi(values_.at(name)), number); }
  [[nodiscard]] bool is_running(const std::string& name) const {
    return ::kill(std::stoi(values_.at(name)), 0) == 0;
  }

 private:
  [[nodiscard]] int run(const std::string& command) const {
    Process process{{kStackTool, command, folder_.string()}, folder_.string() + ".log"};
    return process.wait(120s).value_or(-1);
  }

  std::filesystem::path folder_;
  std::map<std::string, std::string> values_;
};

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
