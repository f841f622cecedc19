// What a saga's code may do at bad moments: give up what it was never given, throw where a value is taken, raise one
// shield after the other, end in a defect with more to come for it. Method: as timer_test.cpp.
#include "sagas.hpp"

namespace skald::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SignalInput signal_of(const std::string& name, const std::string& id, const std::string& value = "x") {
  return {name, "/test", id, R"({"id":")" + value + R"("})"};
}

/// Starts and gives up a step after its shield has gone, when nothing is begun any more.
struct GivesUpTooLate : Saga<Order, Done> {
  static constexpr std::string_view name = "gives-up-too-late";
  Task<Done> run(Context& saga, Order order) override {
    {
      const auto shield = saga.shield();
      co_await saga.step<Reserve>(order);
    }
    const auto charged = saga.start<Charge>(order);
    saga.cancel(charged);
    const auto why = charged.outcome().failure().code;
    co_return co_await saga.step<Ship>(why, order.cents);
  }
};

TEST_P(EngineTest, StepThatIsNotBegunAfterACancellationCanBeGivenUp) {
  run.start<GivesUpTooLate>();
  run.decide(OperatorVerb::cancel, 0);
  run.sent();
  run.succeed(1);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCancelled);
}

/// The same in a run that has a defect already.
struct GivesUpAfterADefect : Saga<Order, Done> {
  static constexpr std::string_view name = "gives-up-after-a-defect";
  Task<Done> run(Context& saga, Order order) override {
    const auto reserved = saga.start<Reserve>(order);
    co_await saga.sleep(1min);
    const auto charged = saga.start<Charge>(std::string(500, 'x'), 1);
    saga.cancel(reserved);
    saga.cancel(charged);
    co_return Done{reserved.outcome().failure().code + charged.outcome().failure().code};
  }
};

TEST_P(EngineTest, GivingUpInARunWithADefectIsHarmless) {
  run.environment().limits.maximum_payload_bytes = 100;
  run.start<GivesUpAfterADefect>();
  run.pass(1min);
  EXPECT_EQ(run.status().stuck_reason, "payload-limit");
}

/// Each round behind a shield of its own, with nothing between them.
struct ShieldedRounds : Saga<Order, Done> {
  static constexpr std::string_view name = "shielded-rounds";
  Task<Done> run(Context& saga, Order order) override {
    for (int round = 0; round < 3; ++round) {
      const auto shield = saga.shield();
      co_await saga.step<Reserve>(order.id, round);
    }
    co_return Done{order.id};
  }
};

TEST_P(EngineTest, NextShieldDoesNotHoldOffWhatTheLastOneLetHappen) {
  run.start<ShieldedRounds>();
  run.decide(OperatorVerb::cancel, 0);
  run.sent();
  run.succeed(1);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCancelled);
}

/// A value that cannot be taken, with another one instead.
struct RecordThrows : Saga<Order, Done> {
  static constexpr std::string_view name = "record-throws";
  static inline bool works = false;
  Task<Done> run(Context& saga, Order order) override {
    std::int64_t price = 7;
    try {
      price = co_await saga.record("price", []() -> std::int64_t {
        if (!works) throw std::runtime_error("no price list");
        return 9;
      });
    } catch (const std::exception&) {
    }
    co_return co_await saga.step<Ship>(order.id, price);
  }
};

TEST_P(EngineTest, ValueThatCannotBeTakenIsADefectAndTakenAgainOnRetry) {
  RecordThrows::works = false;
  run.start<RecordThrows>();
  EXPECT_EQ(run.status().status, SagaStatus::kStuck);
  EXPECT_EQ(run.status().stuck_reason, "exception");
  EXPECT_THAT(run.stored().history.back().events, HasSubstr("no price list"));
  RecordThrows::works = true;
  run.sent();
  EXPECT_EQ(run.decide(OperatorVerb::retry, 0), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("ship action 1"));
  EXPECT_FALSE(run.reload());
}

struct RecordNested : Saga<Order, Done> {
  static constexpr std::string_view name = "record-nested";
  Task<Done> run(Context& saga, Order order) override {
    const auto drawn = co_await saga.record("drawn", [&saga] { return saga.random() % 100; });
    co_return co_await saga.step<Ship>(saga.uuid(), static_cast<std::int64_t>(drawn));
  }
};

TEST_P(EngineTest, ValueTakenFromTheSagaItselfIsADefectAndNoDivergence) {
  run.start<RecordNested>();
  EXPECT_EQ(run.status().stuck_reason, "nested-call");
  EXPECT_FALSE(run.reload());
}

/// Gives a step up and then has a defect.
struct DefectAfterGivingUp : Saga<Order, Done> {
  static constexpr std::string_view name = "defect-after-giving-up";
  static constexpr std::array signals{signal<Done>("stop")};
  static inline bool mended = false;
  Task<Done> run(Context& saga, Order order) override {
    const auto reserved = saga.start<Reserve>(order);
    const auto stopped = saga.expect<Done>("stop");
    static_cast<void>(co_await saga.any(reserved, stopped));
    if (!mended) {
      saga.cancel(reserved);
      throw std::runtime_error("a bug");
    }
    co_return co_await reserved;
  }
};

