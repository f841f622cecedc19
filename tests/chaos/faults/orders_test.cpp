// Orders while processes, Kafka and PostgreSQL are killed, frozen and replaced at random: every order ends once, and the
// participants' tables add up.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "stack.hpp"
#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr int kRate = 40;  ///< orders a second

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class Chaos : public testing::Test {
 protected:
  void SetUp() override {
    seed_ = number_from("SKALD_CHAOS_SEED", std::random_device{}());
    seconds_ = number_from("SKALD_CHAOS_SECONDS", 60);
    random_.seed(seed_);
    std::printf("SKALD_CHAOS_SEED=%llu\n", static_cast<unsigned long long>(seed_));
    world_.prepare();
    for (Orchestrator& one : orchestrators_) one = world_.start_orchestrator();
  }

  std::uint64_t pick(std::uint64_t from, std::uint64_t to) {
    return std::uniform_int_distribution<std::uint64_t>(from, to)(random_);
  }
  /// Goes on for so long, or until the load has ended.
  void pass(milliseconds time) {
    static_cast<void>(eventually(time, [this] { return !load_->is_running(); }));
  }
  Orchestrator& one_of_them() { return orchestrators_[pick(0, 1)]; }

  /// What was done, for the message of a failure.
  std::string fault() {
    const milliseconds frozen(pick(500, 6'000));
    switch (pick(0, 6)) {
      case 0: {
        Orchestrator& one = one_of_them();
        one.process->kill();
        one = world_.start_orchestrator(false);
        return "an orchestrator was killed";
      }
      case 1: {
        const Orchestrator& one = one_of_them();
        one.process->signal(SIGSTOP);
        pass(frozen);
        one.process->signal(SIGCONT);
        return "an orchestrator was frozen for " + std::to_string(frozen.count()) + " ms";
      }
      case 2: {
        Orchestrator& one = one_of_them();
        one.process->signal(SIGTERM);
        pass(frozen);
        one = world_.start_orchestrator(false);
        return "an orchestrator was replaced";
      }
      case 3:
      case 4: world_.restart_participant(pick(0, 2)); return "a participant was killed";
      case 5: return outage("SKALD_POSTGRES_PID", SIGINT);
      default:
        stack_.signal("SKALD_KAFKA_PID", SIGSTOP);
        pass(frozen);
        stack_.signal("SKALD_KAFKA_PID", SIGCONT);
        return "Kafka was frozen for " + std::to_string(frozen.count()) + " ms";
    }
  }
  std::string outage(const std::string& pid, int number) {
    stack_.signal(pid, number);
    EXPECT_TRUE(eventually(60s, [&] { return !stack_.is_running(pid); }));
    stack_.start();
    return pid + " ended and was started again";
  }

  std::uint64_t seed_ = 0, seconds_ = 0;
  std::mt19937_64 random_;
  Stack stack_;
  World world_{stack_.cluster()};
  Orchestrator orchestrators_[2];
  Process* load_ = nullptr;
};

TEST_F(Chaos, OfProcessesKafkaAndPostgresLosesNothingAndDoesNothingTwice) {
  const int orders = static_cast<int>(seconds_) * kRate;
  load_ = &world_.start_load(orders, kRate);
  ASSERT_TRUE(load_->says("outcomes [1-9]", 60s)) << world_.logs();
  std::string faults;
  int count = 0;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds_);
  for (; load_->is_running() && std::chrono::steady_clock::now() < until; ++count) {
    faults += fault() + "\n";
    pass(milliseconds(pick(500, 4'000)));
  }
  const Outcome outcome = world_.finish_load(240s);
  const std::string told = "SKALD_CHAOS_SEED=" + std::to_string(seed_) + "\n" + faults + outcome.report;
  EXPECT_GT(count, 3) << told;
  EXPECT_EQ(outcome.exit_code, 0) << told << world_.logs();
  EXPECT_EQ(outcome.number("orders"), orders) << told;
  EXPECT_EQ(outcome.number("completed") + outcome.number("compensated"), orders) << told;
  EXPECT_EQ(world_.offences(), "") << told;
  EXPECT_EQ(world_.number("SELECT count(*) FROM skald.saga WHERE status < 10"), 0) << told;
  std::printf("%s", faults.c_str());
}

}  // namespace
}  // namespace skald::e2e
