// Moving slots between two PostgreSQL clusters (SKALD_TEST_POSTGRES, SKALD_TEST_POSTGRES_SECOND): every saga goes
// whole, no saga is anybody's twice, and whatever stands against a move leaves everything as it was.
#include "postgres/slot_move.hpp"

#include <gmock/gmock.h>

#include "contract/store_contract.hpp"
#include "postgres/migrator.hpp"
#include "test_database.hpp"
#include "wire/murmur2.hpp"

namespace skald::postgres {
namespace {

using contract::must;
using testing::HasSubstr;

class SlotMoves : public testing::Test {
 protected:
  void SetUp() override {
    must(PostgresStore{owning(source_, wire::SlotSet::all())}.claim_slots());
    session_ = must(PostgresStore{source_.options()}.open());
  }

  static StoreOptions owning(const TestDatabase& database, const wire::SlotSet& slots) {
    StoreOptions options = database.options();
    options.slots = slots;
    return options;
  }
  SlotMove move(const std::string& slots = "512-1023") const {
    return {source_.options(),
            target_.options(),
            "first",
            "second",
            *wire::SlotSet::parse(slots),
            {"replies.first", "replies.second"},
            "ann",
            "test",
            false};
  }
  std::string refusal(const SlotMove& move) {
    const auto moved = move_slots(move);
    if (moved) return "";
    EXPECT_EQ(moved.error().kind, ErrorKind::kRefused);
    return moved.error().message;
  }
  void start(Session& session, SagaKey key, const std::string& saga_id, int transitions = 1) {
    SagaWrite write;
    write.key = key;
    write.sequence = 1;
    write.address = {"PlaceOrder", saga_id};
    write.revision = 3;
    write.route = wire::route_of(saga_id);
    write.wake_at = kNever;
    write.input_hash = 0xfedcba9876543210U;
    for (int sequence = 1; sequence <= transitions; ++sequence)
      write.history.push_back(
          {sequence, "event \"" + saga_id + "\"\n\\ \t\u00e4 " + std::to_string(sequence)});
    write.sequence = transitions;
    Batch batch;
    batch.writes.push_back(write);
    must(session.commit(batch));
  }
  /// The n-th id of the upper or the lower slots.
  static std::string id_in(bool upper, int n) {
    for (int index = 0;; ++index) {
      const std::string id = "o-" + std::to_string(index);
      if ((wire::slot_of(id) >= 512) == upper && n-- == 0) return id;
    }
  }
  static std::string count(const TestDatabase& database, const std::string& table) {
    return database.sql("SELECT count(*) FROM " + table);
  }

