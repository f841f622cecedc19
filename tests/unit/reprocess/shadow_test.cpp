// Shadows: changed code over the history of unchanged code. Goal: the same code differs in nothing, and each kind of change
// is named. Method: a saga is run by hand (the engine's Script), its history then answers another definition of its name.
#include "reprocess/shadow.hpp"

#include "sagas.hpp"

namespace skald::reprocess {
namespace {

using namespace engine;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ShadowTest : public ::testing::Test {
 protected:
  /// What `S` does over the history that `run` has.
  template <class S>
  std::vector<std::string> over() {
    const auto recorded = recorded_of(run.stored());
    EXPECT_TRUE(recorded) << recorded.error().message;
    const auto definition = make_saga_definition<S>();
    shadow = run_shadow(run.environment(), definition, recorded->input, *recorded);
    return differences(*recorded, shadow);
  }
  void complete() {
    run.start<ThreeSteps>();
    for (int ordinal = 1; ordinal <= 3; ++ordinal) run.succeed(ordinal);
  }

  Script run;
  Shadow shadow;
};

TEST_F(ShadowTest, TheSameCodeDoesTheSame) {
  complete();
  EXPECT_THAT(over<ThreeSteps>(), IsEmpty());
  EXPECT_EQ(shadow.status, SagaStatus::kCompleted);
  EXPECT_EQ(shadow.steps.size(), 3U);
}

struct ChargesMore : ThreeSteps {
  Task<Done> run(Context& saga, Order order) override {
    auto reserved = co_await saga.step<Reserve>(order);
    auto charged = co_await saga.step<Charge>(reserved.id, order.cents + 7);
    co_return co_await saga.step<Ship>(charged.id, order.cents);
  }
};

TEST_F(ShadowTest, NamesAnInputThatDiffers) {
  complete();
  EXPECT_THAT(
      over<ChargesMore>(),
      ElementsAre(R"(step charge: its input was …:"done-1","cents":100}, is …:"done-1","cents":107})"));
}

struct NeverShips : ThreeSteps {
  Task<Done> run(Context& saga, Order order) override {
    auto reserved = co_await saga.step<Reserve>(order);
    co_return co_await saga.step<Charge>(reserved.id, order.cents);
  }
};

TEST_F(ShadowTest, NamesWhatIsNotDoneAnyMoreAndAnotherOutput) {
  complete();
  EXPECT_THAT(over<NeverShips>(), ElementsAre("step ship is not done any more",
                                              R"(its output was {"id":"done-3"}, is {"id":"done-2"})"));
}

struct TellsFirst : ThreeSteps {
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Notify>(order);
    co_return co_await saga.step<Reserve>(order);
  }
};

TEST_F(ShadowTest, GoesNoFurtherThanHistoryKnows) {
  complete();
  EXPECT_THAT(over<TellsFirst>(),
              ElementsAre(HasSubstr("step notify was not done: {\"id\":\"o-1\""),
                          "it goes no further: step notify is new, and nobody knows how it would end"));
}

struct Forgives : ThreeSteps {
  Task<Done> run(Context& saga, Order order) override {
    auto reserved = co_await saga.step<Reserve>(order);
    auto charged = co_await saga.try_step<Charge>(reserved.id, order.cents);
    co_return Done{charged ? charged->id : "nothing charged"};
  }
};

TEST_F(ShadowTest, NamesAnotherEndAndWhatIsUndoneNoMore) {
  run.start<ThreeSteps>();
  run.succeed(1);
  run.fail(2, "no-money", Retry::never);
  run.undone(1);
  EXPECT_THAT(over<ThreeSteps>(), IsEmpty());
  EXPECT_EQ(shadow.status, SagaStatus::kCompensated);
  EXPECT_THAT(over<Forgives>(),
              ElementsAre("step reserve is not compensated any more",
                          "it ends completed, and ended compensated (no-money: charge: no)"));
}

struct Throws : ThreeSteps {
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    throw std::runtime_error("a bug");
  }
};

TEST_F(ShadowTest, NamesADefect) {
  complete();
  EXPECT_THAT(over<Throws>(), Contains(HasSubstr("it is stuck: exception: run threw a bug")));
}

TEST_F(ShadowTest, ATimeoutPassesAsItDid) {
  run.options("charge").schedule_to_close = 1min;
  run.start<ThreeSteps>();
  run.succeed(1);
  run.pass(1min);
  run.undone(2);
  run.undone(1);
  ASSERT_EQ(run.status().status, SagaStatus::kCompensated);
  EXPECT_THAT(over<ThreeSteps>(), IsEmpty());
}

struct Asks : Saga<Order, Done> {
  static constexpr std::string_view name = "asks";
  static constexpr std::array signals{signal<Done>("go")};
  static inline int asked = 0;
  Task<Done> run(Context& saga, Order) override {
    const auto rate = co_await saga.record("rate", [] { return Done{"rate-" + std::to_string(++asked)}; });
    const auto go = co_await saga.signal<Done>("go");
    co_await saga.sleep(1h);
    auto booked = co_await saga.step<Book>(rate.id, 1);
    co_return Done{go.id + booked.id};
  }
};

TEST_F(ShadowTest, SignalsTimersLocalStepsAndRecordedValuesAreThoseOfThen) {
  run.start<Asks>();
  const int asked = Asks::asked;
  run.advance(SignalInput{"go", "/test", "s", R"({"id":"x"})", false});
  run.pass(1h);
  run.advance(LocalResult{{1, Phase::kAction, 1}, {LocalOutcome::Kind::succeeded, R"({"id":"b"})", {}}});
  ASSERT_EQ(run.status().status, SagaStatus::kCompleted);
  EXPECT_THAT(over<Asks>(), IsEmpty());
  EXPECT_EQ(Asks::asked, asked) << "nobody was asked again";
}

TEST_F(ShadowTest, AnOpenSagaIsComparedAsFarAsItCame) {
  run.start<ThreeSteps>();
  run.succeed(1);
  EXPECT_THAT(over<ThreeSteps>(), IsEmpty());
  EXPECT_THAT(shadow.halted, HasSubstr("not in the history"));
  EXPECT_THAT(over<ChargesMore>(), ElementsAre(HasSubstr("step charge: its input")));
}

}  // namespace
}  // namespace skald::reprocess
