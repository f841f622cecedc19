// The snippet of docs/children.md, compiled and run.
#include "../snippet.hpp"
#include "script.hpp"

namespace skald::engine {
namespace {

struct Customer {
  std::string id;
};
SKALD_FIELDS(Customer, id)
struct Parcel {
  std::string address;
};
SKALD_FIELDS(Parcel, address)
struct Month {
  Customer customer;
  std::int64_t number = 1;
  std::vector<Parcel> parcels;
};
SKALD_FIELDS(Month, customer, number, parcels)
struct Charge1 {
  Customer customer;
  std::int64_t number = 1;
};
SKALD_FIELDS(Charge1, customer, number)

struct ChargeMonth : CommandStep<Charge1, Nothing> {
  static constexpr std::string_view name = "charge", topic = "payments.commands";
  static Charge1 compensation(const Charge1& input, const std::optional<Nothing>&) { return input; }
};
struct ShipParcel : Saga<Parcel, Nothing> {
  static constexpr std::string_view name = "ship-parcel";
  Task<Nothing> run(Context&, Parcel) override { co_return Nothing{}; }
};
struct AskCustomer : Saga<Customer, Nothing> {
  static constexpr std::string_view name = "ask-customer";
  Task<Nothing> run(Context&, Customer) override { co_return Nothing{}; }
};

// clang-format off
// snippet begins
struct Delivery : skald::ChildSaga<ShipParcel> {};            // rolled back with its parent, the default

struct Survey : skald::ChildSaga<AskCustomer> {               // goes on alone
  static constexpr std::string_view name = "survey";
  static constexpr skald::ParentClose parent_close = skald::ParentClose::abandon;
  static std::string saga_id(const Customer& customer) { return "survey-" + customer.id; }
};

/// A month of a subscription: one parcel for each address, then the next month.
class Subscription : public skald::Saga<Month, skald::Nothing> {
 public:
  static constexpr std::string_view name = "subscription";
  static constexpr std::array signals{skald::signal<Customer>("stop")};
  skald::Task<skald::Nothing> run(skald::Context& saga, Month month) override {
    co_await saga.step<ChargeMonth>(month.customer, month.number);
    const auto delivered = co_await saga.fan_out<Delivery>(month.parcels, 10);
    for (const auto& parcel : delivered)
      if (!parcel) throw skald::SagaFailed("undelivered", parcel.failure().what());
    if (month.number == 1) {
      [[maybe_unused]] const auto survey = saga.start<Survey>(month.customer);
    }

    if (co_await saga.signal<Customer>("stop", std::chrono::days{30})) co_return skald::Nothing{};
    month.number += 1;
    co_await saga.continue_as_new(month);
    co_return skald::Nothing{};                                // never reached
  }
};
// snippet ends
// clang-format on

constexpr const char* kMonth =
    R"({"customer":{"id":"c-1"},"number":1,"parcels":[{"address":"A"},{"address":"B"}]})";

class ChildrenSnippet : public ::testing::Test {
 protected:
  ChildrenSnippet() {
    for (const auto* step :
         {&step_definition<ChargeMonth>(), &step_definition<Delivery>(), &step_definition<Survey>()})
      run.environment().steps[std::string(step->name)] = {"children", step->options};
    run.start<Subscription>(kMonth);
  }
  Script run{Mode::kReplayedEachTime};
};

TEST_F(ChildrenSnippet, GoesOnMonthAfterMonth) {
  using ::testing::ElementsAre;
  run.succeed(1, 1, "{}");
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1", "ship-parcel action 1", "ship-parcel action 1"));
  EXPECT_EQ(*run.messages().back().key, "o-1/3");
  run.succeed(2, 1, "{}");
  run.succeed(3, 1, "{}");
  EXPECT_THAT(run.sent(), ElementsAre("survey action 1"));
  EXPECT_EQ(*run.messages().back().key, "survey-c-1");
  run.pass(std::chrono::days{30});
  run.pass(0ms);
  EXPECT_THAT(run.sent(), ElementsAre("charge action 1")) << "nobody waits for the survey";
  EXPECT_THAT(*run.messages().back().value, ::testing::HasSubstr(R"("number":2)"));
  run.succeed(5, 1, "{}");
  run.succeed(6, 1, "{}");
  run.succeed(7, 1, "{}");
  run.advance(SignalInput{"stop", "/test", "s-1", R"({"id":"c-1"})"});
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

TEST_F(ChildrenSnippet, UndoesAMonthWhoseParcelIsLost) {
  run.succeed(1, 1, "{}");
  run.succeed(2, 1, "{}");
  run.sent();
  run.fail(3, "lost", Retry::never);
  run.undone(2);
  run.undone(1);
  EXPECT_THAT(run.sent(), ::testing::ElementsAre("ship-parcel compensation 1", "charge compensation 1",
                                                 "saga.compensated"));
}

TEST_F(ChildrenSnippet, IsTheOneOnThePage) {
  snippets::expect_same_snippet("children.md", "engine/children_snippet_test.cpp");
}

}  // namespace
}  // namespace skald::engine
