// Messages survive the round trip; every bad input of FAULTS.md B8 to B12 that reaches an envelope is refused with a
// code and a message that names the place, and never repeats the input.
#include "wire/cloud_events.hpp"

#include <gtest/gtest.h>

namespace skald::wire {
namespace {

using std::chrono::sys_days;

Record as_record(const Message& message) {
  Record record;
  record.topic = message.topic;
  record.key = message.key;
  record.value = message.value;
  record.headers = message.headers;
  return record;
}

Command sample_command() {
  Command command;
  command.id = "shop/place-order/order-1/0/action/1";
  command.step = "reserve-stock";
  command.source = source_of("shop", "place-order");
  command.saga_id = "order-1";
  command.idempotency_key = "shop/place-order/order-1/0";
  command.phase = Phase::kAction;
  command.attempt = 1;
  command.expiry = Time{sys_days{std::chrono::year{2026} / 11 / 21}} + std::chrono::milliseconds{1};
  command.reply_to = "shop.replies";
  command.trace = {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "a=b", "user=7"};
  command.data = R"({"id":"order-1","total":9007199254740993})";
  return command;
}

Reply sample_reply() {
  Reply reply;
  reply.id = "r-1";
  reply.step = "reserve-stock";
  reply.source = "/participant/inventory";
  reply.saga_id = "order-1";
  reply.causation_id = "shop/place-order/order-1/0/action/1";
  reply.succeeded = true;
  reply.data = R"({"id":"res-1"})";
  return reply;
}

void set_header(Record& record, const std::string& name, std::string value) {
  std::erase_if(record.headers, [&](const Header& header) { return header.name == name; });
  record.headers.push_back({name, std::move(value)});
}

void remove_header(Record& record, const std::string& name) {
  std::erase_if(record.headers, [&](const Header& header) { return header.name == name; });
}

TEST(Command, SurvivesTheRoundTrip) {
  const auto command = sample_command();
  const auto message = to_message(command, "inventory.commands");
  EXPECT_EQ(message.topic, "inventory.commands");
  EXPECT_EQ(message.key, "order-1");
  EXPECT_EQ(message.command_id, command.id);
  const auto back = command_from(as_record(message));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, command);
}

TEST(Command, ToAChildSurvivesTheRoundTripUnderTheChildsKey) {
  auto command = sample_command();
  command.child = ChildTarget{"ship-parcel", "order-1/2", "shop/place-order/order-1", 2, true};
  command.checkpoint = R"({"page":3})";
  const auto message = to_message(command, "children");
  EXPECT_EQ(message.key, "order-1/2");
  const auto read = command_from(as_record(message));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(*read, command);
}

TEST(Command, ToAChildOfNoIdOrDepthIsRefused) {
  auto command = sample_command();
  command.child = ChildTarget{"ship-parcel", "order-1/2", "", 1, false};
  for (const auto& [name, value] : {std::pair("ce_sagachildid", "a b"), std::pair("ce_sagadepth", "0"),
                                    std::pair("ce_sagachild", "no name"), std::pair("ce_sagaroot", "a b")}) {
    auto record = as_record(to_message(command, "children"));
    set_header(record, name, value);
    const auto read = command_from(record);
    ASSERT_FALSE(read.ok()) << name;
    EXPECT_NE(read.error().message.find(name), std::string::npos) << read.error().message;
  }
}

TEST(Reply, ThatIsAHeartbeatSurvivesTheRoundTrip) {
  auto reply = sample_reply();
  reply.succeeded = false;
  reply.heartbeat = true;
  reply.data = R"({"page":3})";
  const auto read = reply_from(as_record(to_message(reply, "replies")));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(*read, reply);
}

TEST(Command, WithoutExpiryAndTraceSurvivesTheRoundTrip) {
  auto command = sample_command();
  command.expiry.reset();
  command.trace = {};
  command.phase = Phase::kCompensation;
  const auto back = command_from(as_record(to_message(command, "t")));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, command);
}

TEST(Reply, OfASuccessSurvivesTheRoundTrip) {
  const auto reply = sample_reply();
  const auto message = to_message(reply, "shop.replies");
  EXPECT_EQ(as_record(message).header("ce_type"), "reserve-stock.succeeded");
  const auto back = reply_from(as_record(message));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, reply);
}

TEST(Reply, OfAFailureSurvivesTheRoundTrip) {
  auto reply = sample_reply();
  reply.succeeded = false;
  reply.data.clear();
  reply.failure = {"out-of-stock", "none \"left\"\n", true};
  const auto message = to_message(reply, "shop.replies");
  EXPECT_EQ(message.value, R"({"code":"out-of-stock","message":"none \"left\"\n","retryable":true})");
  const auto back = reply_from(as_record(message));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, reply);
}

