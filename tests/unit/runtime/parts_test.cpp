// The small parts by themselves: keys, positions, the guard of a partition's log, the bytes of parked inputs,
// decoding of bad records.
#include "runtime/codes.hpp"
#include "runtime/dead_letter_log.hpp"
#include "runtime/input_codec.hpp"
#include "runtime/key_maker.hpp"
#include "world.hpp"

namespace skald::runtime {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(KeyMaker, KeysGrowEvenIfTheClockStandsStillOrGoesBack) {
  VirtualClock clock;
  KeyMaker keys(clock);
  keys.set_incarnation(1025);
  std::int64_t last = 0;
  for (int index = 0; index < 20'000; ++index) {
    if (index == 10'000) clock.advance(-500ms);
    const std::int64_t key = keys.next();
    ASSERT_GT(key, last);
    EXPECT_EQ(key >> 12 & 1023, 1);
    last = key;
  }
}

Record record_at(std::int64_t offset, std::string value = "v") {
  Record record;
  record.topic = "orders";
  record.offset = offset;
  record.timestamp = Time(std::chrono::milliseconds(1000 + offset));
  record.value = std::move(value);
  return record;
}

TEST(DeadLetterLog, SaysTenOfASecondAndHowManyItLeftOut) {
  CapturingLogger logger;
  DeadLetterLog log(logger);
  for (int number = 0; number < 25; ++number) log.tell(record_at(number), "SKALD-404", "no cents", 5s);
  ASSERT_THAT(logger.warnings, SizeIs(10));
  EXPECT_EQ(logger.warnings[0],
            "A record is a dead letter. record=orders[0]@0 code=SKALD-404 reason=no cents");
  log.tell(record_at(30), "SKALD-404", "no cents", 6s);
  ASSERT_THAT(logger.warnings, SizeIs(11));
  EXPECT_EQ(logger.warnings[10],
            "A record is a dead letter. record=orders[0]@30 code=SKALD-404 reason=no cents left_out=15");
}

TEST(PositionTracker, MovesOnlyWithoutGaps) {
  PositionTracker tracker;
  tracker.assign({"orders", 0});
  std::vector<RecordMark> marks;
  for (const std::int64_t offset : {5, 6, 9}) marks.push_back(tracker.begin(record_at(offset), 7, 1));
  tracker.done(std::vector{marks[2], marks[1]});
  EXPECT_THAT(tracker.take_moved(), IsEmpty());
  tracker.done(std::vector{marks[0]});
  const auto moved = tracker.take_moved();
  ASSERT_THAT(moved, SizeIs(1));
  EXPECT_EQ(moved[0].next_offset, 10);
  EXPECT_EQ(moved[0].last_offset, 9);
  EXPECT_EQ(moved[0].last_checksum, 7u);
  EXPECT_THAT(tracker.take_moved(), IsEmpty());
  tracker.give_back(moved);
  EXPECT_THAT(tracker.take_moved(), SizeIs(1));
}

TEST(PositionTracker, ARecordOfSeveralPartsIsDoneWithTheLast) {
  PositionTracker tracker;
  tracker.assign({"orders", 0});
  const RecordMark mark = tracker.begin(record_at(1), 0, 2);
  tracker.done(std::vector{mark});
  EXPECT_THAT(tracker.take_moved(), IsEmpty());
  tracker.done(std::vector{mark});
  EXPECT_THAT(tracker.take_moved(), SizeIs(1));
}

TEST(PositionTracker, MarksOfARevokedPartitionCountForNothing) {
  PositionTracker tracker;
  tracker.assign({"orders", 0});
  const RecordMark mark = tracker.begin(record_at(1), 0, 1);
  tracker.revoke({"orders", 0});
  tracker.assign({"orders", 0});
  tracker.done(std::vector{mark});
  EXPECT_THAT(tracker.take_moved(), IsEmpty());
  EXPECT_EQ(tracker.pending(), 0u);
}

TEST(PartitionGuard, PlacesByWhatTheLogHolds) {
  const Position position{{"orders", 0}, 10, 9, Time{}, 0};
  EXPECT_EQ(place(std::nullopt, {3, 5}).start, PartitionOffset::kBeginning);
  EXPECT_TRUE(place(position, {0, 20}).verify);
  EXPECT_EQ(place(position, {0, 20}).start, 9);
  EXPECT_EQ(place(position, {10, 20}).start, 10);
  EXPECT_FALSE(place(position, {10, 20}).verify);
  EXPECT_EQ(place(position, {10, 20}).problem, "");
  EXPECT_NE(place(position, {11, 20}).problem, "");
  EXPECT_NE(place(position, {0, 9}).problem, "");
}

TEST(PartitionGuard, KnowsTheLastRecordByTimeAndChecksum) {
  const Record known = record_at(9);
  const Position position{{"orders", 0}, 10, 9, known.timestamp, checksum_of(known)};
  EXPECT_EQ(verify(position, known), FirstRecord::kKnown);
  EXPECT_EQ(verify(position, record_at(9, "other")), FirstRecord::kForeign);
  EXPECT_EQ(verify(position, record_at(12)), FirstRecord::kBeyond);
}

TEST(InputCodec, EveryKindComesBackAsItWent) {
  Record record = record_at(4, std::string("a\0b", 3));
  record.headers = {{"ce_id", "1"}, {"ce_id", std::string("\xff\0", 2)}};
  auto again = decode_input(encode_input(record));
  ASSERT_TRUE(again.ok());
  const auto& read = std::get<Record>(*again);
  EXPECT_EQ(read.value, record.value);
  EXPECT_EQ(read.key, record.key);
  EXPECT_EQ(read.headers, record.headers);
  EXPECT_EQ(read.timestamp, record.timestamp);

  engine::OperatorAction action{engine::OperatorVerb::skip, 7, 2, "{}", "alice", "why"};
  again = decode_input(encode_input(engine::Input(action)));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(std::get<engine::OperatorAction>(std::get<engine::Input>(*again)).why, "why");

  engine::LocalResult result{{3, wire::Phase::kCompensation, 2}, {}};
  result.outcome = {LocalOutcome::Kind::refused, "", {"code", "text", Retry::never, true}};
  again = decode_input(encode_input(engine::Input(result)));
  ASSERT_TRUE(again.ok());
  const auto& local = std::get<engine::LocalResult>(std::get<engine::Input>(*again));
  EXPECT_EQ(local.id, result.id);
  EXPECT_EQ(local.outcome.failure, result.outcome.failure);
}

TEST(InputCodec, DamagedBytesAreRefusedNotRead) {
  const std::string bytes = encode_input(record_at(4));
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(decode_input(bytes.substr(0, length)).ok()) << length;
  for (std::size_t place = 0; place < bytes.size(); ++place) {
    std::string damaged = bytes;
    damaged[place] = static_cast<char>(0xff);
    static_cast<void>(decode_input(damaged));
  }
  EXPECT_FALSE(decode_input(bytes + "x").ok());
}

/// What the decoder says of one record: the code of the dead letter, "" if there is none.
class Decoding : public ::testing::Test {
 protected:
  Decoding() {
    std::vector<TriggerRoute> routes;
    for (const TriggerDefinition& trigger : world.registry.triggers()) routes.push_back({"orders", trigger});
    decoder = std::make_unique<Decoder>(world.registry, "test", "replies", routes);
  }
  std::string code_of(Record record) {
    works = decoder->decode(std::make_shared<const Record>(std::move(record)));
    if (works.size() != 1 || !works.front().is_dead_letter()) return "";
    return std::get<DeadLetterRequest>(works.front().what).code;
  }
  static Record reply(const std::string& saga_id, const std::string& command) {
    wire::Reply reply;
    reply.id = "r";
    reply.step = "reserve";
    reply.source = "/p";
    reply.saga_id = saga_id;
    reply.causation_id = command;
    reply.succeeded = true;
    reply.data = "{}";
    const Message message = wire::to_message(reply, "replies");
    Record record;
    record.topic = "replies";
    record.key = message.key;
    record.value = message.value;
    record.headers = message.headers;
    return record;
  }
  World world;
  std::unique_ptr<Decoder> decoder;
  std::vector<Work> works;
};

TEST_F(Decoding, AReplyFindsItsSaga) {
  EXPECT_EQ(code_of(reply("a/b", "test/three-steps/a/b/2/compensation/3")), "");
  ASSERT_THAT(works, SizeIs(1));
  EXPECT_EQ(works[0].address, (SagaAddress{"three-steps", "a/b"}));
  const auto& input = std::get<engine::ReplyInput>(std::get<engine::Input>(works[0].what));
  EXPECT_EQ(input.id, (engine::AttemptId{2, wire::Phase::kCompensation, 3}));
}

TEST_F(Decoding, AForgedOrForeignReplyIsADeadLetter) {
  EXPECT_EQ(code_of(reply("victim", "test/three-steps/o-1/1/action/1")), code::kForgedReply);
  EXPECT_EQ(code_of(reply("o-1", "other/three-steps/o-1/1/action/1")), code::kNotOurCommand);
  EXPECT_EQ(code_of(reply("o-1", "nonsense")), code::kNotOurCommand);
  Record naked = record_at(1, "{}");
  naked.topic = "replies";
  EXPECT_NE(code_of(naked), "");
}

TEST_F(Decoding, BadTriggersAreDeadLettersWithTheirReason) {
  Record tombstone = record_at(1);
  tombstone.value.reset();
  EXPECT_EQ(code_of(tombstone), code::kTombstone);
  EXPECT_NE(code_of(record_at(1, std::string(200'000, '['))), "");
  EXPECT_NE(code_of(record_at(1, "")), "");
  EXPECT_NE(code_of(record_at(1, "{\"id\":\"\xff\",\"cents\":1}")), "");
  EXPECT_NE(code_of(record_at(1, R"({"id":"o-1","cents":"many"})")), "");
  EXPECT_EQ(code_of(record_at(1, R"({"id":"","cents":1})")), code::kSagaId);
  EXPECT_EQ(code_of(record_at(1, R"({"id":"two words","cents":1})")), code::kSagaId);
  EXPECT_EQ(code_of(record_at(1, R"({"id":")" + std::string(300, 'x') + R"(","cents":1})")), code::kSagaId);
  Record many = record_at(1, R"({"id":"o-1","cents":1})");
  many.headers.assign(10'000, {"h", "v"});
  EXPECT_NE(code_of(many), "");
  Record nowhere = record_at(1);
  nowhere.topic = "elsewhere";
  EXPECT_EQ(code_of(nowhere), code::kNoTopic);
}

TEST_F(Decoding, AFilteredRecordHasNoWorks) {
  EXPECT_EQ(code_of(record_at(1, R"({"id":"o-1","cents":-1})")), "");
  EXPECT_THAT(works, IsEmpty());
}

TEST_F(Decoding, AStructuredCloudEventIsReadByItsData) {
  Record record = record_at(1, R"({"specversion":"1.0","id":"e","type":"order-placed","source":"/shop",)"
                               R"("datacontenttype":"application/json","data":{"id":"o-9","cents":4}})");
  record.headers = {{"content-type", "application/cloudevents+json"}};
  EXPECT_EQ(code_of(record), "");
  ASSERT_THAT(works, SizeIs(1));
  EXPECT_EQ(works[0].address.saga_id, "o-9");
}

}  // namespace
}  // namespace skald::runtime
