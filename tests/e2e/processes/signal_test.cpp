// Signals, queries, updates and cancellation as a stranger uses them: real processes, Kafka and PostgreSQL, with SIGKILL
// after each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "contract/bus_probe.hpp"
#include "contract/kafka_harness.hpp"
#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class Voting : public testing::Test {
 protected:
  void SetUp() override {
    world_.add_configuration("signals:\n  vote: {topic: " + world_.topic("ballots") +
                             ", saga: collect-votes, id: /ballot, data: /vote, message_id: /number, "
                             "filter: /type = vote, absent: ignore}\n");
    ASSERT_EQ(world_.place_order({"migrate"}, output_), 0) << output_;
    orchestrator_ = world_.start_orchestrator();
    kafka::Options options;
    options.bootstrap_servers = world_.cluster().kafka;
    bus_ = kafka::open(contract::for_tests(options)).value();
    producer_ = bus_->producer().value();
  }

  int call(std::vector<std::string> arguments) {
    const auto url = "http://127.0.0.1:" + std::to_string(orchestrator_.port);
    arguments.insert(arguments.end(), {"--url", url});
    return world_.place_order(arguments, output_);
  }
  void start(const std::string& id, int votes) {
    ASSERT_EQ(call({"start", "collect-votes", "--id", id, "--input",
                    R"({"question":"sail?","votes":)" + std::to_string(votes) + "}"}),
              0)
        << output_;
  }
  void kill_and_start() {
    orchestrator_.process->kill();
    orchestrator_ = world_.start_orchestrator();
  }
  [[nodiscard]] bool answers(const std::string& id, const std::string& text) {
    return eventually(30s, [&] {
      return call({"query", "collect-votes", id, "tally"}) == 0 && output_.find(text) != std::string::npos;
    });
  }
  [[nodiscard]] bool shows(const std::string& id, const std::string& text) {
    return eventually(30s, [&] {
      return world_.place_order({"show", id}, output_) == 0 && output_.find(text) != std::string::npos;
    });
  }
  Message on_signal_topic(const std::string& id, const std::string& name, const std::string& by,
                          const std::string& message_id) {
    return {"skald." + world_.name() + ".signals",
            {},
            id,
            R"({"by":")" + by + R"(","yes":true})",
            {{"ce_specversion", "1.0"},
             {"ce_id", message_id},
             {"ce_type", name},
             {"ce_source", "/test"},
             {"ce_sagadefinition", "collect-votes"},
             {"ce_correlationid", id}},
            {}};
  }

  World world_{World::given(), "tests/e2e/voter"};
  Orchestrator orchestrator_;
  std::unique_ptr<Bus> bus_;
  std::unique_ptr<Producer> producer_;
  std::string output_;
};

TEST_F(Voting, TakesSignalsFromTheApiTheSignalTopicAndADomainTopicThroughKills) {
  start("b-1", 4);
  ASSERT_EQ(call({"update", "collect-votes", "b-1", "ask", "--data", R"({"text":"sail at dawn?"})"}), 0)
      << output_;
  EXPECT_THAT(output_, HasSubstr(R"({"question":"sail at dawn?","yes":[],"no":[]})"));
  kill_and_start();
  ASSERT_EQ(
      call({"signal", "collect-votes", "b-1", "vote", "--id", "m-1", "--data", R"({"by":"ann","yes":true})"}),
      0);
  kill_and_start();
  EXPECT_EQ(
      call({"signal", "collect-votes", "b-1", "vote", "--id", "m-1", "--data", R"({"by":"ann","yes":true})"}),
      0);
  EXPECT_THAT(output_, HasSubstr("was there before"));
  contract::publish_all(
      *producer_, {on_signal_topic("b-1", "vote", "bo", "m-2"), on_signal_topic("b-1", "vote", "bo", "m-2")});
  ASSERT_TRUE(answers("b-1", R"("yes":["ann","bo"])")) << output_ << world_.logs();
  kill_and_start();
  const Message domain{world_.topic("ballots"),
                       {},
                       "any-key",
                       R"({"type":"vote","ballot":"b-1","number":7,"vote":{"by":"cy","yes":false}})",
                       {},
                       {}};
  Message filtered = domain, of_another = domain;
  filtered.value = R"({"type":"count"})";
  of_another.value = R"({"type":"vote","ballot":"unknown","number":1,"vote":{"by":"cy","yes":false}})";
  contract::publish_all(*producer_, {filtered, domain, of_another, domain});
  ASSERT_TRUE(answers("b-1", R"("no":["cy"])")) << output_ << world_.logs();
  EXPECT_EQ(call({"update", "collect-votes", "b-1", "ask", "--data", R"({"text":"no?"})"}), 1);
  EXPECT_THAT(output_, HasSubstr("somebody has voted already (SKALD-922)"));
  ASSERT_EQ(call({"signal", "collect-votes", "b-1", "vote", "--data", R"({"by":"di","yes":true})"}), 0);
  ASSERT_TRUE(shows("b-1", "ended: completed")) << output_;
  EXPECT_THAT(output_, HasSubstr(R"({"question":"sail at dawn?","yes":["ann","bo","di"],"no":["cy"]})"));
  EXPECT_EQ(call({"query", "collect-votes", "b-1", "tally"}), 0) << "an ended saga answers";
  EXPECT_EQ(call({"signal", "collect-votes", "b-1", "vote", "--data", R"({"by":"ed","yes":true})"}), 1);
}

