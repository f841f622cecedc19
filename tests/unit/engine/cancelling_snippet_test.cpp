// The snippet of docs/cancelling.md, compiled and run.
#include "../snippet.hpp"
#include "script.hpp"

namespace skald::engine {
namespace {

struct Trip {
  std::string boat;
};
SKALD_FIELDS(Trip, boat)

template <const char* kName>
struct Voyage : CommandStep<Trip, Nothing> {
  static constexpr std::string_view name = kName, topic = "harbour.commands";
  static Trip compensation(const Trip& trip, const std::optional<Nothing>&) { return trip; }
};
inline constexpr char kTurnBack[] = "notify";  // the script knows these names
using HireBoat = Voyage<kReserve>;
using LeaveHarbour = Voyage<kCharge>;
using Sail = Voyage<kShip>;
using TurnBack = Voyage<kTurnBack>;

// clang-format off
// snippet begins
class Charter : public skald::Saga<Trip, skald::Nothing> {
 public:
  static constexpr std::string_view name = "charter";
  static constexpr skald::SagaOptions options{.deadline = std::chrono::hours{24}};
  skald::Task<skald::Nothing> run(skald::Context& saga, Trip trip) override {
    co_await saga.step<HireBoat>(trip);              // cancelled here, the saga rolls back at once
    {
      const auto shield = saga.shield();             // while it lives the saga is asked, not rolled back
      co_await saga.step<LeaveHarbour>(trip);
      if (saga.cancel_requested()) co_await saga.step<TurnBack>(trip);
    }                                                // what was asked for meanwhile happens now
    co_await saga.step<Sail>(trip);
    co_return skald::Nothing{};
  }
};
// snippet ends
// clang-format on

TEST(CancellingSnippet, DoesWhatThePageSays) {
  using ::testing::ElementsAre;
  Script run(Mode::kReplayedEachTime);
  run.start<Charter>(R"({"boat":"Ormen"})");
  run.succeed(1, 1, "{}");
  run.decide(OperatorVerb::cancel, 0);
  EXPECT_EQ(run.status().status, SagaStatus::kRunning);
  run.sent();
  run.succeed(2, 1, "{}");
  EXPECT_THAT(run.sent(), ElementsAre("notify action 1"));
  run.succeed(3, 1, "{}");
  EXPECT_EQ(run.status().status, SagaStatus::kRollingBack);
}

TEST(CancellingSnippet, RollsBackAtOnceWithoutAShield) {
  Script run;
  run.start<Charter>(R"({"boat":"Ormen"})");
  run.decide(OperatorVerb::cancel, 0);
  EXPECT_EQ(run.status().status, SagaStatus::kRollingBack);
}

TEST(CancellingSnippet, IsTheOneOnThePage) {
  snippets::expect_same_snippet("cancelling.md", "engine/cancelling_snippet_test.cpp");
}

}  // namespace
}  // namespace skald::engine
