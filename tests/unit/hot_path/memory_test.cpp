// What bounds in bytes count by is the truth: estimates held against what the allocator gave. An estimate is at least
// what things occupy, else a bound is none, and at most about twice, else memory goes to waste.
#include <gtest/gtest.h>

#include "../engine/sagas.hpp"
#include "counting.hpp"
#include "ports/footprint.hpp"
#include "runtime/decoder.hpp"
#include "runtime/instance_cache.hpp"
#include "wire/cloud_events.hpp"

namespace skald {
namespace {

using engine::Done;
using engine::Order;
using engine::Reserve;

constexpr std::size_t kSagas = 200;

/// A step's output of the same size as its input, whatever that is; nothing is kept but the last.
struct Long : Saga<Order, Done> {
  static constexpr std::string_view name = "long";
  Task<Done> run(Context& saga, Order order) override {
    Done last{order.id};
    for (int step = 0; step < 100; ++step) last = co_await saga.step<Reserve>(last.id, order.cents);
    co_return last;
  }
};

/// Holds what it is told.
struct Keeps : Saga<Order, Done> {
  static constexpr std::string_view name = "keeps";
  Task<Done> run(Context& saga, Order order) override {
    std::vector<Done> all;
    for (int step = 0; step < 100; ++step) all.push_back(co_await saga.step<Reserve>(order));
    co_return all.back();
  }
};

void expect_true(std::size_t estimate, std::size_t truth) {
  EXPECT_GE(estimate, truth);
  EXPECT_LE(estimate, 2 * truth);
}

class Memory : public ::testing::Test {
 protected:
  Memory() {
    environment_.name_space = "production";
    environment_.reply_topic = "skald.production.replies";
    environment_.lifecycle_topic = "skald.production.lifecycle";
    environment_.build = "build-1";
    environment_.random = &random_;
    for (const auto* step : {&step_definition<engine::Reserve>(), &step_definition<engine::Charge>(),
                             &step_definition<engine::Ship>()})
      environment_.steps[std::string(step->name)] = {std::string(step->topic), step->options};
  }

  /// A saga after so many replies, each of this size, as a lane's cache holds it.
  void put(const SagaDefinition& definition, std::size_t number, int replies, std::size_t payload_bytes) {
    const std::string id = "9f1c6f0e-58a4-4d53-8d7e-" + std::to_string(100'000'000'000 + number);
    runtime::CachedSaga saga;
    saga.address = {std::string(definition.name), id};
    saga.key = static_cast<SagaKey>(number + 1);
    const engine::Moment moment{Time{std::chrono::milliseconds{1'800'000'000'000}}, 1};
    const std::string name = payload_bytes < id.size() ? id : std::string(payload_bytes, 'x');
    auto started =
        engine::Instance::start(environment_, definition, saga.address, saga.key,
                                {R"({"id":")" + name + R"(","cents":4711})", {}, "orders[3]@42"}, moment);
    const char* steps[] = {"reserve", "charge", "ship"};
    for (int ordinal = 1; ordinal <= replies; ++ordinal) {
      engine::ReplyInput reply;
      reply.id = {ordinal, wire::Phase::kAction, 1};
      reply.step = definition.name == "three-steps" ? steps[ordinal - 1] : "reserve";
      reply.succeeded = true;
      reply.data = R"({"id":")" + name + R"("})";
      auto verdict = started.instance->advance(engine::Input(std::move(reply)), moment);
      ASSERT_TRUE(verdict.transition) << verdict.reason;
    }
    saga.instance = std::move(started.instance);
    cache_.put(std::move(saga));
  }

  void expect_true_of(const SagaDefinition& definition, int replies, std::size_t payload_bytes) {
    const std::size_t before = counting::live_bytes();
    for (std::size_t number = 0; number < kSagas; ++number) put(definition, number, replies, payload_bytes);
    expect_true(cache_.bytes(), counting::live_bytes() - before);
  }

  engine::FixedRandom random_;
  engine::Environment environment_;
  runtime::InstanceCache cache_;
};

TEST_F(Memory, OfASagaThatHasJustStartedIsCounted) {
  expect_true_of(make_saga_definition<engine::ThreeSteps>(), 0, 0);
}

TEST_F(Memory, OfASmallSagaIsCounted) { expect_true_of(make_saga_definition<engine::ThreeSteps>(), 2, 0); }

TEST_F(Memory, OfAHundredSmallStepsIsCounted) { expect_true_of(make_saga_definition<Long>(), 99, 0); }

TEST_F(Memory, OfAHundredStepsWithTenKilobytesEachIsCounted) {
  expect_true_of(make_saga_definition<Long>(), 99, 10'000);
}

TEST_F(Memory, OfASagaThatHoldsEveryOutputIsCounted) {
  expect_true_of(make_saga_definition<Keeps>(), 99, 10'000);
}

/// Records, works and messages, as queues hold them.
class MemoryOf : public Memory, public ::testing::WithParamInterface<std::size_t> {
 protected:
  Message reply() const {
    wire::Reply reply;
    reply.id = "reply/production/three-steps/9f1c6f0e-58a4-4d53-8d7e-1f4a6c1f2b77/1/action/1";
    reply.source = "/inventory";
    reply.step = "reserve";
    reply.saga_id = "9f1c6f0e-58a4-4d53-8d7e-1f4a6c1f2b77";
    reply.causation_id = "production/three-steps/9f1c6f0e-58a4-4d53-8d7e-1f4a6c1f2b77/1/action/1";
    reply.succeeded = true;
    reply.data = R"({"id":")" + std::string(GetParam(), 'x') + R"("})";
    return wire::to_message(reply, "skald.production.replies");
  }
};

TEST_P(MemoryOf, MessagesIsCounted) {
  const std::size_t before = counting::live_bytes();
  std::vector<Message> messages;
  messages.reserve(kSagas);
  for (std::size_t number = 0; number < kSagas; ++number) messages.push_back(reply());
  std::size_t estimate = 0;
  for (const Message& message : messages) estimate += memory_bytes(message);
  expect_true(estimate, counting::live_bytes() - before);
}

TEST_P(MemoryOf, WorksIsCounted) {
  Registry registry;
  registry.add_saga<engine::ThreeSteps>();
  const runtime::Decoder decoder(registry, "production", "skald.production.replies", {});
  const Message message = reply();
  const std::size_t before = counting::live_bytes();
  std::deque<runtime::Work> works;
  for (std::size_t number = 0; number < kSagas; ++number) {
    const auto record = std::make_shared<Record>();
    record->topic = message.topic;
    record->key = message.key;
    record->value = message.value;
    record->headers = message.headers;
    for (runtime::Work& work : decoder.decode(record)) works.push_back(std::move(work));
  }
  ASSERT_EQ(works.size(), kSagas);
  std::size_t estimate = 0;
  for (const runtime::Work& work : works) estimate += runtime::measure(work);
  expect_true(estimate, counting::live_bytes() - before);
}

INSTANTIATE_TEST_SUITE_P(Payloads, MemoryOf, ::testing::Values(20, 1'000, 100'000));

}  // namespace
}  // namespace skald
