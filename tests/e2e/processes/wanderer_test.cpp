// Sagas that last, as a stranger uses them: children, continue-as-new, signals and sleep in one, on real processes, Kafka
// and PostgreSQL. Goal: killed with SIGKILL at every transition, it ends the same each time, and so do its children.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "world.hpp"

namespace skald::e2e {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class Wandering : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(walks_);
    ::setenv("SKALD_TEST_FOLDER", walks_.c_str(), 1);  // the orchestrator's
  }
  void begin() {
    ASSERT_EQ(world_.place_order({"migrate"}, output_), 0) << output_;
    orchestrator_ = world_.start_orchestrator();
  }
  int call(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--url", "http://127.0.0.1:" + std::to_string(orchestrator_.port)});
    return world_.place_order(arguments, output_);
  }
  void start(const std::string& id, bool fails) {
    const std::string input = std::string(R"({"legs":2,"log":[],"fails":)") + (fails ? "true}" : "false}");
    ASSERT_EQ(call({"start", "wander", "--id", id, "--input", input}), 0) << output_;
    for (const char* word : {"north", "west"})
      ASSERT_EQ(call({"signal", "wander", id, "go", "--id", word, "--data",
                      std::string(R"({"text":")") + word + R"("})"}),
                0)
          << output_;
  }
  void kill_and_start() {
    orchestrator_.process->kill();
    orchestrator_ = world_.start_orchestrator();
  }
  bool reaches(const std::string& id, int transition) {
    return eventually(30s, [&] {
      return world_.number("SELECT sequence FROM skald.saga WHERE saga_id = '" + id + "'") >= transition;
    });
  }
  bool ends(const std::string& id, int status) {
    return eventually(60s, [&] {
      return world_.number("SELECT status FROM skald.saga WHERE saga_id = '" + id + "'") == status;
    });
  }
  [[nodiscard]] int walks() const {
    int files = 0;
    for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(walks_)) ++files;
    return files;
  }

  World world_{World::given(), "tests/e2e/wanderer"};
  std::filesystem::path walks_{world_.file("walks")};
  Orchestrator orchestrator_;
  std::string output_;
};

/// The last row has the saga's output, with the words in the order in which they were said.
std::string result_query(const std::string& id) {
  return "SELECT count(*) FROM skald.saga s JOIN skald.history h USING (saga_key) WHERE s.saga_id = '" + id +
         R"(' AND s.status = 10 AND h.sequence = s.sequence AND
         h.events LIKE '%{"legs":0,"fails":false,"log":["leg 2","north","leg 1","west"]}%')";
}

TEST_F(Wandering, EndsTheSameWhereverItIsKilled) {
  begin();
  start("whole", false);
  ASSERT_TRUE(ends("whole", 10)) << world_.logs();
  const auto transitions = world_.number("SELECT sequence FROM skald.saga WHERE saga_id = 'whole'");
  EXPECT_GE(transitions, 8);
  EXPECT_GT(world_.number("SELECT run_from FROM skald.saga WHERE saga_id = 'whole'"), 1);
  EXPECT_EQ(walks(), 2);
  for (int transition = 1; transition <= transitions; ++transition) {
    const std::string id = "k-" + std::to_string(transition);
    start(id, false);
    ASSERT_TRUE(reaches(id, transition)) << world_.logs();
    kill_and_start();
    EXPECT_TRUE(ends(id, 10)) << id << world_.logs();
    EXPECT_EQ(world_.number(result_query(id)), 1) << id;
  }
  EXPECT_EQ(walks(), 2 * (static_cast<int>(transitions) + 1)) << "each leg is walked, and none undone";
  EXPECT_EQ(world_.number("SELECT count(*) FROM skald.saga WHERE status <> 10"), 0);
}

