// Schedules in a running process: each tick starts its saga once whatever dies in between, and catch-up, overlap and
// pauses do what they say. Method: the world of end_to_end_test; its clock starts at 2026-11-21T00:00:01Z.
#include "schedules/ticks.hpp"
#include "world.hpp"

namespace skald::runtime {
namespace {

class Scheduled : public ::testing::Test {
 protected:
  Scheduled() {
    world_.add_process();
    world_.run_until([this] { return world_.processes[0]->runtime->incarnation() != 0; });
  }
  /// Every minute, a saga that sleeps for so many seconds.
  Schedule naps(std::int64_t seconds, Overlap overlap) const {
    Schedule schedule;
    schedule.name = "naps";
    schedule.definition = "sleeps";
    schedule.input = R"({"id":"nap","cents":)" + std::to_string(seconds) + "}";
    schedule.timing = {"", "UTC", 1min};
    schedule.overlap = overlap;
    schedule.who = "ann";
    schedule.why = "a nap a minute";
    return schedule;
  }
  void put(const Schedule& schedule) {
    const auto checked = schedules::checked(schedule, world_.clock.wall(), 1);
    ASSERT_TRUE(checked) << checked.error().message;
    ASSERT_TRUE(session_->put_schedule(*checked));
  }
  void change(ScheduleChange::Kind kind, const std::string& name, Time next_at = {}) {
    EXPECT_TRUE(*session_->change_schedule({kind, name, next_at, "ann", "a test"}));
  }
  static std::string id(int minute) {
    return "naps/2026-11-21T00:" + std::string(minute < 10 ? "0" : "") + std::to_string(minute) + ":00Z";
  }
  [[nodiscard]] std::vector<std::string> started() const {
    std::vector<std::string> ids;
    for (const StoredSaga& saga : world_.store.sagas()) ids.push_back(saga.row.address.saga_id);
    std::sort(ids.begin(), ids.end());
    return ids;
  }
  /// Until the world's clock shows this minute and second.
  void run_to(int minute, int second = 0) {
    const auto until = std::chrono::minutes(minute) + std::chrono::seconds(second);
    world_.run_for(std::chrono::duration_cast<std::chrono::milliseconds>(until - world_.clock.monotonic()));
  }
  [[nodiscard]] Schedule kept() const { return session_->schedules().value().front(); }
  CountingObserver& observer(std::size_t process = 0) { return world_.processes[process]->observer; }

