// explore: what it goes through, and what it finds in sagas that are wrong on purpose. The sagas are those of a shop that
// reserves, charges and ships.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <random>

#include "skald/skald.hpp"
#include "skald/testing.hpp"

namespace shop {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::SizeIs;

struct Order {
  std::string id;
  std::int64_t cents = 0;
};
SKALD_FIELDS(Order, id, cents)
struct Done {
  std::string id;
};
SKALD_FIELDS(Done, id)

template <const char* kName>
struct Undoable : skald::CommandStep<Order, Done> {
  static constexpr std::string_view name = kName, topic = "commands";
  static constexpr skald::StepOptions options{
      .start_to_close = 10s,
      .schedule_to_close = 1min,
      .retry = {.maximum_attempts = 3, .non_retryable = {"sold-out"}}};
  static Order compensation(const Order& order, const std::optional<Done>&) { return order; }
};
inline constexpr char kReserve[] = "reserve", kCharge[] = "charge", kShip[] = "ship", kPack[] = "pack",
                      kLabel[] = "label", kInsure[] = "insure";
using Reserve = Undoable<kReserve>;
using Charge = Undoable<kCharge>;
using Ship = Undoable<kShip>;
using Pack = Undoable<kPack>;
using Label = Undoable<kLabel>;
using Insure = Undoable<kInsure>;

struct ChargeForGood : skald::CommandStep<Order, Done> {
  static constexpr std::string_view name = "charge-for-good", topic = "commands";
  static constexpr skald::NoCompensation compensation{"the bank does not refund"};
};
struct Mail : skald::CommandStep<Order, skald::Nothing> {
  static constexpr std::string_view name = "mail", topic = "commands";
  static constexpr skald::NoCompensation compensation{"a mail cannot be unsent"};
};
class Book : public skald::LocalStep<Order, Done> {
 public:
  static constexpr std::string_view name = "book";
  Done execute(const Order& order, skald::StepContext&) override { return {order.id}; }
  void compensate(const Order&, const std::optional<Done>&, skald::StepContext&) override {}
};

struct Good : skald::Saga<Order, Done> {
  static constexpr std::string_view name = "good";
  skald::Task<Done> run(skald::Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    co_await saga.step<Charge>(order);
    co_return co_await saga.step<Ship>(order);
  }
};

const Order kOrder{"o-1", 500};

TEST(Explore, FindsNothingInAGoodSagaAndWentThroughItsEnds) {
  const auto found = skald::testing::explore<Good>(kOrder);
  EXPECT_TRUE(found) << found;
  EXPECT_THAT(found.ends, AllOf(Contains(Key("completed")), Contains(Key("compensated")),
                                Contains(Key("stuck: compensation-refused"))));
  EXPECT_EQ(found.ends.size(), 3u);
  EXPECT_GT(found.runs, 50u);
}

struct SixSteps : skald::Saga<Order, Done> {
  static constexpr std::string_view name = "six-steps";
  skald::Task<Done> run(skald::Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    co_await saga.step<Charge>(order);
    co_await saga.step<Pack>(order);
    co_await saga.step<Label>(order);
    co_await saga.step<Insure>(order);
    co_return co_await saga.step<Ship>(order);
  }
};

TEST(Explore, GoesThroughSixStepsWhole) {
  const auto found = skald::testing::explore<SixSteps>(kOrder);
  EXPECT_TRUE(found) << found;
}

struct TakesMoneyForGood : skald::Saga<Order, Done> {
  static constexpr std::string_view name = "takes-money-for-good";
  skald::Task<Done> run(skald::Context& saga, Order order) override {
    co_await saga.step<ChargeForGood>(order);
    co_return co_await saga.step<Ship>(order);
  }
};

TEST(Explore, FindsWhatStandsThoughTheSagaRolledBack) {
  const auto found = skald::testing::explore<TakesMoneyForGood>(kOrder);
  ASSERT_THAT(found.findings, SizeIs(1));
  EXPECT_EQ(
      found.findings[0].sentence,
      "takes-money-for-good ends compensated, but step #1 charge-for-good stands: it took effect and has no "
      "compensation (\"the bank does not refund\"). Give it one, move it behind the pivot, or say "
      "Explore().leaves<…>() if that does no harm");
  EXPECT_EQ(found.findings[0].script, "charge-for-good: ok; ship: refused(refused)");
  const auto again = skald::testing::explore<TakesMoneyForGood>(
      kOrder, skald::testing::Explore().only(found.findings[0].script));
  ASSERT_THAT(again.findings, SizeIs(1));
  EXPECT_EQ(again.runs, 1u);
  EXPECT_EQ(again.findings[0].sentence, found.findings[0].sentence);
  EXPECT_TRUE(
      skald::testing::explore<TakesMoneyForGood>(kOrder, skald::testing::Explore().leaves<ChargeForGood>()));
}

struct ForgetsTheGoods : skald::Saga<Order, Done> {
  static constexpr std::string_view name = "forgets-the-goods";
  skald::Task<Done> run(skald::Context& saga, Order order) override {
    co_await saga.step<Charge>(order);
    const auto shipped = co_await saga.try_step<Ship>(order);  // and never looks whether it was
    co_return Done{order.id};
  }
};

TEST(Explore, FindsMoneyTakenWithoutGoodsSent) {
  const auto found = skald::testing::explore<ForgetsTheGoods>(
      kOrder, skald::testing::Explore().together<Charge, Ship>("money is taken without goods sent"));
  ASSERT_FALSE(found) << found;
  EXPECT_EQ(
      found.findings[0].sentence,
      "forgets-the-goods ends completed: money is taken without goods sent (charge stands, ship does not)");
}

struct WithPivot : skald::Saga<Order, Done> {
  static constexpr std::string_view name = "with-pivot";
  skald::Task<Done> run(skald::Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    co_await saga.pivot<Mail>(order);
    co_return co_await saga.step<Ship>(order);
  }
};

TEST(Explore, RespectsThePivot) {
  const auto found = skald::testing::explore<WithPivot>(kOrder);
  EXPECT_TRUE(found) << found;
  EXPECT_THAT(found.ends, Contains(Key("stuck: failed-after-pivot")));
}

struct AsksTheClock : skald::Saga<Order, Done> {
  static constexpr std::string_view name = "asks-the-clock";
  skald::Task<Done> run(skald::Context& saga, Order order) override {
    const auto days = std::chrono::system_clock::now().time_since_epoch() / std::chrono::days(1);
    co_return co_await saga.step<Reserve>(std::to_string(days), order.cents);
  }
};
struct AsksTheOldClock : skald::Saga<Order, Done> {
  static constexpr std::string_view name = "asks-the-old-clock";
  skald::Task<Done> run(skald::Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    co_return co_await saga.step<Ship>(std::to_string(std::time(nullptr) / 86'400), order.cents);
  }
};
struct Gambles : skald::Saga<Order, Done> {
  static constexpr std::string_view name = "gambles";
  skald::Task<Done> run(skald::Context& saga, Order order) override {
    std::random_device device;
    co_return co_await saga.step<Reserve>(std::to_string(device()), order.cents);
  }
};
struct Counts : skald::Saga<Order, Done> {
  static constexpr std::string_view name = "counts";
  skald::Task<Done> run(skald::Context& saga, Order order) override {
    static int runs = 0;
    ++runs;
    co_return co_await saga.step<Reserve>(std::to_string(runs), order.cents);
  }
};

TEST(Explore, FindsWhatReplayCouldNotGiveAgain) {
  const auto clock = skald::testing::explore<AsksTheClock>(kOrder);
  ASSERT_FALSE(clock);
  EXPECT_EQ(clock.findings[0].sentence,
            "asks-the-clock: its code asks the wall clock: take saga.now() (before its first step)");
  const auto old_clock = skald::testing::explore<AsksTheOldClock>(kOrder);
  ASSERT_FALSE(old_clock);
  EXPECT_THAT(old_clock.findings[0].sentence, HasSubstr("take saga.now() (after step #1 reserve)"));
  const auto gambles = skald::testing::explore<Gambles>(kOrder);
  ASSERT_FALSE(gambles);
  EXPECT_THAT(gambles.findings[0].sentence, HasSubstr("take saga.random() or saga.uuid()"));
  const auto counts = skald::testing::explore<Counts>(kOrder);
  ASSERT_FALSE(counts);
  EXPECT_THAT(counts.findings[0].sentence,
              AllOf(HasSubstr("replayed from its history it does something else"), HasSubstr("reserve")));
}

struct Awaits : skald::Saga<Order, Done> {
  static constexpr std::string_view name = "awaits";
  static constexpr std::array signals{skald::signal<Done>("paid")};
  skald::Task<Done> run(skald::Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    co_return co_await saga.signal<Done>("paid");
  }
};
struct AwaitsAWeek : skald::Saga<Order, Done> {
  static constexpr std::string_view name = "awaits-a-week";
  static constexpr std::array signals{skald::signal<Done>("paid")};
  skald::Task<Done> run(skald::Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    const auto paid = co_await saga.signal<Done>("paid", 168h);
    if (!paid) throw skald::SagaFailed("unpaid", "nobody paid");
    co_return *paid;
  }
};

TEST(Explore, FindsAWaitThatMayLastForEver) {
  const auto with = skald::testing::Explore().signal("paid", Done{"p-1"});
  const auto found = skald::testing::explore<Awaits>(kOrder, with);
  ASSERT_THAT(found.findings, SizeIs(1));
  EXPECT_THAT(found.findings[0].sentence, HasSubstr("awaits waits for ever"));
  EXPECT_THAT(found.findings[0].script, HasSubstr("signal paid: never"));
  const auto patient = skald::testing::explore<AwaitsAWeek>(kOrder, with);
  EXPECT_TRUE(patient) << patient;
  EXPECT_THAT(patient.ends, AllOf(Contains(Key("completed")), Contains(Key("compensated"))));
}

struct Locally : skald::Saga<Order, Done> {
  static constexpr std::string_view name = "locally";
  skald::Task<Done> run(skald::Context& saga, Order order) override {
    const auto first = saga.start<Reserve>(order);
    co_await saga.step<Book>(order);
    co_await first;
    co_return co_await saga.step<Ship>(order);
  }
};

TEST(Explore, KnowsLocalStepsAndStepsBesideEachOther) {
  const auto found = skald::testing::explore<Locally>(kOrder);
  EXPECT_TRUE(found) << found;
}

struct HasABug : skald::Saga<Order, Done> {
  static constexpr std::string_view name = "has-a-bug";
  skald::Task<Done> run(skald::Context& saga, Order order) override {
    const auto reserved = co_await saga.try_step<Reserve>(order);
    if (!reserved && reserved.failure().code == "sold-out") throw std::logic_error("not thought of");
    co_return co_await saga.step<Ship>(order);
  }
};

TEST(Explore, TriesTheCodesThatAStepNames) {
  const auto found = skald::testing::explore<HasABug>(kOrder);
  ASSERT_THAT(found.findings, SizeIs(1));
  EXPECT_THAT(found.findings[0].sentence,
              AllOf(HasSubstr("becomes stuck, exception"), HasSubstr("not thought of")));
  EXPECT_EQ(found.findings[0].script, "reserve: refused(sold-out)");
}

TEST(Explore, DrawsTheFlow) {
  const auto found = skald::testing::explore<WithPivot>(kOrder);
  EXPECT_EQ(found.mermaid(),
            R"(flowchart TD
  start(["with-pivot"])
  step1["reserve"]
  step2{{"mail"}}
  step3["ship"]
  end_completed(["completed"])
  end_compensated(["compensated"])
  undo1[/"undo reserve"/]
  end_stuck__failed_after_pivot(["stuck: failed-after-pivot"])
  end_stuck__compensation_refused(["stuck: compensation-refused"])
  start --> step1
  step1 -->|succeeds| step2
  step2 -->|succeeds| step3
  step3 -->|succeeds| end_completed
  step1 -->|refused, sold-out| end_compensated
  step1 -->|times out| undo1
  undo1 -->|undone| end_compensated
  step2 -->|refused| undo1
  step3 -->|refused, sold-out, times out| end_stuck__failed_after_pivot
  undo1 -->|refused| end_stuck__compensation_refused
)");
  EXPECT_THAT(found.dot(), AllOf(HasSubstr("digraph \"with-pivot\""), HasSubstr("shape=hexagon")));
}

struct ChargesTwice : skald::Saga<Order, Done> {
  static constexpr std::string_view name = "charges-twice";
  skald::Task<Done> run(skald::Context& saga, Order order) override {
    const auto first = co_await saga.try_step<Charge>(order);
    co_return co_await saga.step<Charge>(order.id, first ? order.cents : 2 * order.cents);
  }
};

TEST(Explore, FindsWhatStandsTwice) {
  EXPECT_TRUE(skald::testing::explore<ChargesTwice>(kOrder)) << "a saga may";
  const auto found = skald::testing::explore<ChargesTwice>(kOrder, skald::testing::Explore().once<Charge>());
  ASSERT_THAT(found.findings, SizeIs(1));
  EXPECT_EQ(found.findings[0].sentence, "charges-twice ends completed, and charge stands 2 times");
  EXPECT_EQ(found.findings[0].script, "charge: ok; charge: ok");
}

TEST(Explore, SaysWhenItWasNotAll) {
  const auto found = skald::testing::explore<Good>(kOrder, skald::testing::Explore().maximum_runs(5));
  ASSERT_THAT(found.findings, SizeIs(1));
  EXPECT_THAT(found.findings[0].sentence, HasSubstr("not all was explored: 5 runs were not enough"));
  const auto wrong = skald::testing::explore<Good>(kOrder, skald::testing::Explore().only("reserve: odd"));
  ASSERT_THAT(wrong.findings, SizeIs(1));
  EXPECT_THAT(wrong.findings[0].sentence,
              HasSubstr("the run says \"reserve: odd\" where reserve takes ok, refused"));
}

struct Pledge : skald::CommandStep<Order, Done> {
  static constexpr std::string_view name = "pledge", topic = "commands";
  static constexpr skald::StepOptions options{.start_to_close = 10s, .schedule_to_close = 1min};
  static constexpr skald::NoCompensation compensation{"a pledge binds nobody"};
};
/// Takes a pledge that timed out for given.
struct Trusts : skald::Saga<Order, Done> {
  static constexpr std::string_view name = "trusts";
  skald::Task<Done> run(skald::Context& saga, Order order) override {
    const auto pledge = saga.start<Pledge>(order);
    co_await saga.step<Charge>(order);
    static_cast<void>(co_await saga.any(pledge));
    const auto given = pledge.outcome();
    if (!given && given.failure().code != "timeout") throw skald::SagaFailed("no-pledge", "it was refused");
    co_return Done{order.id};
  }
};

TEST(Explore, TellsStepsApartThatMayYetBehaveInDifferentWays) {
  const auto found = skald::testing::explore<Trusts>(
      kOrder,
      skald::testing::Explore().leaves<Pledge>().together<Pledge, Charge>("charged without a pledge"));
  ASSERT_FALSE(found) << found;
  EXPECT_EQ(found.findings[0].script, "pledge: lost; charge: ok");
}

}  // namespace shop