/// The last event with a value: what the saga gave.
std::string result_query(const std::string& id) {
  return "SELECT count(*) FROM skald.saga s JOIN skald.history h USING (saga_key) WHERE s.saga_id = '" + id +
         R"(' AND s.status = 10 AND h.sequence = s.sequence AND
         h.events LIKE '%{"question":"sail?","yes":["ann","bo","cy"],"no":[]}%')";
}

TEST_F(Voting, EndsTheSameWhereverItIsKilled) {
  constexpr int kTransitions = 7;  // the start, three signals, three naps
  for (int transition = 1; transition <= kTransitions; ++transition) {
    const std::string id = "k-" + std::to_string(transition);
    start(id, 3);
    std::vector<Message> votes;
    for (const char* by : {"ann", "bo", "cy"}) votes.push_back(on_signal_topic(id, "vote", by, by));
    contract::publish_all(*producer_, votes);
    ASSERT_TRUE(eventually(30s, [&] {
      return world_.number("SELECT sequence FROM skald.saga WHERE saga_id = '" + id + "'") >= transition;
    })) << world_.logs();
    kill_and_start();
    EXPECT_TRUE(eventually(30s, [&] { return world_.number(result_query(id)) == 1; })) << id << world_.logs();
  }
}

TEST_F(Voting, NamesWhatDoesNotFit) {
  start("b-2", 1);
  EXPECT_EQ(call({"signal", "collect-votes", "b-2", "veto", "--data", "{}"}), 1);
  EXPECT_THAT(output_, HasSubstr("the saga takes no signal named veto; it takes vote (SKALD-922)"));
  EXPECT_EQ(call({"signal", "collect-votes", "b-2", "vote", "--data", R"({"by":1})"}), 1);
  EXPECT_THAT(output_, HasSubstr("/by"));
  EXPECT_EQ(call({"query", "collect-votes", "b-2", "tallies"}), 1);
  EXPECT_THAT(output_, HasSubstr("the saga takes no query named tallies; it takes tally (SKALD-418)"));
  EXPECT_EQ(call({"query", "collect-votes", "nobody", "tally"}), 1);
  EXPECT_EQ(call({"signal", "collect-votes", "nobody", "vote"}), 1);
  EXPECT_THAT(output_, HasSubstr("no such saga"));
  contract::publish_all(*producer_, {on_signal_topic("b-2", "veto", "ann", "m-1")});
  contract::Listener listener;
  const auto reader =
      bus_->consumer({{"skald." + world_.name() + ".signals-dlt"}, "", true}, listener).value();
  const auto dead = contract::read(*reader, 1);
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_THAT(std::string(dead[0].header("kafka_dlt-exception-message").value_or("")),
              HasSubstr("the saga takes no signal named veto"));
}

TEST_F(Voting, StartsWithASignalAndIsCancelledPausedAndTerminated) {
  ASSERT_EQ(call({"signal", "collect-votes", "b-3", "vote", "--id", "m-1", "--data",
                  R"({"by":"ann","yes":true})", "--start-input", R"({"question":"row?","votes":2})"}),
            0)
      << output_;
  ASSERT_TRUE(answers("b-3", R"("yes":["ann"])")) << output_;
  ASSERT_EQ(call({"cancel", "collect-votes", "b-3", "--who", "ann", "--why", "storm"}), 0) << output_;
  ASSERT_TRUE(shows("b-3", "ended: cancelled")) << output_;
  EXPECT_THAT(output_, HasSubstr("cancelled by ann, because storm"));
  EXPECT_EQ(call({"cancel", "collect-votes", "b-3", "--who", "ann", "--why", "again"}), 1);
  start("b-5", 1);
  ASSERT_EQ(call({"pause", "collect-votes", "b-5", "--who", "ann", "--why", "wait"}), 0) << output_;
  ASSERT_EQ(call({"signal", "collect-votes", "b-5", "vote", "--data", R"({"by":"ann","yes":true})"}), 0)
      << output_;
  ASSERT_TRUE(shows("b-5", "running, paused")) << output_;
  ASSERT_EQ(call({"resume", "collect-votes", "b-5", "--who", "ann", "--why", "enough"}), 0) << output_;
  ASSERT_TRUE(shows("b-5", "ended: completed")) << output_;
  start("b-4", 2);
  ASSERT_EQ(call({"terminate", "collect-votes", "b-4", "--who", "bo", "--why", "settled"}), 0) << output_;
  ASSERT_TRUE(shows("b-4", "ended: terminated")) << output_;
}

}  // namespace
}  // namespace skald::e2e
