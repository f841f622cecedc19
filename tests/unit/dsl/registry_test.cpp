// Wiring mistakes are told all at once, by name; triggers turn records into starts or say why not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skald/skald.hpp"

namespace skald {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Order {
  std::string id;
  std::int64_t cents = 0;
};
SKALD_FIELDS(Order, id, cents)

class Charge : public LocalStep<Order, Nothing> {
 public:
  static constexpr std::string_view name = "charge";
  Nothing execute(const Order& order, StepContext&) override {
    if (order.cents < 0) throw StepFailed{"negative", "below zero", Retry::never};
    if (order.cents == 0) throw std::runtime_error("who knows");
    return {};
  }
  void compensate(const Order&, const std::optional<Nothing>&, StepContext&) override {}
};

struct PlaceOrder : Saga<Order, Nothing> {
  static constexpr std::string_view name = "place-order";
  Task<Nothing> run(Context& saga, Order order) override { co_return co_await saga.step<Charge>(order); }
};

std::optional<Start<Order>> on_order(const Order& event) {
  if (event.cents == 13) throw std::runtime_error("unlucky");
  if (event.cents == 0) return std::nullopt;
  return Start<Order>{.saga_id = event.id, .input = event};
}

TEST(Registry, NamesEveryWiringMistakeAtOnce) {
  Registry registry;
  registry.add_saga<PlaceOrder>()
      .trigger("orders", [](const Order& event, const Record&) { return on_order(event); })
      .trigger("orders", [](const Order& event, const Record&) { return on_order(event); });
  registry.add_saga<PlaceOrder>();
  EXPECT_THAT(
      registry.problems({&step_definition<Charge>()}),
      ElementsAre(HasSubstr("two triggers are named orders"), HasSubstr("two sagas are named place-order"),
                  HasSubstr("local step charge is used by a saga but not added")));
}

TEST(Registry, WithoutASagaIsAMistake) {
  Registry registry;
  EXPECT_THAT(registry.problems({}), ElementsAre(HasSubstr("no saga is registered")));
}

TEST(Registry, KnowsTheStepsThatSagaCodeMentions) {
  EXPECT_THAT(mentioned_steps(), ::testing::Contains(&step_definition<Charge>()));
  Registry registry;
  registry.add_saga<PlaceOrder>();
  registry.add_step<Charge>();
  EXPECT_THAT(registry.problems({&step_definition<Charge>()}), IsEmpty());
}

class Trigger : public ::testing::Test {
 protected:
  Trigger() {
    registry_.add_saga<PlaceOrder>().trigger(
        "orders", [](const Order& event, const Record&) { return on_order(event); });
  }
  Result<std::optional<TriggeredStart>> start(std::optional<std::string> value) {
    Record record;
    record.value = std::move(value);
    return registry_.triggers().at(0).start(record);
  }
  Registry registry_;
};

TEST_F(Trigger, MakesAStartWithCanonicalInput) {
  const auto made = start(R"({"cents": 5, "id": "o-1", "unknown": []})").value();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->saga_id, "o-1");
  EXPECT_EQ(made->input, R"({"id":"o-1","cents":5})");
}

TEST_F(Trigger, FiltersWhatIsNoneOfItsBusiness) { EXPECT_FALSE(start(R"({"id":"o","cents":0})").value()); }

TEST_F(Trigger, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(start(std::nullopt).error().message, HasSubstr("tombstone"));
  EXPECT_THAT(start(R"({"id":"o"})").error().message, HasSubstr("/cents"));
  EXPECT_THAT(start(R"({"id":"o","cents":13})").error().message, HasSubstr("unlucky"));
  EXPECT_EQ(start("[[[").error().code, "SKALD-101");
}

TEST(LocalStep, WhatItThrowsSaysWhetherItsOutcomeIsCertain) {
  Registry registry;
  registry.add_step<Charge>();
  LocalExecutor* charge = registry.executor("charge");
  ASSERT_NE(charge, nullptr);
  StepContext context({.saga_id = "o", .idempotency_key = "k"});
  EXPECT_EQ(charge->execute(R"({"id":"o","cents":1})", context).kind, LocalOutcome::Kind::succeeded);
  const LocalOutcome refused = charge->execute(R"({"id":"o","cents":-1})", context);
  EXPECT_EQ(refused.kind, LocalOutcome::Kind::refused);
  EXPECT_EQ(refused.failure.code, "negative");
  EXPECT_EQ(refused.failure.retry, Retry::never);
  const LocalOutcome unknown = charge->execute(R"({"id":"o","cents":0})", context);
  EXPECT_EQ(unknown.kind, LocalOutcome::Kind::unknown);
  EXPECT_TRUE(unknown.failure.unknown);
}

}  // namespace
}  // namespace skald
