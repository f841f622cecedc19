// How often the hot path asks for memory: counts that do not depend on the machine's mood, so that a change that makes
// a saga dearer fails here and not on somebody's invoice. A limit is what was measured; ten percent more fails. Who makes
// a part cheaper lowers its limit.
#include <gtest/gtest.h>

#include "../engine/sagas.hpp"
#include "counting.hpp"
#include "postgres/batch_parameters.hpp"
#include "runtime/decoder.hpp"
#include "wire/outbox_format.hpp"

namespace skald {
namespace {

constexpr char kSagaId[] = "9f1c6f0e-58a4-4d53-8d7e-1f4a6c1f2b77";
constexpr char kInput[] = R"({"id":"9f1c6f0e-58a4-4d53-8d7e-1f4a6c1f2b77","cents":4711})";
constexpr char kOutput[] = R"({"id":"reservation-9f1c6f0e-58a4-4d53-8d7e-1f4a6c1f2b77"})";
constexpr int kRounds = 100;

/// Allocations a round of `work`, which is run once before they are counted.
template <class Work>
std::size_t allocations_of(Work work) {
  work();
  const std::size_t before = counting::allocations();
  for (int round = 0; round < kRounds; ++round) work();
  return (counting::allocations() - before) / kRounds;
}

void expect_at_most(std::size_t found, std::size_t limit) {
  EXPECT_LE(found, limit + limit / 10)
      << "the hot path asks for memory " << found << " times; " << limit << " were enough";
  EXPECT_GE(found, limit - limit / 4) << "the limit of " << limit << " can be lowered to " << found;
}

engine::Environment environment(Random& random) {
  engine::Environment environment;
  environment.name_space = "production";
  environment.reply_topic = "skald.production.replies";
  environment.lifecycle_topic = "skald.production.lifecycle";
  environment.build = "build-1";
  environment.random = &random;
  for (const auto* step : {&step_definition<engine::Reserve>(), &step_definition<engine::Charge>(),
                           &step_definition<engine::Ship>()})
    environment.steps[std::string(step->name)] = {std::string(step->topic), step->options};
  return environment;
}

/// One saga from its start to its end; what it would send and write.
std::vector<SagaWrite> run_one(const engine::Environment& environment, const SagaDefinition& definition) {
  const SagaAddress address{"three-steps", kSagaId};
  const engine::Moment moment{Time{std::chrono::milliseconds{1'800'000'000'000}}, 1};
  std::vector<SagaWrite> writes;
  const auto keep = [&](engine::Transition& transition) {
    SagaWrite write;
    write.key = 7;
    write.judged_at = transition.row->sequence - 1;
    write.sequence = transition.row->sequence;
    write.status = transition.status;
    write.wake_at = transition.wake_at;
    write.history.push_back(std::move(*transition.row));
    write.messages = std::move(transition.messages);
    write.address = address;
    writes.push_back(std::move(write));
  };
  auto started =
      engine::Instance::start(environment, definition, address, 7, {kInput, {}, "orders[3]@42"}, moment);
  keep(started.transition);
  for (int ordinal = 1; ordinal <= 3; ++ordinal) {
    engine::ReplyInput reply;
    reply.id = {ordinal, wire::Phase::kAction, 1};
    reply.step = ordinal == 1 ? "reserve" : ordinal == 2 ? "charge" : "ship";
    reply.succeeded = true;
    reply.data = kOutput;
    auto verdict = started.instance->advance(engine::Input(std::move(reply)), moment);
    keep(*verdict.transition);
  }
  return writes;
}

class HotPath : public ::testing::Test {
 protected:
  engine::FixedRandom random_;
  const engine::Environment environment_ = environment(random_);
  const SagaDefinition definition_ = make_saga_definition<engine::ThreeSteps>();
};

TEST_F(HotPath, OfTheEngineForASagaOfThreeSteps) {
  expect_at_most(allocations_of([&] { run_one(environment_, definition_); }), 194);
}

TEST_F(HotPath, OfDecodingAReply) {
  Registry registry;
  registry.add_saga<engine::ThreeSteps>();
  const runtime::Decoder decoder(registry, "production", "skald.production.replies", {});
  wire::Reply reply;
  reply.id = "reply/production/three-steps/" + std::string(kSagaId) + "/1/action/1";
  reply.source = "/inventory";
  reply.step = "reserve";
  reply.saga_id = kSagaId;
  reply.causation_id = "production/three-steps/" + std::string(kSagaId) + "/1/action/1";
  reply.succeeded = true;
  reply.data = kOutput;
  const Message message = wire::to_message(reply, "skald.production.replies");
  const auto record = std::make_shared<Record>();
  record->topic = message.topic;
  record->key = message.key;
  record->value = message.value;
  record->headers = message.headers;
  const auto works = decoder.decode(record);
  ASSERT_EQ(works.size(), 1U);
  ASSERT_FALSE(works[0].is_dead_letter());
  expect_at_most(allocations_of([&] { static_cast<void>(decoder.decode(record)); }), 10);
}

TEST_F(HotPath, OfEncodingTheMessagesOfASaga) {
  std::vector<Message> messages;
  for (SagaWrite& write : run_one(environment_, definition_))
    messages.insert(messages.end(), write.messages.begin(), write.messages.end());
  ASSERT_EQ(messages.size(), 4U);
  expect_at_most(allocations_of([&] { static_cast<void>(wire::encode_messages(messages)); }), 8);
}

TEST_F(HotPath, OfTheStatementsOfABatchOfAHundredSagas) {
  Batch batch;
  for (SagaKey key = 1; key <= 100; ++key) {
    SagaWrite write;
    write.key = key;
    write.judged_at = key % 2;  // half of them are starts
    write.sequence = write.judged_at + 1;
    write.address = {"three-steps", kSagaId + std::to_string(key)};
    batch.writes.push_back(std::move(write));
  }
  const std::map<std::string, std::int32_t, std::less<>> definitions{{"three-steps", 1}};
  expect_at_most(allocations_of([&] {
                   static_cast<void>(postgres::update_parameters(batch));
                   static_cast<void>(postgres::insert_parameters(postgres::starts_of(batch), definitions));
                 }),
                 48);
}

}  // namespace
}  // namespace skald
