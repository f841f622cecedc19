// Child sagas. Method: a parent and its child, each a script of its own; what one sends goes to the other as it would
// from Kafka, read from its message.
#include "sagas.hpp"

namespace skald::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Shipping : ChildSaga<ThreeSteps> {};
struct Paying : ChildSaga<WithPivot> {};

template <ParentClose policy>
struct Closing : ChildSaga<ThreeSteps> {
  static constexpr std::string_view name =
      policy == ParentClose::cancel ? "closing-cancel" : "closing-abandon";
  static constexpr ParentClose parent_close = policy;
  static std::string saga_id(const Order& order) {
    if (order.cents < 0) throw std::runtime_error("no id for debts");
    return "ship-" + order.id;
  }
};

template <class Child>
struct Parent : Saga<Order, Done> {
  static constexpr std::string_view name = "parent";
  Task<Done> run(Context& saga, Order order) override {
    auto shipped = co_await saga.step<Child>(order);
    co_return co_await saga.step<Charge>(shipped.id, order.cents);
  }
};

struct Leaves : Saga<Order, Done> {
  static constexpr std::string_view name = "leaves";
  Task<Done> run(Context& saga, Order order) override {
    [[maybe_unused]] auto shipped = saga.start<Closing<ParentClose::abandon>>(order);
    co_return co_await saga.step<Charge>(order);
  }
};

struct GivesUp : Saga<Order, Done> {
  static constexpr std::string_view name = "gives-up";
  Task<Done> run(Context& saga, Order order) override {
    auto shipped = saga.start<Shipping>(order);
    auto charged = co_await saga.step<Charge>(order);
    saga.cancel(shipped);
    co_return charged;
  }
};

struct PivotIsAChild : Saga<Order, Done> {
  static constexpr std::string_view name = "pivot-is-a-child";
  Task<Done> run(Context& saga, Order order) override { co_return co_await saga.pivot<Shipping>(order); }
};

struct Shielded : Saga<Order, Done> {
  static constexpr std::string_view name = "shielded";
  Task<Done> run(Context& saga, Order order) override {
    const auto shield = saga.shield();
    co_return co_await saga.step<Reserve>(order);
  }
};
struct Guarded : ChildSaga<Shielded> {};

Record record_of(const Message& message) {
  Record record;
  record.topic = message.topic;
  record.key = message.key;
  record.value = message.value;
  record.headers = message.headers;
  return record;
}

class Child : public EngineTest {
 protected:
  Child() {
    for (const auto* step : {&step_definition<Shipping>(), &step_definition<Paying>(),
                             &step_definition<Guarded>(), &step_definition<Closing<ParentClose::cancel>>(),
                             &step_definition<Closing<ParentClose::abandon>>()})
      run.environment().steps[std::string(step->name)] = {"children", step->options};
  }

  /// The newest command to a child that the parent sent.
  wire::Command command() const {
    for (auto message = run.messages().rbegin(); message != run.messages().rend(); ++message)
      if (message->topic == "children") return wire::command_from(record_of(*message)).value();
    ADD_FAILURE() << "the parent sent no command to a child";
    return {};
  }
  static ParentCommand from_parent(const wire::Command& command) {
    return {command.id,
            command.step,
            command.reply_to,
            command.phase,
            command.child->root,
            command.child->depth,
            command.child->keeps_completed};
  }
  /// As the runtime does it: a command starts the saga unless there is one.
  template <class S>
  void start_child() {
    child.start<S>(command().child->saga_id, {command().data, {}, "parent", from_parent(command())});
  }
  Verdict tell_child() { return child.verdict(from_parent(command())); }
  /// The child's newest answer reaches its parent.
  Judgement answer() {
    const auto reply = wire::reply_from(record_of(newest_answer())).value();
    const auto id = wire::parse_command_id(reply.causation_id).value();
    ReplyInput input{{id.ordinal, id.phase, id.attempt}, reply.step, reply.succeeded, reply.data, {}};
    input.failure = {reply.failure.code, reply.failure.message,
                     reply.failure.retryable ? Retry::allowed : Retry::never, false};
    return run.advance(input);
  }
  const Message& newest_answer() const {
    for (auto message = child.messages().rbegin(); message != child.messages().rend(); ++message)
      if (message->topic == "replies") return *message;
    ADD_FAILURE() << "the child answered nothing";
    return child.messages().back();
  }
  void complete_child() {
    child.succeed(1);
    child.succeed(2);
    child.succeed(3);
  }