TEST_F(Wandering, ChildOfTheLastRunIsUndoneWhereverTheRollbackIsKilled) {
  begin();
  start("whole", true);
  ASSERT_TRUE(ends("whole", 11)) << world_.logs();
  const auto transitions = world_.number("SELECT sequence FROM skald.saga WHERE saga_id = 'whole'");
  constexpr int kOfTheRollback = 3;
  for (auto transition = transitions - kOfTheRollback; transition <= transitions; ++transition) {
    const std::string id = "k-" + std::to_string(transition);
    start(id, true);
    ASSERT_TRUE(reaches(id, static_cast<int>(transition))) << world_.logs();
    kill_and_start();
    EXPECT_TRUE(ends(id, 11)) << id << world_.logs();
  }
  // The first leg was walked in a run before: it stays. The second was this run's child.
  EXPECT_EQ(walks(), kOfTheRollback + 2);
  EXPECT_EQ(world_.number("SELECT count(*) FROM skald.saga WHERE saga_id LIKE '%/2' AND status <> 11"), 0);
  ASSERT_EQ(world_.place_order({"show", "whole/2"}, output_), 0) << output_;
  EXPECT_THAT(output_, HasSubstr("ended: completed"));
  EXPECT_THAT(output_, HasSubstr("its parent rolls back"));
  EXPECT_THAT(output_, HasSubstr("ended: compensated"));
  ASSERT_EQ(world_.place_order({"show", "whole"}, output_), 0) << output_;
  EXPECT_THAT(output_, HasSubstr("scheduled as child saga whole/2"));
  EXPECT_THAT(output_, HasSubstr("continues as new"));
}

TEST_F(Wandering, StepIsCompletedByItsTokenAfterItsProcessHasDied) {
  begin();
  ASSERT_EQ(call({"start", "ask", "--id", "a/1", "--input", R"({"number":1})"}), 0) << output_;
  ASSERT_TRUE(reaches("a/1", 2)) << "it has been left: " << world_.logs();
  std::string token;
  std::getline(std::ifstream(walks_ / "token"), token);
  kill_and_start();
  EXPECT_EQ(call({"complete", token, "--output", R"({"word":"?"})", "--code", "x"}), 2) << output_;
  EXPECT_EQ(call({"complete", token + "0", "--output", R"({"text":"left"})"}), 1);
  EXPECT_THAT(output_, HasSubstr("SKALD-922"));
  EXPECT_EQ(call({"complete", token, "--output", R"({"word":"left"})"}), 1);
  EXPECT_THAT(output_, HasSubstr("the output does not fit the step's"));
  ASSERT_EQ(call({"complete", token, "--output", R"({"text":"left"})"}), 0) << output_;
  ASSERT_TRUE(ends("a/1", 10)) << world_.logs();
  EXPECT_EQ(call({"complete", token, "--output", R"({"text":"left"})"}), 1) << "the saga has ended";
  ASSERT_EQ(world_.place_order({"show", "a/1"}, output_), 0);
  EXPECT_THAT(output_, HasSubstr("is left to be completed by its token"));
}

TEST_F(Wandering, ChildrenLiveInWhicheverDatabaseHasTheirId) {
  const char* second = std::getenv("SKALD_TEST_POSTGRES_SECOND");
  if (second == nullptr) GTEST_SKIP() << "SKALD_TEST_POSTGRES_SECOND names no second server";
  world_.divide(second, "0-511", "512-1023");
  begin();
  constexpr int kJourneys = 16;
  for (int number = 0; number < kJourneys; ++number) start("d-" + std::to_string(number), number % 4 == 0);
  ASSERT_TRUE(eventually(60s,
                         [&] {
                           return world_.place_order({"list", "--limit", "200", "--status", "open"},
                                                     output_) == 0 &&
                                  output_ == "no sagas\n";
                         }))
      << output_ << world_.logs();
  const auto here = world_.number("SELECT count(*) FROM skald.saga");
  EXPECT_GT(here, 0);
  EXPECT_LT(here, 3 * kJourneys) << "some are in the other database";
  EXPECT_EQ(walks(), 2 * kJourneys - kJourneys / 4);
}

}  // namespace
}  // namespace skald::e2e
