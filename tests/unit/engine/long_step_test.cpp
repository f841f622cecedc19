// Steps that take long: heartbeats, completion by token, and an operator who gives an open step its result. Method: scripts
// as in forward_test.
#include "sagas.hpp"

namespace skald::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LongStep : public EngineTest {
 protected:
  Judgement beat(int ordinal, const std::string& details, int attempt = 1, const std::string& step = "") {
    return run.advance(HeartbeatInput{{ordinal, Phase::kAction, attempt}, step, details});
  }
  Judgement returned(LocalOutcome outcome, int attempt = 1) {
    return run.advance(LocalResult{{1, Phase::kAction, attempt}, std::move(outcome)});
  }
  Judgement complete(const std::string& output, int attempt = 1) {
    return run.advance(ReplyInput{{1, Phase::kAction, attempt}, {}, true, output, {}});
  }
  Judgement complete_with(const std::string& code, Retry retry, int attempt = 1) {
    return run.advance(
        ReplyInput{{1, Phase::kAction, attempt}, {}, false, {}, {code, "by hand", retry, false}});
  }
  static LocalOutcome later() { return {LocalOutcome::Kind::later, {}, {}}; }
};
INSTANTIATE_TEST_SUITE_P(Modes, LongStep, ::testing::Values(Mode::kCached, Mode::kReplayedEachTime),
                         [](const auto& info) {
                           return info.param == Mode::kCached ? "cached" : "replayed";
                         });

TEST_P(LongStep, SilenceAfterAHeartbeatIsAFailedAttemptOfUnknownOutcome) {
  run.options("reserve").heartbeat = 30s;
  run.start<ThreeSteps>();
  EXPECT_EQ(run.instance().next_deadline(), kNever) << "Kafka keeps the command until somebody begins";
  EXPECT_EQ(beat(1, R"({"page":3})"), Judgement::kApplied);
  EXPECT_EQ(run.instance().next_deadline(), run.now() + 30s);
  run.pass(20s);
  EXPECT_EQ(beat(1, R"({"page":7})", 1, "reserve"), Judgement::kApplied);
  run.sent();
  run.pass(20s);
  EXPECT_THAT(run.sent(), IsEmpty());
  run.pass(10s);
  EXPECT_THAT(run.stored().history.back().events, HasSubstr("heartbeat-timeout"));
  run.pass(2s);
  EXPECT_THAT(run.sent(), ElementsAre("reserve action 2"));
  EXPECT_EQ(run.header(1, "ce_sagacheckpoint"), R"({"page":7})");
  EXPECT_EQ(run.header(0, "ce_sagacheckpoint"), "");
  EXPECT_EQ(beat(1, R"({"page":8})"), Judgement::kLate);
  run.succeed(1);  // of the first attempt, which was only silent
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1"));
}

TEST_P(LongStep, HeartbeatsThatFitNothingAreRefusedByName) {
  run.start<ThreeSteps>();
  EXPECT_EQ(beat(2, "{}"), Judgement::kUnknown);
  EXPECT_EQ(beat(1, "{}", 2), Judgement::kUnknown);
  EXPECT_EQ(beat(1, "{}", 1, "charge"), Judgement::kMismatch);
  EXPECT_EQ(beat(1, '"' + std::string(5'000, 'x') + '"'), Judgement::kMismatch);
  EXPECT_THAT(run.reason(), HasSubstr("the limit is 4096"));
  run.succeed(1);
  EXPECT_EQ(beat(1, "{}"), Judgement::kLate);
}

TEST_P(LongStep, NextAttemptOfALocalStepFindsTheCheckpoint) {
  run.start<Local>();
  EXPECT_EQ(run.local().back().checkpoint, "");
  beat(1, R"({"page":3})");
  run.pass(20s, {2});  // the process that ran it is gone
  run.pass(2s);
  EXPECT_EQ(run.local().back().id.attempt, 2);
  EXPECT_EQ(run.local().back().checkpoint, R"({"page":3})");
}

TEST_P(LongStep, LocalStepIsCompletedByItsToken) {
  run.start<Local>();
  EXPECT_EQ(complete(R"({"id":"early"})"), Judgement::kMismatch) << "it has not been left yet";
  EXPECT_EQ(returned(later()), Judgement::kApplied);
  EXPECT_EQ(run.instance().next_deadline(), kNever);
  run.pass(24h, {2});
  EXPECT_EQ(run.status().status, SagaStatus::kRunning) << "no process has to live for it";
  EXPECT_EQ(complete("[]"), Judgement::kRefused);
  EXPECT_THAT(run.reason(), HasSubstr("the output does not fit the step's"));
  EXPECT_EQ(complete(R"({"id":"by hand"})"), Judgement::kApplied);
  EXPECT_EQ(complete(R"({"id":"x"})"), Judgement::kDuplicate);
  run.succeed(2);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(LongStep, CompletionMayBeAFailure) {
  run.start<Local>();
  returned(later());
  EXPECT_EQ(complete_with("busy", Retry::allowed), Judgement::kApplied);
  run.pass(2s);
  EXPECT_EQ(run.local().back().id.attempt, 2);
  EXPECT_EQ(returned(later(), 1), Judgement::kLate);
  EXPECT_EQ(returned(later(), 2), Judgement::kApplied);
  EXPECT_EQ(complete_with("declined", Retry::never, 2), Judgement::kApplied);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(LongStep, TimeoutsGoOnWhileSomebodyCompletesIt) {
  run.options("book").start_to_close = 10s;
  run.options("book").retry.maximum_attempts = 1;
  run.start<Local>();
  returned(later());
  run.pass(10s);
  EXPECT_EQ(run.status().status, SagaStatus::kRollingBack) << "its outcome is unknown: it is compensated";
  EXPECT_EQ(run.local().back().id.phase, Phase::kCompensation);
  EXPECT_EQ(complete(R"({"id":"x"})"), Judgement::kLate);
}

TEST_P(LongStep, CommandStepIsCompletedByItsTokenToo) {
  run.start<ThreeSteps>();
  run.sent();
  EXPECT_EQ(complete(R"({"id":"x"})"), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1"));
}

TEST_P(LongStep, OperatorGivesAnOpenStepItsResult) {
  run.start<ThreeSteps>();
  run.sent();
  EXPECT_EQ(run.decide(OperatorVerb::skip, 2, R"({"id":"x"})"), Judgement::kRefused);
  EXPECT_EQ(run.decide(OperatorVerb::skip, 1, R"({"name":"x"})"), Judgement::kRefused);
  EXPECT_THAT(run.reason(), HasSubstr("does not fit the step's output"));
  EXPECT_EQ(run.decide(OperatorVerb::skip, 1, R"({"id":"by hand"})"), Judgement::kApplied);
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1"));
  EXPECT_EQ(run.succeed(1), Judgement::kDuplicate);
  run.fail(2, "no-money", Retry::never);
  EXPECT_THAT(run.sent(), ElementsAre("reserve compensation 1")) << "its command may have taken effect";
}

TEST_P(LongStep, OperatorCannotSkipWhatRunsInAProcess) {
  run.start<Local>();
  EXPECT_EQ(run.decide(OperatorVerb::skip, 1, R"({"id":"x"})"), Judgement::kRefused);
  EXPECT_THAT(run.reason(), HasSubstr("runs in a process"));
  returned(later());
  EXPECT_EQ(run.decide(OperatorVerb::skip, 1, R"({"id":"x"})"), Judgement::kApplied);
}

}  // namespace
}  // namespace skald::engine