  Script child{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Modes, Child, ::testing::Values(Mode::kCached, Mode::kReplayedEachTime),
                         [](const auto& info) {
                           return info.param == Mode::kCached ? "cached" : "replayed";
                         });

TEST_P(Child, RunsUnderAnIdOfItsParentsAndGivesItsOutput) {
  run.start<Parent<Shipping>>();
  EXPECT_THAT(run.sent(), ElementsAre("three-steps action 1"));
  EXPECT_EQ(command().child->definition, "three-steps");
  EXPECT_EQ(command().child->saga_id, "o-1/1");
  EXPECT_EQ(command().child->root, "test/parent/o-1");
  EXPECT_EQ(*run.messages().back().key, "o-1/1");
  start_child<ThreeSteps>();
  complete_child();
  EXPECT_EQ(child.status().status, SagaStatus::kCompleted);
  EXPECT_EQ(answer(), Judgement::kApplied);
  EXPECT_THAT(*run.messages().back().value, HasSubstr("done-3"));
  EXPECT_EQ(child.header(child.messages().size() - 1, "ce_sagaroot"), "test/parent/o-1");
  run.succeed(2);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(Child, FailureThatRolledItBackIsItsParents) {
  run.start<Parent<Shipping>>();
  start_child<ThreeSteps>();
  child.succeed(1);
  child.fail(2, "no-money", Retry::never);
  child.undone(1);
  answer();
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
  EXPECT_THAT(run.messages().back().value.value(), HasSubstr("no-money"));
  EXPECT_THAT(run.sent(),
              ElementsAre("three-steps action 1", "saga.compensated"));  // nothing is left to undo
}

TEST_P(Child, CompletedChildIsRolledBackByItsParentsRollback) {
  run.start<Parent<Shipping>>();
  start_child<ThreeSteps>();
  complete_child();
  answer();
  child.sent();
  run.fail(2, "no-money", Retry::never);
  EXPECT_EQ(run.status().status, SagaStatus::kRollingBack);
  EXPECT_EQ(tell_child().judgement, Judgement::kApplied);
  EXPECT_EQ(child.status().status, SagaStatus::kRollingBack);
  EXPECT_THAT(child.sent(), ElementsAre("ship compensation 1"));
  EXPECT_EQ(tell_child().judgement, Judgement::kDuplicate);
  child.undone(3);
  child.undone(2);
  child.undone(1);
  EXPECT_THAT(child.sent(), ElementsAre("charge compensation 1", "reserve compensation 1",
                                        "three-steps.succeeded", "saga.compensated"));
  EXPECT_EQ(child.header(child.messages().size() - 1, "ce_id"), "test/three-steps/o-1/1/outcome/2");
  EXPECT_EQ(answer(), Judgement::kApplied);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(Child, RunningChildIsCancelledByItsParentsRollback) {
  run.start<GivesUp>();
  start_child<ThreeSteps>();
  child.succeed(1);
  run.succeed(2);
  EXPECT_EQ(command().phase, Phase::kCompensation);
  tell_child();
  EXPECT_EQ(child.status().status, SagaStatus::kRollingBack);
  child.undone(2);
  child.undone(1);
  EXPECT_EQ(child.status().status, SagaStatus::kCancelled);
  answer();
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(Child, CompensationThatComesFirstCancelsItBeforeItsCodeRuns) {
  run.start<GivesUp>();
  const auto action = command();
  run.succeed(2);
  start_child<ThreeSteps>();  // by the compensation
  EXPECT_THAT(child.sent(), ElementsAre("three-steps.succeeded", "saga.cancelled"));
  EXPECT_EQ(child.status().status, SagaStatus::kCancelled);
  EXPECT_EQ(answer(), Judgement::kApplied);
  EXPECT_EQ(child.advance(from_parent(action)), Judgement::kDuplicate);
  EXPECT_THAT(child.sent(), ElementsAre("three-steps.failed"));
  EXPECT_EQ(answer(), Judgement::kEnded);
}

TEST_P(Child, PastItsPivotItIsNotRolledBackAndItsParentIsStuck) {
  run.start<Parent<Paying>>();
  start_child<WithPivot>();
  complete_child();
  answer();
  run.fail(2, "no-money", Retry::never);
  tell_child();
  EXPECT_EQ(child.status().status, SagaStatus::kCompleted);
  answer();
  EXPECT_EQ(run.status().status, SagaStatus::kStuck);
  EXPECT_EQ(run.status().stuck_reason, "compensation-refused");
}

TEST_P(Child, ShieldedChildThatCompletesAllTheSameIsRolledBackThen) {
  run.start<Parent<Guarded>>();
  start_child<Shielded>();
  run.advance(OperatorAction{OperatorVerb::cancel, 0, 0, {}, "ann", "because"});
  tell_child();
  EXPECT_EQ(child.status().status, SagaStatus::kRunning);
  child.succeed(1);
  EXPECT_EQ(child.status().status, SagaStatus::kRollingBack);
  child.undone(1);
  answer();
  EXPECT_EQ(run.status().status, SagaStatus::kCancelled);
}

TEST_P(Child, OfPolicyCancelStaysOnceItCompleted) {
  run.start<Parent<Closing<ParentClose::cancel>>>();
  EXPECT_EQ(command().child->saga_id, "ship-o-1");
  start_child<ThreeSteps>();
  complete_child();
  answer();
  run.fail(2, "no-money", Retry::never);
  tell_child();
  EXPECT_EQ(child.status().status, SagaStatus::kCompleted);
  answer();
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(Child, OfPolicyAbandonIsNeitherAwaitedNorRolledBack) {
  run.start<Leaves>();
  EXPECT_EQ(command().child->root, "");
  start_child<ThreeSteps>();
  run.sent();
  run.succeed(2);
  EXPECT_THAT(run.sent(), ElementsAre("saga.completed"));
  complete_child();
  EXPECT_EQ(answer(), Judgement::kEnded);
  EXPECT_EQ(child.header(child.messages().size() - 1, "ce_sagaroot"), "");
}

TEST_P(Child, StuckChildIsRolledBackOnceAnOperatorLetsItGoOn) {
  run.start<GivesUp>();
  start_child<ThreeSteps>();
  child.succeed(1, 1, "[]");  // unreadable
  ASSERT_EQ(child.status().status, SagaStatus::kStuck);
  run.succeed(2);
  EXPECT_EQ(tell_child().judgement, Judgement::kApplied);
  EXPECT_EQ(child.status().status, SagaStatus::kStuck);
  child.decide(OperatorVerb::skip, 1, R"({"id":"by hand"})");
  EXPECT_EQ(child.status().status, SagaStatus::kRollingBack);
  child.undone(1);
  answer();
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_P(Child, TerminatedChildIsAFailureOfItsParents) {
  run.start<Parent<Shipping>>();
  start_child<ThreeSteps>();
  child.decide(OperatorVerb::terminate, 0);
  answer();
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
  EXPECT_THAT(run.messages().back().value.value(), HasSubstr("terminated"));
}

TEST_P(Child, OfAnIdThatIsTakenIsRefused) {
  run.start<Parent<Shipping>>();
  child.start<ThreeSteps>("o-1/1", {command().data, {}, "by hand"});
  child.sent();
  EXPECT_EQ(tell_child().judgement, Judgement::kRefused);
  EXPECT_THAT(child.sent(), ElementsAre("three-steps.failed"));
  EXPECT_EQ(child.status().status, SagaStatus::kRunning);
  answer();
  EXPECT_THAT(run.messages().back().value.value(), HasSubstr("child-refused"));
}

TEST_P(Child, NextAttemptOfItsParentIsAnsweredInThePlaceOfTheFirst) {
  run.options("three-steps").schedule_to_close = 10s;
  run.start<PivotIsAChild>();
  start_child<ThreeSteps>();
  run.pass(10s);  // a pivot of unknown outcome is tried until it is known
  run.pass(10s);
  EXPECT_EQ(command().attempt, 2);
  EXPECT_EQ(tell_child().judgement, Judgement::kApplied);
  child.fail(1, "no-room", Retry::never);
  EXPECT_EQ(answer(), Judgement::kApplied);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST_P(Child, IdThatCannotBeMadeMakesTheParentStuck) {
  run.start<Parent<Closing<ParentClose::cancel>>>(R"({"id":"o-1","cents":-1})");
  EXPECT_EQ(run.status().stuck_reason, "child-id");
  EXPECT_THAT(run.stored().history.back().events, HasSubstr("no id for debts"));
}

TEST_P(Child, TooDeepAChildMakesItsParentStuck) {
  StartInput deep{R"({"id":"o-1","cents":100})", {}, "parent", {}};
  deep.parent =
      ParentCommand{"test/parent/o-9/1/action/1", "parent", "replies", Phase::kAction, "", 32, false};
  run.start<Parent<Shipping>>("o-1", deep);
  EXPECT_EQ(run.status().stuck_reason, "child-limit");
}

TEST_P(Child, OddFailureCodesReachTheParent) {
  run.start<Parent<Shipping>>();
  start_child<ThreeSteps>();
  child.fail(1, "not a name!", Retry::never);
  EXPECT_EQ(answer(), Judgement::kApplied);
  EXPECT_THAT(run.messages().back().value.value(), HasSubstr("not a name!"));
}

}  // namespace
}  // namespace skald::engine
