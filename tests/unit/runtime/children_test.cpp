// What comes from the topic of commands to child sagas: from a parent, and from whoever writes there. Method: the world of
// end_to_end_test.
#include "runtime/codes.hpp"
#include "world.hpp"

namespace skald::runtime {
namespace {

struct Shipping : ChildSaga<ThreeSteps> {
  static constexpr std::string_view name = "shipping";
};
struct Parent : Saga<Order, Done> {
  static constexpr std::string_view name = "parent";
  Task<Done> run(Context& saga, Order order) override { co_return co_await saga.step<Shipping>(order); }
};

class Children : public ::testing::Test {
 protected:
  Children() {
    const std::vector<std::string> topics{"children", "children-dlt"};
    EXPECT_TRUE(world_.bus.create_topics(topics, 4).ok());
    world_.registry.add_saga<Parent>();
    process_ = &world_.add_process([](Runtime::Parts& parts) {
      parts.child_topic = "children";
      parts.environment.steps["shipping"] = {"children", {}};
    });
    producer_ = world_.bus.producer().value();
  }
  void start_parent(const std::string& id) {
    world_.run_until([this] { return process_->runtime->incarnation() != 0; });
    world_.start(*process_, "parent", id);
  }
  static wire::Command command(const std::string& child) {
    wire::Command command;
    command.id = "test/parent/p-1/1/action/1";
    command.step = "shipping";
    command.source = "/skald/test/parent";
    command.saga_id = "p-1";
    command.idempotency_key = "test/parent/p-1/1";
    command.reply_to = "replies";
    command.data = R"({"id":"p-1","cents":5})";
    command.child = wire::ChildTarget{child, "p-1/1", "test/parent/p-1", 1, false};
    return command;
  }
  void send(const Message& message) {
    static_cast<void>(producer_->produce(message, [](Delivery, const std::string&) {}));
  }
  void send(const wire::Command& command) { send(wire::to_message(command, "children")); }
  [[nodiscard]] bool dead_letter(std::string_view code) {
    return world_.run_until([&] { return process_->observer.dead_letters[std::string(code)] == 1; }) &&
           world_.run_until([&] { return world_.bus.records("children-dlt").size() == 1; });
  }

  World world_;
  Process* process_ = nullptr;
  std::unique_ptr<Producer> producer_;
};

TEST_F(Children, AreStartedAndEndForTheirParent) {
  start_parent("p-1");
  ASSERT_TRUE(world_.run_until([&] { return world_.has("p-1", SagaStatus::kCompleted); }));
  EXPECT_TRUE(world_.has("p-1/1", SagaStatus::kCompleted));
}

TEST_F(Children, ARecordThatIsNoCommandIsADeadLetter) {
  world_.produce("children", "p-1/1", "no json");
  EXPECT_TRUE(dead_letter("SKALD-302"));
}

TEST_F(Children, ACommandOfAnotherNamespaceOrToNoChildIsADeadLetter) {
  auto foreign = command("three-steps");
  foreign.id = "elsewhere/parent/p-1/1/action/1";
  send(foreign);
  EXPECT_TRUE(dead_letter(code::kNotOurCommand));
  auto childless = command("three-steps");
  childless.child.reset();
  send(childless);
  EXPECT_TRUE(world_.run_until([&] { return world_.bus.records("children-dlt").size() == 2; }));
  EXPECT_TRUE(world_.store.sagas().empty());
}

TEST_F(Children, ACommandForADefinitionThisBinaryLacksIsKept) {
  send(command("of-a-newer-binary"));
  EXPECT_TRUE(world_.run_until([&] { return world_.store.parked().size() == 1; }));
  EXPECT_EQ(process_->observer.parks[ParkReason::kNoCode], 1);
  world_.run_for(10s);
  EXPECT_EQ(world_.store.parked().size(), 1u);
  EXPECT_TRUE(world_.bus.records("children-dlt").empty());
}

TEST_F(Children, AnInputThatDoesNotFitFailsTheParentsStepInsteadOfHangingIt) {
  auto unfit = command("three-steps");
  unfit.data = R"({"name":"x"})";
  send(unfit);
  ASSERT_TRUE(world_.run_until([&] { return world_.bus.records("replies").size() == 1; }));
  const auto reply = wire::reply_from(world_.bus.records("replies").front());
  ASSERT_TRUE(reply.ok());
  EXPECT_FALSE(reply->succeeded);
  EXPECT_EQ(reply->failure.code, failure_code::kChildRefused);
  EXPECT_EQ(reply->causation_id, unfit.id);
  EXPECT_EQ(process_->observer.ignored["refused_child"], 1);
  EXPECT_TRUE(world_.store.sagas().empty());
}

TEST_F(Children, ACommandThatComesTwiceStartsOneSagaAndAnswersOnce) {
  for (int copy = 0; copy < 3; ++copy) send(command("three-steps"));
  ASSERT_TRUE(world_.run_until([&] { return world_.has("p-1/1", SagaStatus::kCompleted); }));
  world_.run_for(2s);
  EXPECT_EQ(world_.store.sagas().size(), 1u);
  int answers = 0;
  for (const Record& record : world_.bus.records("replies"))
    answers += record.header("ce_causationid") == command("three-steps").id ? 1 : 0;
  EXPECT_EQ(answers, 1);
}

TEST_F(Children, ACompensationThatOvertakesItsActionCancelsTheChildBeforeItRuns) {
  auto undo = command("three-steps");
  undo.id = "test/parent/p-1/1/compensation/1";
  undo.phase = wire::Phase::kCompensation;
  send(undo);
  ASSERT_TRUE(world_.run_until([&] { return world_.has("p-1/1", SagaStatus::kCancelled); }));
  send(command("three-steps"));
  world_.run_for(2s);
  EXPECT_TRUE(world_.has("p-1/1", SagaStatus::kCancelled));
  EXPECT_TRUE(world_.participants->received.empty());
  std::map<std::string, bool> answers;  // by command: did it succeed?
  for (const Record& record : world_.bus.records("replies")) {
    const auto reply = wire::reply_from(record);
    ASSERT_TRUE(reply.ok());
    answers[reply->causation_id] = reply->succeeded;
  }
  const std::map<std::string, bool> expected{{undo.id, true}, {command("three-steps").id, false}};
  EXPECT_EQ(answers, expected);
}

}  // namespace
}  // namespace skald::runtime
