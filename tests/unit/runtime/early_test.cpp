// Signals that come before their saga: they are its first, in their order, however busy its topics are. Method: the world
// of end_to_end_test.
#include "runtime/input_codec.hpp"
#include "world.hpp"

namespace skald::runtime {
namespace {

struct Heard {
  std::vector<std::string> ids;
};
SKALD_FIELDS(Heard, ids)

struct Listens : Saga<Order, Heard> {
  static constexpr std::string_view name = "listens";
  static constexpr std::array signals{signal<Done>("word")};
  Task<Heard> run(Context& saga, Order order) override {
    Heard heard;
    for (std::int64_t count = 0; count < order.cents; ++count)
      heard.ids.push_back((co_await saga.signal<Done>("word")).id);
    co_return heard;
  }
};

class EarlySignals : public ::testing::Test {
 protected:
  EarlySignals() {
    world_.registry.add_saga<Listens>();
    process_ = &world_.add_process();
    world_.run_until([this] { return process_->runtime->incarnation() != 0; });
  }
  static Work signal_for(const std::string& id) {
    Work work;
    work.address = {"listens", "s-1"};
    engine::SignalInput input;
    input.name = "word";
    input.source = "/test";
    input.id = id;
    input.data = R"({"id":")" + id + R"("})";
    work.what = engine::Input(std::move(input));
    return work;
  }
  /// As from a topic: parked, since there is no saga.
  void park(const std::string& id) {
    const auto before = world_.store.parked().size();
    Batch batch;
    batch.incarnation = process_->runtime->incarnation();
    batch.park.push_back({static_cast<std::int64_t>(before) + 1,
                          {"listens", "s-1"},
                          0,
                          ParkReason::kNoSaga,
                          encode_input(std::get<engine::Input>(signal_for(id).what)),
                          {}});
    ASSERT_TRUE(world_.store.open().value()->commit(batch).ok());
  }
  [[nodiscard]] std::string outcome() const {
    for (const Record& record : world_.bus.records("lifecycle")) return record.value.value_or("");
    return {};
  }

  World world_;
  Process* process_ = nullptr;
};

TEST_F(EarlySignals, AreTakenBeforeThoseThatComeWithTheStart) {
  park("1");
  park("2");
  ClaimSpec somebody;
  somebody.lease = 1h;
  somebody.revisions = {{"listens", 1}};
  EXPECT_EQ(world_.store.open().value()->claim_parked(somebody)->size(), 2u);
  world_.start(*process_, "listens", "s-1", 4);
  World::give(*process_, signal_for("3"));
  World::give(*process_, signal_for("4"));
  ASSERT_TRUE(world_.run_until([this] { return world_.has("s-1", SagaStatus::kCompleted); }));
  ASSERT_TRUE(world_.run_until([this] { return !outcome().empty(); }));
  EXPECT_NE(outcome().find(R"(["1","2","3","4"])"), std::string::npos) << outcome();
  EXPECT_TRUE(world_.run_until([this] { return world_.store.parked().empty(); }));
}

TEST_F(EarlySignals, AreTakenOnceThoughTheCommitIsInDoubt) {
  park("1");
  park("2");
  world_.store.fail_next_commits(memory::CommitFault::kUnknownApplied);
  world_.start(*process_, "listens", "s-1", 2);
  ASSERT_TRUE(world_.run_until([this] { return world_.has("s-1", SagaStatus::kCompleted); }));
  ASSERT_TRUE(world_.run_until([this] { return !outcome().empty(); }));
  EXPECT_NE(outcome().find(R"(["1","2"])"), std::string::npos) << outcome();
  EXPECT_TRUE(world_.run_until([this] { return world_.store.parked().empty(); }));
}

TEST_F(EarlySignals, WhoseSagaWaitedOutAPauseAsWellAreNotGivenUp) {
  Batch batch;
  batch.incarnation = process_->runtime->incarnation();
  Record record;  // as from a topic of replies: it waits for its saga
  record.topic = "replies";
  wire::Reply reply = Participants::succeeded({});
  reply.id = "r-1";
  reply.step = "reserve";
  reply.saga_id = "o-1";
  reply.causation_id = "test/three-steps/o-1/1/action/1";
  const Message message = wire::to_message(reply, "replies");
  record.key = message.key;
  record.value = message.value;
  record.headers = message.headers;
  batch.park.push_back({1, {"three-steps", "o-1"}, 0, ParkReason::kPaused, encode_input(record), {}});
  ASSERT_TRUE(world_.store.open().value()->commit(batch).ok());
  const auto session = world_.store.open().value();
  ASSERT_TRUE(*session->pause({PauseKind::definition, "three-steps", "ann", "maintenance", {}}));
  world_.run_for(1h);
  ASSERT_TRUE(*session->resume(PauseKind::definition, "three-steps", "ann", "it is over"));
  world_.run_for(5min);
  for (const Record& letter : world_.bus.records("replies-dlt"))
    for (const auto& header : letter.headers)
      std::printf("%s=%s\n", header.name.c_str(), header.value.c_str());
  ASSERT_EQ(world_.store.parked().size(), 1u);
  EXPECT_TRUE(world_.bus.records("replies-dlt").empty());
  world_.order("o-1");
  ASSERT_TRUE(world_.run_until([this] { return world_.has("o-1", SagaStatus::kCompleted); }));
}

}  // namespace
}  // namespace skald::runtime
