// SagaTest: one run as its script says, in virtual time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skald/skald.hpp"
#include "skald/testing.hpp"

namespace mill {

using namespace std::chrono_literals;
using skald::testing::SagaTest;
using skald::testing::Status;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Grain {
  std::string id;
  std::int64_t kilos = 0;
};
SKALD_FIELDS(Grain, id, kilos)
struct Flour {
  std::string id;
  std::int64_t bags = 0;
};
SKALD_FIELDS(Flour, id, bags)

struct Fetch : skald::CommandStep<Grain, Grain> {
  static constexpr std::string_view name = "fetch", topic = "carts";
  static constexpr skald::StepOptions options{
      .start_to_close = 10s, .schedule_to_close = 1min, .retry = {.maximum_attempts = 3, .jitter = 0}};
  static Grain compensation(const Grain& grain, const std::optional<Grain>&) { return grain; }
};
struct Grind : skald::CommandStep<Grain, Flour> {
  static constexpr std::string_view name = "grind", topic = "stones";
  static Grain compensation(const Grain& grain, const std::optional<Flour>&) { return grain; }
};

struct Mill : skald::Saga<Grain, Flour> {
  static constexpr std::string_view name = "mill";
  static constexpr std::array signals{skald::signal<Grain>("more")};
  skald::Task<Flour> run(skald::Context& saga, Grain grain) override {
    const Grain fetched = co_await saga.step<Fetch>(grain);
    co_await saga.sleep(720h);  // it dries
    const auto more = co_await saga.signal<Grain>("more", 1h);
    co_return co_await saga.step<Grind>(fetched.id, fetched.kilos + (more ? more->kilos : 0));
  }
};

const Grain kGrain{"g-1", 40};

TEST(SagaTest, RunsAMonthAndTellsWhatWasDone) {
  SagaTest<Mill> mill;
  mill.on<Fetch>().succeeds({"g-1", 38});
  mill.on<Grind>().succeeds([](const Grain& grain) { return Flour{grain.id, grain.kilos / 10}; });
  const auto end = mill.run(kGrain);
  EXPECT_EQ(end.status, Status::completed);
  EXPECT_EQ(end.result<Flour>().bags, 3);
  EXPECT_THAT(end.log, ElementsAre("fetch", "timer", "timer", "grind"));
  EXPECT_THAT(end.standing, ElementsAre("fetch", "grind"));
  EXPECT_GE(end.took, 721h);
  EXPECT_EQ(end.inputs<Grind>().at(0).kilos, 38);
  EXPECT_EQ(end.defect, "");
}

TEST(SagaTest, TakesASignalAndACancellationWhenTheyAreSaidToCome) {
  SagaTest<Mill> mill;
  mill.on<Fetch>().succeeds({"g-1", 38});
  mill.signal(720h + 10min, "more", Grain{"g-2", 2});
  const auto end = mill.run(kGrain);
  EXPECT_EQ(end.inputs<Grind>().at(0).kilos, 40);
  mill.cancel(10h);
  const auto cancelled = mill.run(kGrain);
  EXPECT_EQ(cancelled.status, Status::cancelled);
  EXPECT_THAT(cancelled.log, ElementsAre("fetch", "cancelled", "undo fetch"));
  EXPECT_THAT(cancelled.standing, IsEmpty());
}

TEST(SagaTest, GoesThroughTheTurnsOfAStepAndTheLastOneStays) {
  SagaTest<Mill> mill;
  mill.on<Fetch>().fails("mud").is_lost().succeeds({"g-1", 38});
  mill.on<Grind>().refuses("stone-broke");
  const auto end = mill.run(kGrain);
  EXPECT_EQ(end.status, Status::compensated);
  EXPECT_EQ(end.code, "stone-broke");
  EXPECT_THAT(end.log, ElementsAre("fetch failed", "fetch failed", "fetch", "timer", "timer", "grind refused",
                                   "undo fetch"));
  SagaTest<Mill> muddy;
  muddy.on<Fetch>().fails("mud");
  const auto given_up = muddy.run(kGrain);
  EXPECT_EQ(given_up.code, "mud");
  EXPECT_EQ(given_up.sent.size(), 3u);
}

TEST(SagaTest, AnAnswerThatComesTooLateIsUndone) {
  SagaTest<Mill> mill;
  mill.on<Fetch>().answer_is_lost({"g-1", 38});
  const auto end = mill.run(kGrain);
  EXPECT_EQ(end.status, Status::compensated);
  EXPECT_THAT(end.standing, IsEmpty());
  SagaTest<Mill> slow;
  slow.on<Fetch>().succeeds({"g-1", 38}).after(2min);
  EXPECT_THAT(slow.run(kGrain).standing, IsEmpty());
}

TEST(SagaTest, ARefusedCompensationIsStuckAndAMissingSignalWaits) {
  SagaTest<Mill> mill;
  mill.on<Fetch>().succeeds({"g-1", 38}).undo().refuses("eaten");
  mill.on<Grind>().refuses("stone-broke");
  const auto stuck = mill.run(kGrain);
  EXPECT_EQ(stuck.status, Status::stuck);
  EXPECT_EQ(stuck.code, "compensation-refused");
  EXPECT_THAT(stuck.standing, ElementsAre("fetch"));
}

TEST(SagaTest, SaysWhatIsWrongWithAnOutputThatDoesNotFit) {
  SagaTest<Mill> mill;
  const auto end = skald::testing::detail::run_script(skald::make_saga_definition<Mill>(), {}, "s-1", "[]");
  EXPECT_NE(end.defect.find("the input does not fit the saga"), std::string::npos) << end.defect;
}

}  // namespace mill
