// The snippet of docs/parallel.md, compiled and run.
#include "../snippet.hpp"
#include "script.hpp"

namespace skald::engine {
namespace {

struct Barrel {
  std::string content;
};
SKALD_FIELDS(Barrel, content)
struct Voyage {
  std::string ship;
  std::vector<Barrel> barrels;
};
SKALD_FIELDS(Voyage, ship, barrels)
struct Ship1 {
  std::string ship;
};
SKALD_FIELDS(Ship1, ship)
struct Offer {
  std::string yard;
};
SKALD_FIELDS(Offer, yard)

template <const char* kName, class In>
struct Job : CommandStep<In, Nothing> {
  static constexpr std::string_view name = kName, topic = "yard.commands";
  static In compensation(const In& input, const std::optional<Nothing>&) { return input; }
};
inline constexpr char kBook[] = "notify";  // the script knows these names
using OrderSail = Job<kReserve, Ship1>;
using HireCrew = Job<kCharge, Ship1>;
using BuildBoat = Job<kShip, Ship1>;
using StowBarrel = Job<kBook, Barrel>;

// clang-format off
// snippet begins
class EquipShip : public skald::Saga<Voyage, skald::Nothing> {
 public:
  static constexpr std::string_view name = "equip-ship";
  static constexpr std::array signals{skald::signal<Offer>("offer")};
  skald::Task<skald::Nothing> run(skald::Context& saga, Voyage voyage) override {
    // Both at once; if one fails, the other is given up and compensated.
    const auto sail = saga.start<OrderSail>(voyage.ship);
    const auto crew = saga.start<HireCrew>(voyage.ship);
    co_await saga.all(skald::Rest::cancelled, sail, crew);

    // Whichever is first: our shipyard, an offer from elsewhere, or patience.
    const auto built = saga.start<BuildBoat>(voyage.ship);
    const auto offer = saga.expect<Offer>("offer");
    const auto patience = saga.timer(std::chrono::days{30});
    const std::size_t first = co_await saga.any(built, offer, patience);
    saga.cancel(patience);
    if (first != 0) saga.cancel(built);           // it may have begun: its compensation runs before the saga ends
    if (first == 2) throw skald::SagaFailed("no-boat", "nobody had one in a month");

    // One step for each barrel, at most three at a time.
    const auto stowed = co_await saga.fan_out<StowBarrel>(voyage.barrels, 3);
    for (const auto& barrel : stowed)
      if (!barrel) throw skald::SagaFailed("not-stowed", barrel.failure().what());
    co_return skald::Nothing{};
  }
};
// snippet ends
// clang-format on

constexpr const char* kVoyage =
    R"({"ship":"Skidbladnir","barrels":[{"content":"ale"},{"content":"fish"},{"content":"salt"},{"content":"tar"}]})";

TEST(ParallelSnippet, DoesWhatThePageSays) {
  using ::testing::ElementsAre;
  Script run(Mode::kReplayedEachTime);
  run.start<EquipShip>(kVoyage);
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 1", "charge action 1"));
  run.succeed(1, 1, "{}");
  run.succeed(2, 1, "{}");
  EXPECT_THAT(run.sent(), ElementsAre("ship action 1"));
  run.advance(SignalInput{"offer", "/test", "1", R"({"yard":"Nidaros"})"});
  EXPECT_THAT(run.sent(),
              ElementsAre("notify action 1", "notify action 1", "notify action 1", "ship compensation 1"));
  for (int barrel = 4; barrel <= 7; ++barrel) run.succeed(barrel, 1, "{}");
  EXPECT_EQ(run.status().status, SagaStatus::kRunning) << "the boat is not undone yet";
  run.undone(3);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST(ParallelSnippet, GivesUpTheOtherWhenOneFails) {
  Script run(Mode::kReplayedEachTime);
  run.start<EquipShip>(kVoyage);
  run.fail(2, "no-crew", Retry::never);
  EXPECT_EQ(run.sent().back(), "reserve compensation 1");
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST(ParallelSnippet, IsTheOneOnThePage) {
  snippets::expect_same_snippet("parallel.md", "engine/parallel_snippet_test.cpp");
}

}  // namespace
}  // namespace skald::engine