TEST(Reply, OfAFailureMaySayWhenToTryAgain) {
  auto reply = sample_reply();
  reply.succeeded = false;
  reply.data.clear();
  reply.failure = {"busy", "until noon", true, std::chrono::milliseconds{90'000}};
  const auto message = to_message(reply, "shop.replies");
  EXPECT_EQ(message.value,
            R"({"code":"busy","message":"until noon","retryable":true,"retry_after_ms":90000})");
  const auto back = reply_from(as_record(message));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, reply);
}

TEST(Reply, FailureMessageIsCutAtACharacter) {
  auto reply = sample_reply();
  reply.succeeded = false;
  reply.failure = {"code", std::string(kMaximumFailureMessageBytes - 1, 'x') + "\xc3\xa9" + "tail", false};
  const auto back = reply_from(as_record(to_message(reply, "t")));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->failure.message, std::string(kMaximumFailureMessageBytes - 1, 'x'));
}

TEST(OutcomeEvent, SurvivesTheRoundTrip) {
  const OutcomeEvent event{"shop/place-order/order-1/end",
                           "saga.completed",
                           "/skald/shop/place-order",
                           "order-1",
                           Time{std::chrono::milliseconds{1234567890123}},
                           R"({"payment":"p"})",
                           {}};
  const auto back = outcome_from(as_record(to_message(event, "shop.lifecycle")));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, event);
}

TEST(Headers, OfOneNameTheLastCounts) {
  auto record = as_record(to_message(sample_command(), "t"));
  record.headers.insert(record.headers.begin(), {"ce_correlationid", "somebody-else"});
  record.headers.insert(record.headers.begin(), {"ce_id", std::string("\0\xff", 2)});
  const auto back = command_from(record);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->saga_id, "order-1");
}

TEST(Headers, TooManyAreRefused) {
  auto record = as_record(to_message(sample_command(), "t"));
  for (int extra = 0; extra < 10'000; ++extra) record.headers.push_back({"x", "y"});
  const auto back = command_from(record);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(back.error().code, "SKALD-301");
}

TEST(Headers, UpToTheLimitAreTaken) {
  auto record = as_record(to_message(sample_command(), "t"));
  while (record.headers.size() < kMaximumHeaders)
    record.headers.push_back({"x", std::string(kMaximumHeaderBytes, 'y')});
  EXPECT_TRUE(command_from(record).ok());
  record.headers.push_back({"x", "y"});
  EXPECT_FALSE(command_from(record).ok());
}

TEST(Headers, OfAMegabyteAreRefused) {
  auto record = as_record(to_message(sample_command(), "t"));
  record.headers.push_back({"x", std::string(1 << 20, 'y')});
  ASSERT_FALSE(command_from(record).ok());
  EXPECT_EQ(command_from(record).error().code, "SKALD-301");
}

TEST(Headers, OfTraceThatCannotBePrintedAreDropped) {
  auto record = as_record(to_message(sample_command(), "t"));
  set_header(record, "traceparent", "00-\xff\n");
  const auto back = command_from(record);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->trace.traceparent, "");
  EXPECT_EQ(back->trace.tracestate, "a=b");
}

class MissingHeader : public testing::TestWithParam<const char*> {};
TEST_P(MissingHeader, RefusesACommandAndIsNamed) {
  auto record = as_record(to_message(sample_command(), "t"));
  remove_header(record, GetParam());
  const auto back = command_from(record);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code, "SKALD-302");
  EXPECT_NE(back.error().message.find(GetParam()), std::string::npos) << back.error().message;
}
INSTANTIATE_TEST_SUITE_P(Command, MissingHeader,
                         testing::Values("ce_specversion", "ce_id", "ce_type", "ce_source",
                                         "ce_idempotencykey", "ce_sagaphase", "ce_sagaattempt",
                                         "ce_sagareplyto"));

