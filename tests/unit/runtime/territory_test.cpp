// Several databases divide the sagas: each record means something to exactly one of their runtimes, whoever reads it.
#include <gmock/gmock.h>

#include "runtime/decoder.hpp"
#include "wire/cloud_events.hpp"
#include "world.hpp"

namespace skald::runtime {
namespace {

/// Two decoders that divide the slots, as the runtimes of two databases have them.
class TwoDatabases : public testing::Test {
 protected:
  TwoDatabases() {
    std::vector<TriggerRoute> routes;
    for (const TriggerDefinition& trigger : world_.registry.triggers()) routes.push_back({"orders", trigger});
    // As a trigger by configuration: the id is the key, the input the value, whatever it is.
    routes.push_back(
        {"raw", {"raw", "three-steps", [](const Record& record) -> Result<std::optional<TriggeredStart>> {
                   return std::optional(TriggeredStart{*record.key, *record.value});
                 }}});
    const auto low = *wire::SlotSet::parse("0-511");
    const auto high = *wire::SlotSet::parse("512-1023");
    first_ =
        std::make_unique<Decoder>(world_.registry, "test", "replies.first", routes,
                                  std::vector<SignalRoute>{}, Territory{low, {{high, "replies.second"}}});
    second_ =
        std::make_unique<Decoder>(world_.registry, "test", "replies.second", routes,
                                  std::vector<SignalRoute>{}, Territory{high, {{low, "replies.first"}}});
  }

  static std::string id_in(bool second) {
    for (int index = 0;; ++index)
      if (const std::string id = "o-" + std::to_string(index); (wire::slot_of(id) >= 512) == second)
        return id;
  }
  static std::string order(const std::string& id) { return R"({"id":")" + id + R"(","cents":5})"; }
  static std::shared_ptr<const Record> record(std::string topic, std::string value,
                                              std::int32_t partition = 0, std::string key = "k") {
    Record record;
    record.topic = std::move(topic);
    record.partition = partition;
    record.key = std::move(key);
    record.value = std::move(value);
    return std::make_shared<const Record>(std::move(record));
  }
  static std::shared_ptr<const Record> reply(const std::string& topic, const std::string& saga_id) {
    wire::Reply reply;
    reply.id = "r";
    reply.step = "reserve";
    reply.source = "/p";
    reply.saga_id = saga_id;
    reply.causation_id = "test/three-steps/" + saga_id + "/1/action/1";
    reply.succeeded = true;
    reply.data = "{}";
    const Message message = wire::to_message(reply, topic);
    Record record;
    record.topic = topic;
    record.key = message.key;
    record.value = message.value;
    record.headers = message.headers;
    return std::make_shared<const Record>(std::move(record));
  }
  std::size_t works_of_both(const std::shared_ptr<const Record>& record) {
    return first_->decode(record).size() + second_->decode(record).size();
  }

  World world_;
  std::unique_ptr<Decoder> first_, second_;
};

TEST_F(TwoDatabases, ATriggerStartsItsSagaInTheOneThatHasItsSlot) {
  for (int index = 0; index < 50; ++index) {
    const std::string id = "o-" + std::to_string(index);
    const auto trigger = record("orders", TwoDatabases::order(id));
    const auto in_first = first_->decode(trigger);
    const auto in_second = second_->decode(trigger);
    ASSERT_EQ(in_first.size() + in_second.size(), 1U) << id;
    const Work& work = in_first.empty() ? in_second.front() : in_first.front();
    ASSERT_TRUE(work.is_start());
    EXPECT_EQ(work.address.saga_id, id);
    EXPECT_EQ(in_first.empty(), wire::slot_of(id) >= 512);
  }
}

TEST_F(TwoDatabases, WhatNobodyUnderstandsIsADeadLetterOnce) {
  for (std::int32_t partition = 0; partition < 16; ++partition) {
    const auto garbage = record("orders", "no json", partition);
    EXPECT_EQ(works_of_both(garbage), 1U) << partition;
  }
}

TEST_F(TwoDatabases, AnInputThatDoesNotFitIsADeadLetterOfTheOneThatHasTheSaga) {
  for (const bool second : {false, true}) {
    const auto bad = record("raw", R"({"id":5})", 0, id_in(second));
    const auto works = (second ? second_ : first_)->decode(bad);
    EXPECT_EQ(works_of_both(bad), 1U);
    ASSERT_EQ(works.size(), 1U);
    EXPECT_TRUE(works.front().is_dead_letter());
  }
}

TEST_F(TwoDatabases, AReplyToASagaThatHasMovedIsSentOn) {
  const auto late = reply("replies.first", id_in(true));
  const auto works = first_->decode(late);
  ASSERT_EQ(works.size(), 1U);
  ASSERT_TRUE(std::holds_alternative<ForwardRequest>(works.front().what));
  EXPECT_TRUE(works.front().passes_through());
  EXPECT_EQ(std::get<ForwardRequest>(works.front().what).topic, "replies.second");
  EXPECT_EQ(works.front().record, late);
  const auto own = first_->decode(reply("replies.first", id_in(false)));
  ASSERT_EQ(own.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<engine::Input>(own.front().what));
}

TEST_F(TwoDatabases, AReplyParkedBeforeItsSagaMovedIsReadAsOne) {
  const auto works = second_->decode(reply("replies.first", id_in(true)));
  ASSERT_EQ(works.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<engine::Input>(works.front().what));
}

TEST_F(TwoDatabases, AStartOverTheApiIsRefusedWhereTheSagaIsNot) {
  const auto start = first_->start("three-steps", id_in(true), order("x"), {}, "api");
  ASSERT_FALSE(start);
  EXPECT_EQ(start.error().code, "SKALD-416");
}

}  // namespace
}  // namespace skald::runtime