  TestDatabase source_;
  TestDatabase target_{TestDatabase::Content::kTables, TestDatabase::Server::kSecond};
  std::unique_ptr<Session> session_;
};

TEST_F(SlotMoves, TakeSchedulesAlongAndNoTickIsMissed) {
  Schedule schedule;
  schedule.name = "nightly";
  schedule.definition = "PlaceOrder";
  schedule.input = "{}";
  schedule.timing.cron = "@daily";
  schedule.overlap = Overlap::allow;
  schedule.next_at = Time(std::chrono::seconds(1'800'000'000));
  schedule.who = "ann";
  schedule.why = "test";
  must(session_->put_schedule(schedule));
  must(move_slots(move()));
  auto target = must(PostgresStore{target_.options()}.open());
  ASSERT_EQ(must(target->schedules()).size(), 1u);
  EXPECT_EQ(must(target->schedules()).front().timing, schedule.timing);
  EXPECT_EQ(must(target->schedules()).front().next_at, schedule.next_at);
  EXPECT_EQ(must(session_->schedules()).size(), 1u) << "the source has the other ticks";

  target_.sql("UPDATE schedule SET next_at = next_at + interval '1 day'");
  must(move_slots(move("0-511")));
  EXPECT_EQ(must(target->schedules()).front().next_at, schedule.next_at)
      << "ticks of the slots that came were not the target's when it passed them";
}

TEST_F(SlotMoves, EverySagaGoesWholeAndOnlyThoseOfTheSlots) {
  constexpr int kSagas = 2500;  // more than two pages
  int moving = 0;
  for (int saga = 0; saga < kSagas; ++saga) {
    const std::string id = "o-" + std::to_string(saga);
    moving += wire::slot_of(id) >= 512 ? 1 : 0;
    start(*session_, 1000 + saga, id, 1 + saga % 3);
  }
  source_.sql(
      "UPDATE saga SET status = 2, stuck_reason = 'undeliverable', stuck_step = 'ship-order', "
      "run_from = sequence WHERE saga_key % 5 = 0");
  // All of a row but the number of its definition, which is the database's own.
  const std::string digest =
      "SELECT md5(string_agg(concat_ws('|', to_jsonb(s) - 'definition_id', h.sequence, events), '/' "
      "ORDER BY saga_id, h.sequence)) FROM saga s JOIN history h USING (saga_key) "
      "WHERE ((route >> 16) & 1023) > 511";
  const std::string before = source_.sql(digest);
  const auto moved = must(move_slots(move()));
  EXPECT_EQ(moved.sagas, moving);
  EXPECT_EQ(count(target_, "saga"), std::to_string(moving));
  EXPECT_EQ(count(source_, "saga"), std::to_string(kSagas - moving));
  EXPECT_EQ(target_.sql(digest), before);
  EXPECT_EQ(source_.sql("SELECT count(*) FROM history WHERE saga_key NOT IN (SELECT saga_key FROM saga)"),
            "0");
  EXPECT_EQ(moved.source_slots.text(), "0-511");
  EXPECT_EQ(moved.target_slots.text(), "512-1023");
  EXPECT_EQ(target_.sql("SELECT who || why || slots || direction || other || sagas FROM slot_audit"),
            "anntest512-1023infirst" + std::to_string(moving));
}

TEST_F(SlotMoves, ASagaWhoseKeyIsTakenGetsAnotherOne) {
  auto target = must(PostgresStore{target_.options()}.open());
  constexpr int kSagas = 300;
  std::string last;
  for (int saga = 0; saga < kSagas; ++saga) {
    const SagaKey key = (SagaKey{saga} << 22) + 5;
    last = id_in(true, saga);
    start(*session_, key, last, 2);
    start(*target, key, id_in(false, 2 * saga));
    start(*target, key ^ (SagaKey{1} << 12), id_in(false, 2 * saga + 1));
  }
  const auto moved = must(move_slots(move()));
  EXPECT_EQ(moved.sagas, kSagas);
  EXPECT_EQ(count(target_, "saga"), std::to_string(3 * kSagas));
  auto again = must(PostgresStore{target_.options()}.open());
  const SagaAddress address{"PlaceOrder", last};
  const auto loaded = must(again->load({&address, 1}));
  ASSERT_EQ(loaded.size(), 1U);
  ASSERT_EQ(loaded[0].history.size(), 2U);
  EXPECT_THAT(loaded[0].history[1].events, HasSubstr(last));
}

TEST_F(SlotMoves, AreRefusedWhereTheTargetHoldsSuchSagasAlready) {
  auto target = must(PostgresStore{target_.options()}.open());
  start(*target, 1, id_in(true, 0));
  EXPECT_THAT(refusal(move()), HasSubstr("holds 1 sagas of these slots, which it does not have"));
}

TEST_F(SlotMoves, ParkedInputsAndPositionsGoAlong) {
  const std::string there = id_in(true, 0);
  Batch batch;
  batch.park.push_back(
      {11, {"PlaceOrder", there}, 0, ParkReason::kNoSaga, std::string("\0\xff bytes", 8), {}});
  batch.park.push_back({12, {"PlaceOrder", there}, 0, ParkReason::kNoSaga, "later", {}});
  must(session_->commit(batch));
  const auto at = [](const std::string& topic, int partition, std::int64_t next) {
    return Position{{topic, partition}, next, next - 1, Time{}, 7};
  };
  const std::vector<Position> source{at("orders", 0, 100), at("orders", 1, 40), at("replies.first", 0, 9)};
  must(session_->save_positions("cluster", source));
  auto target = must(PostgresStore{target_.options()}.open());
  const std::vector<Position> had{at("orders", 0, 70), at("orders", 1, 60), at("orders", 2, 8),
                                  at("replies.second", 0, 3)};
  must(target->save_positions("cluster", had));
  EXPECT_EQ(must(move_slots(move())).parked, 2);
  EXPECT_EQ(count(source_, "parked_input"), "0");
  EXPECT_EQ(target_.sql("SELECT encode(input, 'hex') FROM parked_input ORDER BY parked_id LIMIT 1"),
            "00ff206279746573");
  EXPECT_EQ(target_.sql("SELECT string_agg(topic || partition || ':' || next_offset, ' ' ORDER BY topic, "
                        "partition) FROM position"),
            "orders0:70 orders1:40 replies.second0:3");
  EXPECT_EQ(target_.sql("SELECT string_agg(who || partition || ':' || old_offset || '>' || new_offset, ' ' "
                        "ORDER BY partition) FROM position_audit"),
            "ann1:60>40 ann2:8>0");
}

TEST_F(SlotMoves, AFreshTargetReadsOnWhereTheSourceStands) {
  const Position position{
      {"orders", 4}, 1234, 1233, Time{std::chrono::milliseconds{1700000000123}}, 4000000000U};
  must(session_->save_positions("cluster", {&position, 1}));
  must(move_slots(move()));
  auto target = must(PostgresStore{target_.options()}.open());
  const auto positions = must(target->positions("cluster"));
  ASSERT_EQ(positions.size(), 1U);
  EXPECT_EQ(positions[0].next_offset, 1234);
  EXPECT_EQ(positions[0].last_checksum, 4000000000U);
  EXPECT_EQ(positions[0].last_timestamp, position.last_timestamp);
}

TEST_F(SlotMoves, AreRefusedWhileAProcessWorksOnEitherAndNothingChanges) {
  start(*session_, 1, "o-1");
  const auto working = must(session_->register_incarnation("host-a", "build"));
  EXPECT_THAT(refusal(move()), HasSubstr("on host host-a works on the source: end all processes"));
  source_.let_time_pass(std::chrono::hours{1});
  EXPECT_THAT(refusal(move()), HasSubstr("make sure that it has, then add --silent-are-ended"));
  must(session_->retire_incarnation(working));
  auto target = must(PostgresStore{target_.options()}.open());
  must(target->register_incarnation("host-b", "build"));
  EXPECT_THAT(refusal(move()), HasSubstr("on host host-b works on the target"));
  EXPECT_EQ(must(read_slots(source_.options())).slots->text(), "0-1023");
  EXPECT_EQ(count(source_, "saga"), "1");
  target_.let_time_pass(std::chrono::hours{1});
  SlotMove sure = move();
  sure.silent_are_ended = true;
  EXPECT_EQ(refusal(sure), "");
}

TEST_F(SlotMoves, AreRefusedForSlotsThatAreNotThereAndForUnpublishedMessages) {
  must(move_slots(move()));
  EXPECT_THAT(refusal(move("511-512")), HasSubstr("does not have the slots 512; it has 0-511"));
  Batch batch;
  batch.outbox_id = 1;
  batch.messages.push_back({"topic", {}, "k", "v", {}, {}});
  must(session_->commit(batch));
  EXPECT_THAT(refusal(move("0-5")), HasSubstr("messages that Kafka has not taken yet"));
}

TEST_F(SlotMoves, AProcessThatTakesTheSlotsForOthersIsNotRegistered) {
  const auto registered = [](const TestDatabase& database, const char* slots) {
    auto session = must(PostgresStore{owning(database, *wire::SlotSet::parse(slots))}.open());
    const auto incarnation = session->register_incarnation("host", "build");
    if (incarnation) must(session->retire_incarnation(*incarnation));
    return incarnation ? std::string() : incarnation.error().code + " " + incarnation.error().message;
  };
  EXPECT_EQ(registered(source_, "0-1023"), "");
  must(move_slots(move()));
  EXPECT_THAT(registered(source_, "0-1023"), HasSubstr("SKALD-339 this database has the slots 0-511"));
  EXPECT_EQ(registered(source_, "0-511"), "");
  EXPECT_THAT(registered(target_, "0-511"), HasSubstr("SKALD-339"));
  EXPECT_EQ(registered(target_, "512-1023"), "");
}

TEST_F(SlotMoves, OneThatStoppedBetweenItsTransactionsBlocksEverybodyUntilItIsRunAgain) {
  for (int saga = 0; saga < 40; ++saga) start(*session_, 1 + saga, "o-" + std::to_string(saga));
  const std::string all = count(source_, "saga");
  source_.sql("UPDATE slot_ownership SET slots = '0-511', leaving = '512-1023', leaving_to = 'second'");
  auto session = must(PostgresStore{owning(source_, *wire::SlotSet::parse("0-511"))}.open());
  const auto refused = session->register_incarnation("host", "build");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("on their way from this database to database second"));
  EXPECT_THAT(refusal(move("0-5")), HasSubstr("run that move to its end first"));
  must(move_slots(move()));
  EXPECT_EQ(std::to_string(std::stoi(count(source_, "saga")) + std::stoi(count(target_, "saga"))), all);
  // And once more between the second and the third: the target has everything, the source still holds its own.
  source_.sql("UPDATE slot_ownership SET leaving = '512-1023', leaving_to = 'second'");
  must(move_slots(move()));
  EXPECT_EQ(must(read_slots(source_.options())).leaving.text(), "none");
  EXPECT_EQ(std::to_string(std::stoi(count(source_, "saga")) + std::stoi(count(target_, "saga"))), all);
}

TEST_F(SlotMoves, ADatabaseThatHadSagasBeforeThereWereSlotsHasThemAll) {
  const TestDatabase old{TestDatabase::Content::kTables};
  old.sql("DROP TABLE slot_ownership; DROP TABLE slot_audit; DELETE FROM schema_version WHERE version = 2");
  old.sql("INSERT INTO definition (namespace, name) VALUES ('test', 'a'), ('test', 'b'), ('other', 'a')");
  must(Migrator(TestDatabase::uri(), old.schema()).migrate());
  EXPECT_EQ(old.sql("SELECT string_agg(namespace || ' ' || slots, ', ' ORDER BY 1) FROM slot_ownership"),
            "other 0-1023, test 0-1023");
}

}  // namespace
}  // namespace skald::postgres