struct BadHeader {
  const char* name;
  std::string value;
};
class WrongHeader : public testing::TestWithParam<BadHeader> {};
TEST_P(WrongHeader, RefusesACommandWithoutRepeatingIt) {
  auto record = as_record(to_message(sample_command(), "t"));
  set_header(record, GetParam().name, GetParam().value);
  const auto back = command_from(record);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().code, "SKALD-302");
  EXPECT_NE(back.error().message.find(GetParam().name), std::string::npos) << back.error().message;
  if (GetParam().value.size() > 3) {
    EXPECT_EQ(back.error().message.find(GetParam().value), std::string::npos);
  }
}
INSTANTIATE_TEST_SUITE_P(
    Command, WrongHeader,
    testing::Values(
        BadHeader{"ce_specversion", "2.0"}, BadHeader{"ce_specversion", ""}, BadHeader{"ce_id", ""},
        BadHeader{"ce_id", "two words"}, BadHeader{"ce_id", std::string(513, 'x')},
        BadHeader{"ce_type", "reserve stock"}, BadHeader{"ce_type", std::string(64, 'x')},
        BadHeader{"ce_type", "a'; drop table saga;--"}, BadHeader{"ce_correlationid", ""},
        BadHeader{"ce_correlationid", std::string(300, 'x')}, BadHeader{"ce_correlationid", "line\nbreak"},
        BadHeader{"ce_correlationid",
                  "\xe2\x80\xae"
                  "abc"},
        BadHeader{"ce_correlationid", "cafe\xcc\x81"}, BadHeader{"ce_sagaphase", "undo"},
        BadHeader{"ce_sagaattempt", "0"}, BadHeader{"ce_sagaattempt", "-1"},
        BadHeader{"ce_sagaattempt", "1x"}, BadHeader{"ce_sagaattempt", "99999999999999999999"},
        BadHeader{"ce_sagareplyto", "../etc"}, BadHeader{"ce_sagareplyto", std::string(250, 't')},
        BadHeader{"ce_expirytime", "tomorrow"}, BadHeader{"ce_idempotencykey", std::string("a\0b", 3)}));

TEST(Command, FallsBackToTheSubjectForTheSagaId) {
  auto record = as_record(to_message(sample_command(), "t"));
  remove_header(record, "ce_correlationid");
  ASSERT_TRUE(command_from(record).ok());
  EXPECT_EQ(command_from(record)->saga_id, "order-1");
}