/// As when two inputs of one saga are judged for one commit: nothing is replayed between them.
TEST_P(EngineTest, ReplyJudgedAfterADefectFindsTheStepAsHistoryHasIt) {
  DefectAfterGivingUp::mended = false;
  run.start<DefectAfterGivingUp>();
  run.keep_stuck();
  run.advance(signal_of("stop", "1"));
  ASSERT_EQ(run.status().status, SagaStatus::kStuck);
  EXPECT_EQ(run.succeed(1), Judgement::kApplied);
  EXPECT_THAT(run.stored().history.back().events, HasSubstr(R"({"type":"succeeded","ordinal":1)"));
  DefectAfterGivingUp::mended = true;
  ASSERT_FALSE(run.reload());
  run.decide(OperatorVerb::retry, 0);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

/// Waits for one signal and has an update; ends with either.
class EndsAtOnce : public Saga<Order, Done> {
 public:
  static constexpr std::string_view name = "ends-at-once";
  void close() { closed_ = true; }
  static constexpr std::array signals{signal<Done>("stop")};
  static constexpr std::array updates{update<&EndsAtOnce::close>("close")};
  Task<Done> run(Context& saga, Order order) override {
    const auto stop = saga.expect<Done>("stop");
    co_await saga.wait_until([&] { return closed_ || stop.arrived(); });
    co_return Done{order.id};
  }

 private:
  bool closed_ = false;
};

TEST_P(EngineTest, UpdateThatEndedTheSagaIsToldFromALaterOne) {
  run.start<EndsAtOnce>();
  EXPECT_EQ(run.verdict(UpdateInput{"close", "/test", "1", "{}"}).answer, "{}");
  ASSERT_EQ(run.status().status, SagaStatus::kCompleted);
  ASSERT_FALSE(run.reload());
  const Verdict again = run.verdict(UpdateInput{"close", "/test", "1", "{}"});
  EXPECT_EQ(again.judgement, Judgement::kDuplicate) << "asked again, its first answer being lost";
  EXPECT_EQ(again.answer, "{}");
  EXPECT_EQ(run.advance(UpdateInput{"close", "/test", "2", "{}"}), Judgement::kEnded);
}

TEST_P(EngineTest, SignalThatEndedTheSagaIsToldFromALaterOne) {
  run.start<EndsAtOnce>();
  run.advance(signal_of("stop", "1"));
  ASSERT_EQ(run.status().status, SagaStatus::kCompleted);
  ASSERT_FALSE(run.reload());
  EXPECT_EQ(run.advance(signal_of("stop", "1")), Judgement::kDuplicate);
  EXPECT_EQ(run.advance(signal_of("stop", "2")), Judgement::kEnded);
}

/// From a record's key or header, which may hold any bytes.
TEST_P(EngineTest, SignalWhoseIdIsNotTextIsRefusedBecauseHistoryWouldForgetIt) {
  run.start<EndsAtOnce>();
  EXPECT_EQ(run.advance(signal_of("stop", "\xff\x01")), Judgement::kMismatch);
  EXPECT_EQ(run.advance(signal_of("stop", "\xc3\xa9t\xc3\xa9")), Judgement::kApplied);
  ASSERT_FALSE(run.reload());
  EXPECT_EQ(run.advance(signal_of("stop", "\xc3\xa9t\xc3\xa9")), Judgement::kDuplicate);
}

/// A condition of the saga's own time, which moves in transitions that let the code not go on.
struct WaitsForTime : Saga<Order, Done> {
  static constexpr std::string_view name = "waits-for-time";
  static constexpr SagaOptions options{.deadline = 1h};
  Task<Done> run(Context& saga, Order order) override {
    const Time noon = saga.now() + 30min;
    co_await saga.wait_until([&] { return saga.now() >= noon; });
    co_return co_await saga.step<Ship>(order);
  }
};

TEST_P(EngineTest, DeadlineIsReplayedAsItWas) {
  run.start<WaitsForTime>();
  run.pass(1h);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
  const auto problem = run.reload();
  EXPECT_FALSE(problem) << problem->message;
}

TEST_P(EngineTest, TerminationIsReplayedAsItWas) {
  run.start<WaitsForTime>();
  run.pass(50min);
  run.decide(OperatorVerb::terminate, 0);
  EXPECT_EQ(run.status().status, SagaStatus::kTerminated);
  const auto problem = run.reload();
  EXPECT_FALSE(problem) << problem->message;
}

/// What it holds is given up by whatever way it leaves.
struct Guarded : Saga<Order, Done> {
  static constexpr std::string_view name = "guarded";
  struct Guard {
    Context& saga;
    Handle<Done> handle;
    Timer timer;
    ~Guard() {
      saga.cancel(handle);
      saga.cancel(timer);
    }
  };
  Task<Done> run(Context& saga, Order order) override {
    const Guard guard{saga, saga.start<Reserve>(order), saga.timer(1h)};
    co_await saga.sleep(2h);
    co_return Done{order.id};
  }
};

TEST_P(EngineTest, DestructorsInAFrameThatIsPutAwayChangeNothing) {
  run.start<Guarded>();
  ASSERT_FALSE(run.reload()) << "the frame before it is destroyed";
  run.sent();
  run.decide(OperatorVerb::cancel, 0);
  EXPECT_THAT(run.stored().history.back().events, ::testing::Not(HasSubstr("abandoned\",\"ordinal")));
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1"));
  ASSERT_FALSE(run.reload());
  run.undone(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCancelled);
}

}  // namespace
}  // namespace skald::engine
