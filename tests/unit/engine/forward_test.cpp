// Sagas that go forward: order of commands, retries, parallel steps, handles, local steps, helpers. Method: a script
// of inputs, and after each one what went out.
#include <array>
#include <cstdio>

#include "sagas.hpp"
#include "wire/checksum.hpp"

namespace skald::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

INSTANTIATE_TEST_SUITE_P(Modes, EngineTest, ::testing::Values(Mode::kCached, Mode::kReplayedEachTime),
                         [](const auto& info) {
                           return info.param == Mode::kCached ? "cached" : "replayed";
                         });

TEST_P(EngineTest, StepsGoOutOneAfterTheOtherAndTheSagaCompletes) {
  run.start<ThreeSteps>();
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 1"));
  EXPECT_EQ(run.succeed(1), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1"));
  EXPECT_EQ(*run.messages().back().value, R"({"id":"done-1","cents":100})");
  run.succeed(2);
  run.succeed(3);
  EXPECT_THAT(run.sent(), ElementsAre("ship action 1", "saga.completed"));
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
  EXPECT_THAT(*run.messages().back().value, HasSubstr(R"("output":{"id":"done-3"})"));
  EXPECT_EQ(run.status().sequence, 4);
}

TEST_P(EngineTest, CommandsCarryTheirIdsKeysAndReplyTopic) {
  run.start<ThreeSteps>();
  EXPECT_EQ(run.header(0, "ce_id"), "test/three-steps/o-1/1/action/1");
  EXPECT_EQ(run.header(0, "ce_idempotencykey"), "test/three-steps/o-1/1");
  EXPECT_EQ(run.header(0, "ce_sagareplyto"), "replies");
  EXPECT_EQ(run.messages()[0].key, "o-1");
}

TEST_P(EngineTest, RepliesTwiceLateAndForgedChangeNothing) {
  run.start<ThreeSteps>();
  run.succeed(1);
  EXPECT_EQ(run.succeed(1), Judgement::kDuplicate);
  EXPECT_EQ(run.fail(1, "no", Retry::never), Judgement::kLate);
  EXPECT_EQ(run.succeed(9), Judgement::kUnknown);
  EXPECT_EQ(run.succeed(2, 5), Judgement::kUnknown);
  EXPECT_EQ(run.undone(2), Judgement::kUnknown);
  EXPECT_EQ(run.status().sequence, 2);
  run.succeed(2);
  run.succeed(3);
  EXPECT_EQ(run.succeed(3), Judgement::kEnded);
}

TEST_P(EngineTest, PayloadThatIsTheOneBeforeInItsTransitionIsStoredOnce) {
  run.start<ThreeSteps>();  // the first step's input is the saga's
  const std::string& events = run.stored().history[0].events;
  EXPECT_EQ(events.find("cents"), events.rfind("cents")) << events;
  EXPECT_THAT(events, HasSubstr(R"("same":true})"));
  ASSERT_FALSE(run.reload());
  run.succeed(1);
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 1", "charge action 1"));
}

TEST_P(EngineTest, PayloadOfNoEventBeforeIsDamage) {
  const std::string text = "{\"at\":1}\n{\"type\":\"returned\",\"same\":true}\n";
  std::array<char, 16> seal{};
  std::snprintf(seal.data(), seal.size(), "#%08x\n", wire::crc32c(text));
  const auto entry = read_entry(text + seal.data());
  ASSERT_FALSE(entry);
  EXPECT_THAT(entry.error().message, HasSubstr("line 2: there is no payload before it"));
}

TEST_P(EngineTest, FirstWakeUpIsAnEarlyBoundAndTheExactDeadlineFollowsIt) {
  run.environment().first_wake_up = 30s;
  run.options("reserve").start_to_close = 10min;
  run.options("charge").start_to_close = 5min;
  run.start<ThreeSteps>();
  const Time started = run.now();
  EXPECT_EQ(run.status().wake_at, started + 30s);
  run.pass(10s);
  EXPECT_EQ(run.status().wake_at, started + 10min);  // woken, and nothing was due
  run.succeed(1);
  EXPECT_EQ(run.status().wake_at, started + 10s + 5min);
}

TEST_P(EngineTest, FirstWakeUpIsNotLaterThanTheFirstDeadline) {
  run.environment().first_wake_up = 30s;
  run.options("reserve").start_to_close = 5s;
  run.start<ThreeSteps>();
  EXPECT_EQ(run.status().wake_at, run.now() + 5s);
}

TEST_P(EngineTest, RetryableFailureIsTriedAgainAfterItsPauseUnderTheSameKey) {
  run.start<ThreeSteps>();
  run.sent();
  run.fail(1, "busy", Retry::allowed);
  EXPECT_THAT(run.sent(), IsEmpty());
  EXPECT_EQ(run.instance().next_deadline(), run.now() + 1000ms);
  run.pass(999ms);
  EXPECT_THAT(run.sent(), IsEmpty());
  run.pass(1ms);
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 2"));
  EXPECT_EQ(run.header(1, "ce_idempotencykey"), "test/three-steps/o-1/1");
  EXPECT_EQ(run.fail(1, "busy", Retry::allowed, 1), Judgement::kLate);
  run.succeed(1, 1);  // any attempt's success settles
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1"));
}

TEST_P(EngineTest, AttemptsEndAtTheirMaximumAndAtCodesThatAreNotRetryable) {
  run.options("charge").retry.maximum_attempts = 2;
  run.start<Falls>();
  run.fail(1, "busy", Retry::allowed);
  run.pass(1s);
  run.sent();
  run.fail(1, "busy", Retry::allowed, 2);
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 1"));  // caught: the other way on
  EXPECT_THAT(*run.messages().back().value, HasSubstr("busy"));
  run.succeed(2);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, AttemptTimeoutSendsAgainAndTheFirstAnswerStillCounts) {
  run.options("reserve").start_to_close = 5s;
  run.start<ThreeSteps>();
  run.pass(5s);
  run.sent();
  run.pass(1s);
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 2"));
  run.succeed(1, 1);
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1"));
}

TEST_P(EngineTest, ParallelStepsGoOutTogetherAndAllWaitsForEach) {
  run.start<Parallel>();
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 1", "charge action 1"));
  run.succeed(2);
  EXPECT_THAT(run.sent(), IsEmpty());
  run.succeed(1);
  EXPECT_THAT(run.sent(), ElementsAre("ship action 1"));
  EXPECT_THAT(*run.messages().back().value, HasSubstr("done-1done-2"));
}

TEST_P(EngineTest, HandleStillOpenAtReturnIsAwaited) {
  run.start<LeavesHandleOpen>();
  EXPECT_EQ(run.status().status, SagaStatus::kRunning);
  run.succeed(1);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(EngineTest, FailureOfAHandleNobodyLookedAtRollsBack) {
  run.start<LeavesHandleOpen>();
  run.fail(1, "sold-out", Retry::never);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(EngineTest, HelperTasksAreAwaitedLikeSteps) {
  run.start<Helper>();
  run.succeed(1);
  run.succeed(2);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
  EXPECT_THAT(*run.messages().back().value, HasSubstr("done-1+done-2"));
}

TEST_P(EngineTest, LocalStepRunsHereAndItsResultGoesOn) {
  run.start<Local>();
  EXPECT_THAT(run.sent(), ElementsAre("local book action 1"));
  EXPECT_EQ(run.local()[0].idempotency_key, "test/local/o-1/1");
  run.advance(LocalResult{{1, Phase::kAction, 1}, {LocalOutcome::Kind::succeeded, R"({"id":"b"})", {}}});
  EXPECT_THAT(run.sent(), ElementsAre("ship action 1"));
}

TEST_P(EngineTest, LocalStepIsRunAgainOnlyWhenItsProcessIsDead) {
  run.start<Local>();
  run.sent();
  run.pass(10s, {1, 2});
  EXPECT_THAT(run.sent(), IsEmpty());
  run.pass(10s, {2});  // incarnation 1 is gone
  EXPECT_THAT(run.sent(), IsEmpty());
  run.pass(1s, {2});
  EXPECT_THAT(run.sent(), ElementsAre("local book action 2"));
}

TEST_P(EngineTest, UndeliverableCommandFailsItsStepWithCertainty) {
  run.start<Falls>();
  run.sent();
  run.advance(Undeliverable{{1, Phase::kAction, 1}, "too large"});
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 1"));
  EXPECT_THAT(*run.messages().back().value, HasSubstr("undeliverable"));
}

}  // namespace
}  // namespace skald::engine