class BadPayload : public testing::TestWithParam<std::string> {};
TEST_P(BadPayload, IsRefusedInCommandsAndReplies) {
  auto command = as_record(to_message(sample_command(), "t"));
  auto reply = as_record(to_message(sample_reply(), "t"));
  command.value = reply.value = GetParam();
  ASSERT_FALSE(command_from(command).ok());
  EXPECT_EQ(command_from(command).error().code, "SKALD-303");
  ASSERT_FALSE(reply_from(reply).ok());
  EXPECT_EQ(reply_from(reply).error().code, "SKALD-303");
}
INSTANTIATE_TEST_SUITE_P(Payload, BadPayload,
                         testing::Values("", " ", "null", "7", "\"text\"", "{", "{} x",
                                         std::string(200'000, '['), "{\"a\":\"\\u0000\"}", "{\"a\":\"\xff\"}",
                                         "{\"a\":1,\"a\":2}", "\xef\xbb\xbf{}", "{\"a\":1e400}"));

TEST(Payload, OfNullIsRefused) {
  auto record = as_record(to_message(sample_command(), "t"));
  record.value.reset();
  ASSERT_FALSE(command_from(record).ok());
  EXPECT_EQ(command_from(record).error().code, "SKALD-303");
}

TEST(Payload, BeyondAMebibyteIsRefusedByItsSizeAlone) {
  auto record = as_record(to_message(sample_command(), "t"));
  record.value = "{\"a\":\"" + std::string(kMaximumValueBytes - 8, 'x') + "\"}";
  ASSERT_EQ(record.value->size(), kMaximumValueBytes);
  EXPECT_TRUE(command_from(record).ok());
  record.value->insert(6, "x");
  EXPECT_EQ(command_from(record).error().code, "SKALD-301");
}

TEST(Payload, ThatLooksLikeAnEnvelopeStaysAPayload) {
  auto record = as_record(to_message(sample_command(), "t"));
  record.value = R"({"specversion":"1.0","id":"other","type":"refund","correlationid":"order-2","data":{}})";
  const auto back = command_from(record);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->saga_id, "order-1");
  EXPECT_EQ(back->data, *record.value);
}

class BadFailure : public testing::TestWithParam<const char*> {};
TEST_P(BadFailure, IsRefused) {
  auto record = as_record(to_message(sample_reply(), "t"));
  set_header(record, "ce_type", "reserve-stock.failed");
  record.value = GetParam();
  ASSERT_FALSE(reply_from(record).ok());
  EXPECT_EQ(reply_from(record).error().code, "SKALD-303");
}
INSTANTIATE_TEST_SUITE_P(Reply, BadFailure,
                         testing::Values("{}", R"({"code":"x"})", R"({"code":7,"retryable":true})",
                                         R"({"code":"two words","retryable":true})",
                                         R"({"code":"x","message":[],"retryable":true})",
                                         R"({"code":"x","message":"y","retryable":"yes"})",
                                         R"({"code":"x","retryable":true,"retry_after_ms":-1})",
                                         R"({"code":"x","retryable":true,"retry_after_ms":1.5})",
                                         R"({"code":"x","retryable":true,"retry_after_ms":99999999999999})",
                                         "[]"));

TEST(Reply, OfAnotherTypeIsRefused) {
  for (const char* type :
       {"reserve-stock", "reserve-stock.done", ".succeeded", "", "reserve-stock.Succeeded"}) {
    auto record = as_record(to_message(sample_reply(), "t"));
    set_header(record, "ce_type", type);
    EXPECT_FALSE(reply_from(record).ok()) << type;
  }
}

Record structured(std::string value) {
  Record record;
  record.topic = "t";
  record.headers = {{"content-type", "application/cloudevents+json; charset=UTF-8"}, {"ce_id", "ignored"}};
  record.value = std::move(value);
  return record;
}

TEST(StructuredMode, IsReadLikeBinaryMode) {
  const auto reply = reply_from(structured(
      R"({"specversion":"1.0","id":"r-1","type":"pay.succeeded","source":"/p","correlationid":"o-1",)"
      R"("causationid":"c/1","datacontenttype":"application/json","data":{"id":"p-1","cents":9007199254740993}})"));
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  EXPECT_EQ(reply->id, "r-1");
  EXPECT_EQ(reply->step, "pay");
  EXPECT_EQ(reply->saga_id, "o-1");
  EXPECT_EQ(reply->data, R"({"id":"p-1","cents":9007199254740993})");
}

TEST(StructuredMode, TakesNumbersAsAttributes) {
  const auto command = command_from(structured(
      R"({"specversion":"1.0","id":"c-1","type":"pay","source":"/s","subject":"o-1","idempotencykey":"k",)"
      R"("sagaphase":"action","sagaattempt":2,"sagareplyto":"replies","data":{}})"));
  ASSERT_TRUE(command.ok()) << command.error().message;
  EXPECT_EQ(command->attempt, 2);
}

TEST(StructuredMode, ThatCannotBeReadIsRefused) {
  for (const char* bad : {"", "[]", "{", R"({"id":{}})", R"({"Bad-Name":"x"})", R"({"data_base64":"e30="})",
                          R"({"id":"a","id":"b"})"}) {
    const auto reply = reply_from(structured(bad));
    ASSERT_FALSE(reply.ok()) << bad;
    EXPECT_EQ(reply.error().code, "SKALD-304") << bad;
  }
  EXPECT_EQ(reply_from(structured(R"({"specversion":"1.0"})")).error().code, "SKALD-302");
  EXPECT_FALSE(reply_from(structured(std::string(200'000, '['))).ok());
}

TEST(Rfc3339, IsWrittenInUtcWithMilliseconds) {
  EXPECT_EQ(format_time(Time{}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_time(Time{std::chrono::milliseconds{1795266300250}}), "2026-11-21T13:05:00.250Z");
  EXPECT_EQ(format_time(Time::max()), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(format_time(Time::min()), "0001-01-01T00:00:00.000Z");
}

TEST(Rfc3339, IsReadWithOffsetsFractionsAndLeapSeconds) {
  const auto moment = Time{std::chrono::milliseconds{1795266300250}};
  for (const char* text : {"2026-11-21T13:05:00.250Z", "2026-11-21t13:05:00.25z",
                           "2026-11-21T14:05:00.2509999999+01:00", "2026-11-21T07:35:00.250-05:30"})
    EXPECT_EQ(parse_time(text), moment) << text;
  EXPECT_EQ(format_time(*parse_time("2016-12-31T23:59:60Z")), "2016-12-31T23:59:59.999Z");
  EXPECT_EQ(format_time(*parse_time("2024-02-29T00:00:00Z")), "2024-02-29T00:00:00.000Z");
}

TEST(Rfc3339, OutOfRangeIsClamped) {
  EXPECT_EQ(parse_time("0000-01-01T00:00:00Z"), Time{});
  EXPECT_EQ(parse_time("1969-12-31T23:59:59Z"), Time{});
  EXPECT_EQ(format_time(*parse_time("9999-12-31T23:59:59-23:59")), "9999-12-31T23:59:59.999Z");
}

TEST(Rfc3339, ThatIsNoDateTimeIsRefused) {
  for (const char* bad :
       {"", "2026", "2026-11-21", "2026-11-21T13:05:00", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "2026-11-21T24:00:00Z", "2026-11-21T23:60:00Z", "2026-11-21T23:00:61Z", "-001-11-21T00:00:00Z",
        "10000-01-01T00:00:00Z", "2026-11-21 13:05:00Z", "2026-11-21T13:05:00.Z", "2026-11-21T13:05:00+24:00",
        "2026-11-21T13:05:00Zx", "99999999999999999999", "1e9"})
    EXPECT_EQ(parse_time(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace skald::wire
