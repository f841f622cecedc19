// The promises of the inbox, each asked of a running participant: what took effect is read from its own table.
#include "fixture.hpp"

namespace skald::participant {
namespace {

class Inbox : public ParticipantTest {};

TEST_F(Inbox, RepeatedCommandTakesEffectOnceAndIsAnsweredEachTime) {
  start();
  const auto first = ask(action("o1"));
  EXPECT_TRUE(first.succeeded);
  EXPECT_EQ(first.data, R"({"id":"res-o1"})");
  EXPECT_EQ(first.step, "reserve-stock");
  EXPECT_EQ(first.saga_id, "o1");
  const auto again = ask(action("o1"));
  EXPECT_EQ(again, first);
  const auto next_attempt = ask(action("o1", 2));
  EXPECT_TRUE(next_attempt.succeeded);
  EXPECT_EQ(next_attempt.data, first.data);
  EXPECT_EQ(next_attempt.causation_id, action("o1", 2).id);
  EXPECT_EQ(effects("o1", "reserve"), 1);
  EXPECT_EQ(service_->statistics().repeated, 2U);
}

TEST_F(Inbox, CompensationBeforeItsActionCancelsIt) {
  start();
  const auto undone = ask(compensation("o1"));
  EXPECT_TRUE(undone.succeeded);
  const auto late = ask(action("o1"));
  EXPECT_FALSE(late.succeeded);
  EXPECT_EQ(late.failure.code, "cancelled");
  EXPECT_FALSE(late.failure.retryable);
  EXPECT_EQ(effects("o1", "reserve"), 0);
  EXPECT_EQ(effects("o1", "release"), 0) << "nothing took effect, nothing is undone";
}

TEST_F(Inbox, CommandAfterItsCompensationDoesNothing) {
  start();
  EXPECT_TRUE(ask(action("o1")).succeeded);
  EXPECT_TRUE(ask(compensation("o1")).succeeded);
  EXPECT_TRUE(ask(compensation("o1")).succeeded);
  EXPECT_TRUE(ask(compensation("o1", 2)).succeeded);
  EXPECT_EQ(ask(action("o1")).failure.code, "cancelled");
  EXPECT_EQ(ask(action("o1", 2)).failure.code, "cancelled");
  EXPECT_EQ(effects("o1", "reserve"), 1);
  EXPECT_EQ(effects("o1", "release"), 1);
}

TEST_F(Inbox, AllThreeBadCasesHoldWithinOneBatch) {
  for (const int round : {1, 2}) {
    send(action("repeated", round));
    send(action("repeated", round));
    send(compensation("early", round));
    send(action("early", round));
    send(action("late", round));
    send(compensation("late", round));
    send(action("late", round));
  }
  start();
  const auto replies = receive(14);
  for (std::size_t index = 0; index < 14; index += 7) {
    EXPECT_TRUE(replies[index].succeeded && replies[index + 1].succeeded && replies[index + 2].succeeded);
    EXPECT_EQ(replies[index + 3].failure.code, "cancelled");
    EXPECT_EQ(replies[index + 6].failure.code, "cancelled");
  }
  EXPECT_EQ(effects("repeated", "reserve"), 1);
  EXPECT_EQ(effects("early", "reserve"), 0);
  EXPECT_EQ(effects("early", "release"), 0);
  EXPECT_EQ(effects("late", "reserve"), 1);
  EXPECT_EQ(effects("late", "release"), 1);
}

TEST_F(Inbox, FinalRefusalIsFinalForTheKey) {
  start();
  const auto refused = ask(action("o1", 1, "refuse"));
  EXPECT_EQ(refused.failure, (wire::Failure{"out-of-stock", "none left", false}));
  const auto again = ask(action("o1", 2));
  EXPECT_EQ(again.failure, refused.failure);
  EXPECT_EQ(again.causation_id, action("o1", 2).id);
  EXPECT_TRUE(ask(compensation("o1")).succeeded);
  EXPECT_EQ(effects("o1", "reserve"), 0);
  EXPECT_EQ(effects("o1", "release"), 0);
}

TEST_F(Inbox, RetryableFailureMaySayWhenToTryAgain) {
  start();
  const wire::Failure expected{"busy", "until noon", true, std::chrono::hours{2}};
  EXPECT_EQ(ask(action("o1", 1, "later")).failure, expected);
  EXPECT_EQ(ask(action("o1", 1, "later")).failure, expected) << "remembered with the rest";
}

TEST_F(Inbox, RetryableFailureIsRememberedForItsCommandOnly) {
  start();
  const auto failed = ask(action("o1", 1, "flaky"));
  EXPECT_EQ(failed.failure, (wire::Failure{"busy", "try again", true}));
  EXPECT_EQ(effects("o1", "reserve"), 0) << "the effect goes with the failure";
  turn_on("o1");
  EXPECT_EQ(ask(action("o1", 1, "flaky")).failure, failed.failure);
  EXPECT_TRUE(ask(action("o1", 2, "flaky")).succeeded);
  EXPECT_TRUE(ask(action("o1", 1, "flaky")).succeeded) << "what took effect is the answer to every attempt";
  EXPECT_EQ(effects("o1", "reserve"), 1);
}

TEST_F(Inbox, CompensationThatFailedIsOwedUntilItIsDone) {
  start();
  EXPECT_TRUE(ask(action("o1")).succeeded);
  turn_on("no-release");
  EXPECT_TRUE(ask(compensation("o1")).failure.retryable);
  EXPECT_EQ(effects("o1", "release"), 0);
  turn_off("no-release");
  EXPECT_FALSE(ask(compensation("o1")).succeeded);
  EXPECT_TRUE(ask(compensation("o1", 2)).succeeded);
  EXPECT_EQ(effects("o1", "release"), 1);
}

TEST_F(Inbox, ExpiredCommandIsNotExecuted) {
  start();
  auto late = action("o1");
  late.expiry = Time{std::chrono::seconds(1)};
  const auto reply = ask(late);
  EXPECT_EQ(reply.failure.code, "expired");
  EXPECT_EQ(effects("o1", "reserve"), 0);
  auto in_time = action("o1", 2);
  in_time.expiry = Time{std::chrono::sys_days{std::chrono::year{2999} / 1 / 1}};
  EXPECT_TRUE(ask(in_time).succeeded);
  auto again = action("o1", 3);
  again.expiry = Time{std::chrono::seconds(1)};
  EXPECT_TRUE(ask(again).succeeded) << "it took effect: `expired` would deny that";
  EXPECT_EQ(effects("o1", "reserve"), 1);
}

TEST_F(Inbox, UnknownStepIsARetryableFailure) {
  start();
  auto unknown = action("o1");
  unknown.step = "no-such-step";
  const auto reply = ask(unknown);
  EXPECT_EQ(reply.failure.code, "unknown-step");
  EXPECT_TRUE(reply.failure.retryable);
}

TEST_F(Inbox, InputThatDoesNotFitIsRefusedWithThePlace) {
  start();
  auto misfit = action("o1");
  misfit.data = R"({"id":7})";
  const auto reply = ask(misfit);
  EXPECT_EQ(reply.failure.code, "invalid-input");
  EXPECT_FALSE(reply.failure.retryable);
  EXPECT_NE(reply.failure.message.find("/id"), std::string::npos) << reply.failure.message;
}

TEST_F(Inbox, HandlersThatBreakAreUndoneAndMayBeTriedAgain) {
  send(action("before"));
  for (const char* behaviour : {"throw", "bad-sql", "swallow"}) send(action(behaviour, 1, behaviour));
  send(action("after"));
  start();
  const auto replies = receive(5);
  EXPECT_TRUE(replies[0].succeeded);
  EXPECT_EQ(replies[1].failure, (wire::Failure{"exception", "a bug", true}));
  EXPECT_EQ(replies[2].failure, (wire::Failure{"database", "SQLSTATE 23502", true}));
  EXPECT_EQ(replies[3].failure.code, "exception");
  EXPECT_TRUE(replies[3].failure.retryable);
  EXPECT_TRUE(replies[4].succeeded);
  for (const char* order : {"throw", "bad-sql", "swallow"}) EXPECT_EQ(effects(order, "reserve"), 0) << order;
  EXPECT_EQ(effects("before", "reserve"), 1);
  EXPECT_EQ(effects("after", "reserve"), 1);
}

TEST_F(Inbox, WhatIsCompletedLaterTakesEffectOnceIsNotAnsweredAndMayBeUndone) {
  send(action("o1", 1, "by-mail"));
  send(action("o1", 2, "by-mail"));
  send(action("o2"));
  start();
  EXPECT_EQ(receive(1)[0].saga_id, "o2") << "nothing came for o1";
  EXPECT_EQ(effects("o1", "reserve"), 1);
  EXPECT_EQ(effects("o1", action("o1", 1).id), 1) << "the token is the first attempt's";
  EXPECT_TRUE(ask(compensation("o1")).succeeded);
  EXPECT_EQ(effects("o1", "release"), 1);
  EXPECT_EQ(ask(action("o1", 3, "by-mail")).failure.code, "cancelled");
}

TEST_F(Inbox, SwitchedOffBreaksThePromise) {
  options_.unsafe_without_inbox = true;
  start();
  EXPECT_TRUE(ask(action("o1")).succeeded);
  EXPECT_TRUE(ask(action("o1")).succeeded);
  EXPECT_EQ(effects("o1", "reserve"), 2) << "or the demo's check of a broken promise proves nothing";
}

}  // namespace
}  // namespace skald::participant
