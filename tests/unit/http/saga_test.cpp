// HTTP steps in sagas of the real engine and runtime (in memory, on a virtual clock): attempts, keys, unknown outcomes
// and compensations.
#include "../runtime/world.hpp"

#include "server.hpp"

namespace skald::runtime {
namespace {

using http::Answer, http::Asked, http::Server;
using testing::AllOf, testing::Each, testing::ElementsAre, testing::IsEmpty;

struct Pay : HttpStep<Pay, Order, Done> {
  using HttpStep::HttpStep;
  static constexpr std::string_view name = "pay";
  static constexpr StepOptions options{.retry = {.maximum_attempts = 3}};
  static constexpr HttpRequest action{.path = "/orders/{id}/payment"};
  static constexpr HttpRequest compensation{.method = "DELETE", .path = "/payments/{idempotency-key}"};
};

struct PayAndShip : Saga<Order, Done> {
  static constexpr std::string_view name = "pay-and-ship";
  Task<Done> run(Context& saga, Order order) override {
    auto paid = co_await saga.step<Pay>(order);
    co_return co_await saga.step<Ship>(paid.id, order.cents);
  }
};

/// Runs one saga against a server that gives these answers in turn (the last one again and again).
struct Story {
  explicit Story(std::vector<Answer> answers)
      : server([this, answers = std::move(answers)](const Asked&) {
          return answers[std::min(given++, answers.size() - 1)];
        }) {
    world.registry.add_step<Pay>(client);
    world.registry.add_saga<PayAndShip>();
  }

  SagaStatus until(SagaStatus status) {
    Process& process = world.add_process([](Runtime::Parts& parts) {
      const auto& pay = step_definition<Pay>();
      parts.environment.steps[std::string(pay.name)] = {std::string(pay.topic), pay.options};
    });
    world.run_until([&] { return process.runtime->incarnation() != 0; });
    world.start(process, "pay-and-ship", "s-1");
    EXPECT_TRUE(world.run_until([&] { return world.has("s-1", status); }));
    for (const Asked& asked : server.asked()) {
      calls.push_back(asked.method + " " + asked.target.substr(0, asked.target.find('/', 1)));
      keys.insert(asked.header("Idempotency-Key"));
    }
    return world.row("s-1")->status;
  }

  std::size_t given = 0;
  std::vector<std::string> calls;
  std::set<std::string> keys;
  Server server;
  HttpClient client{{.base_url = server.url()}};
  World world;
};

const Answer kPaid{.body = R"({"id":"s-1"})"};
const Answer kUndone{.status = 204, .body = ""};

TEST(HttpSaga, IsTriedAgainUnderTheSameKeyUntilItIsDone) {
  Story run({{.status = 503}, {.status = 429}, kPaid});
  run.until(SagaStatus::kCompleted);
  EXPECT_THAT(run.calls, ElementsAre("POST /orders", "POST /orders", "POST /orders"));
  EXPECT_EQ(run.keys.size(), 1u);
}

TEST(HttpSaga, WaitsAsLongAsTheServiceAsks) {
  for (const int status : {429, 503}) {
    Story run({{.status = status, .headers = {{"Retry-After", "600"}}}, kPaid});
    const auto before = run.world.clock.monotonic();
    run.until(SagaStatus::kCompleted);
    EXPECT_GE(run.world.clock.monotonic() - before, 10min);
    EXPECT_THAT(run.calls, ElementsAre("POST /orders", "POST /orders"));
  }
}

TEST(HttpSaga, ARefusalNeedsNoUndoing) {
  Story run({{.status = 402}});
  run.until(SagaStatus::kCompensated);
  EXPECT_THAT(run.calls, ElementsAre("POST /orders"));
}

TEST(HttpSaga, AnUnknownOutcomeIsUndoneByItsKey) {
  Story run({{.status = 500}, {.status = 500}, {.status = 500}, {.status = 503}, kUndone});
  run.until(SagaStatus::kCompensated);
  EXPECT_THAT(run.calls, ElementsAre("POST /orders", "POST /orders", "POST /orders", "DELETE /payments",
                                     "DELETE /payments"));
  EXPECT_EQ(run.keys.size(), 1u);
}

TEST(HttpSaga, AnAnswerNobodyCanReadIsUndoneToo) {
  Story run({{.body = "paid!"}, {.body = "paid!"}, {.body = "paid!"}, kUndone});
  run.until(SagaStatus::kCompensated);
  EXPECT_EQ(run.calls.back(), "DELETE /payments");
}

TEST(HttpSaga, WhatTookEffectIsUndoneWhenALaterStepIsRefused) {
  Story run({kPaid, kUndone});
  run.world.participants->scripts["ship"] = [](const Participants::Command& command) {
    return Participants::refused(command, "no-ship");
  };
  run.until(SagaStatus::kCompensated);
  EXPECT_THAT(run.calls, ElementsAre("POST /orders", "DELETE /payments"));
  EXPECT_EQ(run.keys.size(), 1u);
}

TEST(HttpSaga, ACompensationThatIsRefusedMakesItStuck) {
  Story run({kPaid, {.status = 403}});
  run.world.participants->scripts["ship"] = [](const Participants::Command& command) {
    return Participants::refused(command, "no-ship");
  };
  run.until(SagaStatus::kStuck);
}

}  // namespace
}  // namespace skald::runtime
