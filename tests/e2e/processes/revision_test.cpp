// A rolling deploy and its roll-back with two real binaries, the old and the new, while sagas start and are signalled:
// nothing is lost, nothing is stuck, each saga stays on the revision it began with.
#include <gtest/gtest.h>

#include "contract/bus_probe.hpp"
#include "contract/kafka_harness.hpp"
#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;

constexpr int kSagas = 100;  ///< in each of the three parts

class Deploy : public testing::Test {
 protected:
  void SetUp() override {
    world_.add_configuration("triggers:\n  deliver: {topic: " + world_.topic("orders") +
                             ", saga: deliver}\n");
    std::string output;
    ASSERT_EQ(world_.place_order({"migrate"}, output), 0) << output;
    kafka::Options options;
    options.bootstrap_servers = world_.cluster().kafka;
    bus_ = kafka::open(contract::for_tests(options)).value();
    producer_ = bus_->producer().value();
  }
  Orchestrator serve(const std::string& which) {
    world_.use_program("tests/e2e/revised-" + which);
    return world_.start_orchestrator();
  }
  void end(Orchestrator& orchestrator) {
    orchestrator.process->signal(SIGTERM);
    EXPECT_EQ(orchestrator.process->wait(60s), 0) << orchestrator.process->output();
  }
  void place(const std::string& part) {
    std::vector<Message> orders;
    for (int number = 1; number <= kSagas; ++number) {
      const std::string id = part + "-" + std::to_string(number);
      orders.push_back({world_.topic("orders"), {}, id, R"({"id":")" + id + R"("})", {}, {}});
    }
    contract::publish_all(*producer_, orders);
  }
  void signal_all(const std::string& part) {
    std::vector<Message> signals;
    for (int number = 1; number <= kSagas; ++number) {
      const std::string id = part + "-" + std::to_string(number);
      signals.push_back({"skald." + world_.name() + ".signals",
                         {},
                         id,
                         "{}",
                         {{"ce_specversion", "1.0"},
                          {"ce_id", "go"},
                          {"ce_type", "go"},
                          {"ce_source", "/test"},
                          {"ce_sagadefinition", "deliver"},
                          {"ce_correlationid", id}},
                         {}});
    }
    contract::publish_all(*producer_, signals);
  }
  /// As many sagas as the condition of SQL finds.
  [[nodiscard]] bool there_are(int count, const std::string& condition) {
    return eventually(
        60s, [&] { return world_.number("SELECT count(*) FROM skald.saga WHERE " + condition) == count; });
  }

  World world_{World::given(), "tests/e2e/revised-old"};
  std::unique_ptr<Bus> bus_;
  std::unique_ptr<Producer> producer_;
};

TEST_F(Deploy, RollsForwardAndBackWithNothingLostAndNothingStuck) {
  Orchestrator old_one = serve("old");
  place("a");
  ASSERT_TRUE(there_are(kSagas, "true")) << world_.logs();
  Orchestrator new_one = serve("new");
  place("b");  // whoever reads the record starts it, in the newest revision it knows
  ASSERT_TRUE(there_are(2 * kSagas, "true")) << world_.logs();
  end(old_one);
  place("c");
  ASSERT_TRUE(there_are(3 * kSagas, "true")) << world_.logs();
  const auto second = world_.number("SELECT count(*) FROM skald.saga WHERE revision = 2");
  ASSERT_GE(second, kSagas);

  Orchestrator back = serve("old");
  end(new_one);
  for (const char* part : {"a", "b", "c"}) signal_all(part);
  EXPECT_TRUE(there_are(static_cast<int>(3 * kSagas - second), "status = 10")) << world_.logs();
  EXPECT_EQ(world_.number("SELECT count(*) FROM skald.saga WHERE status = 10 AND revision = 2"), 0)
      << "the old binary has no code for them and keeps what comes for them";
  Orchestrator again = serve("new");
  EXPECT_TRUE(there_are(3 * kSagas, "status = 10")) << world_.logs();
  EXPECT_EQ(
      world_.number(
          "SELECT count(*) FROM skald.saga s JOIN skald.history h USING (saga_key) WHERE "
          "h.events LIKE '%\"step\":\"' || CASE s.revision WHEN 1 THEN 'new' ELSE 'old' END || '-way%'"),
      0)
      << "each goes on as it began";
}

}  // namespace
}  // namespace skald::e2e
