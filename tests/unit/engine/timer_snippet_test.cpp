// The snippet of docs/timers.md, compiled and run; a test below compares it with the page, line by line.
#include "../snippet.hpp"
#include "script.hpp"

namespace skald::engine {
namespace {

struct Trial {
  std::string customer;
  std::int64_t days = 0;
};
SKALD_FIELDS(Trial, customer, days)

struct Remind : CommandStep<Trial, Nothing> {
  static constexpr std::string_view name = "reserve", topic = "mail.commands";
  static constexpr NoCompensation compensation{"a mail cannot be unsent"};
};
struct EndTrial : CommandStep<Trial, Nothing> {
  static constexpr std::string_view name = "charge", topic = "billing.commands";
  static constexpr NoCompensation compensation{"it only ends what has an end"};
};

// clang-format off
// snippet begins
class FreeTrial : public skald::Saga<Trial, skald::Nothing> {
 public:
  static constexpr std::string_view name = "free-trial";
  skald::Task<skald::Nothing> run(skald::Context& saga, Trial trial) override {
    const skald::Time end = saga.now() + std::chrono::days{trial.days};
    co_await saga.sleep_until(end - std::chrono::days{3});  // a trial of two days is reminded at once
    co_await saga.step<Remind>(trial);
    co_await saga.sleep_until(end);
    co_await saga.step<EndTrial>(trial);
    co_await saga.sleep(std::chrono::hours{1});             // for as long, from now
    co_return skald::Nothing{};
  }
};
// snippet ends
// clang-format on

TEST(TimerSnippet, DoesWhatThePageSays) {
  using std::chrono::days;
  using ::testing::ElementsAre;
  Script run(Mode::kReplayedEachTime);
  run.start<FreeTrial>(R"({"customer":"ann","days":14})");
  EXPECT_EQ(run.status().wake_at, run.now() + days{11});
  run.pass(days{11});
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 1"));
  run.succeed(1, 1, "{}");
  run.pass(days{3});
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1"));
  run.succeed(2, 1, "{}");
  run.pass(1h);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST(TimerSnippet, OfAShortTrialRemindsAtOnce) {
  Script run;
  run.start<FreeTrial>(R"({"customer":"ann","days":2})");
  EXPECT_THAT(run.sent(), ::testing::ElementsAre("reserve action 1"));
}

TEST(TimerSnippet, IsTheOneOnThePage) {
  snippets::expect_same_snippet("timers.md", "engine/timer_snippet_test.cpp");
}

}  // namespace
}  // namespace skald::engine