  bool killed_ = false;
  bool paused_ = false;
  World world_;
  std::unique_ptr<Session> session_ = world_.store.open().value();
};

TEST_F(Scheduled, EachTickStartsItsSaga) {
  put(naps(1, Overlap::allow));
  run_to(3, 30);
  EXPECT_THAT(started(), testing::ElementsAre(id(1), id(2), id(3)));
  EXPECT_TRUE(world_.has(id(3), SagaStatus::kCompleted));
  EXPECT_EQ(observer().schedule_starts["naps"], 3);
  EXPECT_EQ(kept().last_saga_id, id(3));
  EXPECT_EQ(kept().next_at, Time(std::chrono::sys_days(std::chrono::year{2026} / 11 / 21)) + 4min);
  const std::string first = world_.store.sagas().front().history.front().events;
  EXPECT_NE(first.find("schedule naps"), std::string::npos) << first;
}

TEST_F(Scheduled, OfTwoProcessesOneStartsATick) {
  world_.add_process();
  put(naps(1, Overlap::allow));
  run_to(20, 30);
  EXPECT_THAT(started(), testing::SizeIs(20));
  EXPECT_EQ(observer(0).schedule_starts["naps"] + observer(1).schedule_starts["naps"], 20);
}

TEST_F(Scheduled, ATickWhoseProcessDiedBeforeItMovedOnIsStartedOnce) {
  put(naps(1, Overlap::skip));
  // Starts are durable, and the database is gone before the schedule moves on.
  world_.store.set_commit_hook([this](const Batch& batch) {
    for (const SagaWrite& write : batch.writes)
      if (write.address.saga_id == id(1)) killed_ = true;
    return killed_ ? memory::CommitFault::kUnknownApplied : memory::CommitFault::kNone;
  });
  ASSERT_TRUE(world_.run_until([this] { return killed_; }));
  world_.store.set_commit_hook({});
  world_.kill(0);
  EXPECT_THAT(started(), testing::ElementsAre(id(1)));
  EXPECT_EQ(kept().last_saga_id, "") << "it had not moved on";
  world_.add_process();
  ASSERT_TRUE(world_.run_until([this] { return kept().last_saga_id == id(1); }));
  EXPECT_THAT(started(), testing::ElementsAre(id(1)));
  run_to(3, 30);
  EXPECT_THAT(started(), testing::ElementsAre(id(1), id(2), id(3)));
}

TEST_F(Scheduled, TicksThatNobodySawAreCaughtUpWithinTheWindow) {
  Schedule schedule = naps(1, Overlap::allow);
  schedule.catch_up = 5min;
  put(schedule);
  world_.kill(0);
  world_.clock.advance(30min);
  world_.add_process();
  run_to(31, 30);
  EXPECT_THAT(started(), testing::ElementsAre(id(26), id(27), id(28), id(29), id(30), id(31)));
  EXPECT_EQ(observer().schedule_skips["late"], 25u);
}

TEST_F(Scheduled, CatchingUpTakesAHundredARound) {
  Schedule schedule = naps(1, Overlap::allow);
  schedule.timing = {"", "UTC", 1s};
  put(schedule);
  world_.kill(0);
  world_.clock.advance(10min);
  world_.add_process();
  ASSERT_TRUE(world_.run_until([this] { return world_.processes[0]->observer.schedule_starts["naps"] > 0; }));
  world_.run_for(300ms);
  EXPECT_EQ(observer().schedule_starts["naps"], 100);
  ASSERT_TRUE(world_.run_until([this] { return kept().next_at > world_.clock.wall(); }));
  EXPECT_GE(observer().schedule_starts["naps"], 600);
  EXPECT_EQ(observer().schedule_skips["late"], 0u);
}

TEST_F(Scheduled, ATickIsSkippedWhileTheSagaBeforeItIsOpen) {
  put(naps(90, Overlap::skip));
  run_to(5, 30);
  EXPECT_THAT(started(), testing::ElementsAre(id(1), id(3), id(5)));
  EXPECT_EQ(observer().schedule_skips["overlap"], 2u);
}

TEST_F(Scheduled, OneTickWaitsForTheSagaBeforeIt) {
  put(naps(150, Overlap::wait));
  run_to(3, 20);
  EXPECT_THAT(started(), testing::ElementsAre(id(1)));
  EXPECT_TRUE(kept().waiting_at);
  run_to(3, 45);
  EXPECT_THAT(started(), testing::ElementsAre(id(1), id(2)))
      << "a minute and a half late, and the third was skipped";
  EXPECT_EQ(observer().schedule_skips["overlap"], 1u);
  EXPECT_TRUE(world_.has(id(2), SagaStatus::kRunning));
}

TEST_F(Scheduled, APausedScheduleLetsItsTicksPassBy) {
  put(naps(1, Overlap::allow));
  run_to(1, 30);
  change(ScheduleChange::Kind::pause, "naps");
  run_to(4, 30);
  const auto ticks = schedules::Ticks::of(kept().timing).value();
  change(ScheduleChange::Kind::resume, "naps", ticks.after(world_.clock.wall()));
  run_to(6, 30);
  EXPECT_THAT(started(), testing::ElementsAre(id(1), id(5), id(6)));
  change(ScheduleChange::Kind::remove, "naps");
  run_to(8, 30);
  EXPECT_THAT(started(), testing::SizeIs(3));
}

TEST_F(Scheduled, APausedDefinitionHoldsItsSchedules) {
  put(naps(1, Overlap::allow));
  EXPECT_TRUE(*session_->pause({PauseKind::definition, "sleeps", "ann", "maintenance", {}}));
  run_to(4, 30);
  EXPECT_THAT(started(), testing::IsEmpty());
  EXPECT_TRUE(*session_->resume(PauseKind::definition, "sleeps", "ann", "it is over"));
  run_to(4, 40);
  EXPECT_THAT(started(), testing::ElementsAre(id(1), id(2), id(3), id(4)));
}

TEST_F(Scheduled, ATickThatComesJustAsItsDefinitionIsPausedStartsLater) {
  put(naps(1, Overlap::allow));
  run_to(0, 58);
  // Within the second before the process learns of it: what it hands to a lane then is held there.
  world_.run_until([this] {
    if (world_.clock.monotonic() > 59'990ms && !paused_)
      paused_ = *session_->pause({PauseKind::definition, "sleeps", "ann", "maintenance", {}});
    return world_.clock.monotonic() > 80s;
  });
  EXPECT_TRUE(*session_->resume(PauseKind::definition, "sleeps", "ann", "it is over"));
  run_to(1, 50);
  EXPECT_THAT(started(), testing::ElementsAre(id(1)));
}

TEST_F(Scheduled, OneThatCannotStartItsSagaHereWaitsForAProcessThatCan) {
  Schedule schedule = naps(1, Overlap::allow);
  schedule.input = R"({"id":"nap","seconds":1})";  // of a newer build, say
  put(schedule);
  run_to(2, 0);
  EXPECT_THAT(started(), testing::IsEmpty());
  EXPECT_EQ(kept().next_at, Time(std::chrono::sys_days(std::chrono::year{2026} / 11 / 21)) + 1min);
  EXPECT_THAT(
      world_.processes[0]->logger.warnings,
      testing::Contains(testing::HasSubstr("A schedule cannot start its saga; it waits until it can.")));
  put(naps(1, Overlap::allow));
  run_to(3, 30);
  EXPECT_THAT(started(), testing::ElementsAre(id(1), id(2), id(3)));
}

TEST_F(Scheduled, ATickWhoseIdIsTakenDoesNotHoldTheNextUp) {
  world_.start(*world_.processes[0], "sleeps", id(1), 7);
  put(naps(1, Overlap::allow));
  run_to(2, 30);
  EXPECT_THAT(started(), testing::ElementsAre(id(1), id(2)));
  EXPECT_EQ(observer().schedule_skips["refused"], 1u);
}

}  // namespace
}  // namespace skald::runtime
