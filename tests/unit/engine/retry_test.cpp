// When a step is tried again: a delay said by who failed, a start that came too late, an operator who does not wait.
// Method: as timer_test.cpp.
#include "sagas.hpp"

namespace skald::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ReplyInput busy(std::optional<std::chrono::milliseconds> after, const std::string& code = "busy") {
  ReplyInput reply;
  reply.id = {1, Phase::kAction, 1};
  reply.step = "reserve";
  reply.failure = {code, "not now", Retry::allowed, false, after};
  return reply;
}

TEST_P(EngineTest, ParticipantSaysWhenToTryAgain) {
  run.options("reserve").retry = {.initial_interval = 1s, .jitter = 0};
  run.start<ThreeSteps>();
  run.sent();
  run.advance(busy(1h));
  EXPECT_EQ(run.instance().next_deadline(), run.now() + 1h) << "in the place of the policy's second";
  run.pass(1h);
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 2"));
}

TEST_P(EngineTest, DelayBeyondTheDeadlineOfTheStepFailsIt) {
  run.options("reserve").schedule_to_close = 10min;
  run.start<ThreeSteps>();
  run.advance(busy(1h));
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated) << "it certainly had no effect";
}

TEST_P(EngineTest, AbsurdDelaysAreBounded) {
  run.start<ThreeSteps>();
  run.advance(busy(std::chrono::milliseconds::max()));
  EXPECT_EQ(run.instance().next_deadline(), run.now() + std::chrono::hours{24 * 366});
}

TEST_P(EngineTest, LocalStepSaysWhenToTryAgain) {
  run.start<Local>();
  const StepFailed failed("closed", "until morning", 8h);
  run.advance(LocalResult{{1, Phase::kAction, 1}, {LocalOutcome::Kind::refused, "", failed.failure()}});
  EXPECT_EQ(run.instance().next_deadline(), run.now() + 8h);
}

TEST_P(EngineTest, CommandExpiresWhenNobodyBeginsItInTime) {
  run.options("reserve").schedule_to_start = 5min;
  run.options("reserve").schedule_to_close = 1h;
  run.start<ThreeSteps>();
  EXPECT_EQ(run.header(0, "ce_expirytime"), wire::format_time(run.now() + 5min));
  run.advance(busy({}, "expired"));
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated) << "and is not sent again";
}

TEST_P(EngineTest, NextAttemptExpiresByItsOwnTime) {
  run.options("reserve").schedule_to_start = 5min;
  run.options("reserve").schedule_to_close = 1h;
  run.start<ThreeSteps>();
  run.advance(busy(58min));
  run.pass(58min);
  EXPECT_EQ(run.header(1, "ce_expirytime"), wire::format_time(run.now() + 2min)) << "the earlier of both";
}

TEST_P(EngineTest, OperatorDoesNotWaitForTheNextAttempt) {
  run.start<Parallel>();
  run.sent();
  run.advance(busy(24h));
  EXPECT_EQ(run.decide(OperatorVerb::retry, 2), Judgement::kRefused) << "that one is under way";
  EXPECT_EQ(run.decide(OperatorVerb::retry, 0), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 2"));
  EXPECT_THAT(run.stored().history.back().events,
              HasSubstr(R"({"type":"operator","reason":"retry","who":"ann")"));
  EXPECT_EQ(run.decide(OperatorVerb::retry, 0), Judgement::kRefused);
  EXPECT_THAT(run.reason(), HasSubstr("nothing to retry now"));
  run.succeed(1, 2);
  run.succeed(2);
  EXPECT_EQ(run.status().status, SagaStatus::kRunning);
}

TEST_P(EngineTest, OperatorDoesNotWaitForTheNextCompensation) {
  run.start<ThreeSteps>();
  run.succeed(1);
  run.fail(2, "declined", Retry::never);
  run.undo_fails(1, Retry::allowed);
  run.sent();
  EXPECT_EQ(run.decide(OperatorVerb::retry, 1), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 2"));
  run.undone(1, 2);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

}  // namespace
}  // namespace skald::engine
