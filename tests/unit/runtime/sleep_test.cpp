// What a sleeping saga costs: a row, and nothing else. Method: the world's clock, the memory store's commits counted, the
// lanes' caches looked at.
#include "world.hpp"

namespace skald::runtime {
namespace {

class Sleeping : public ::testing::Test {
 protected:
  static constexpr int kSagas = 20;

  Sleeping() {
    world.run_until([this] { return process.runtime->incarnation() != 0; });
    world.store.set_commit_hook([this](const Batch& batch) {
      written += batch.writes.size();
      return memory::CommitFault::kNone;
    });
  }
  void start_all(std::int64_t seconds) {
    for (int index = 0; index < kSagas; ++index)
      world.start(process, "sleeps", "s-" + std::to_string(index), seconds);
    ASSERT_TRUE(world.run_until([this] { return asleep() == kSagas; }));
  }
  /// Their first step is done, and nothing is due but the timer.
  int asleep() const {
    int count = 0;
    for (const StoredSaga& saga : world.store.sagas()) count += saga.row.sequence == 2 ? 1 : 0;
    return count;
  }
  bool all_completed() const { return world.count(SagaStatus::kCompleted) == kSagas; }
  std::size_t cached() const {
    std::size_t count = 0;
    for (const auto& [lane, sagas] : process.observer.cached) count += sagas;
    return count;
  }
  void expect_never_early(std::chrono::seconds sleep) const {
    for (const StoredSaga& saga : world.store.sagas())
      EXPECT_GE(*saga.row.ended_at - saga.row.started_at, sleep) << saga.row.address.saga_id;
  }

  World world;
  Process& process = world.add_process([](Runtime::Parts& parts) { parts.environment.first_wake_up = 10s; });
  std::size_t written = 0;
};

TEST_F(Sleeping, LeavesTheCacheAndIsWrittenNoMoreThanItsTransitions) {
  start_all(1'200);
  world.run_for(1s);
  EXPECT_EQ(cached(), 0u);
  EXPECT_EQ(written, 2u * kSagas);
  world.run_for(15min);
  EXPECT_EQ(written, 2u * kSagas) << "nobody was woken before the time";
  ASSERT_TRUE(world.run_until([this] { return all_completed(); }));
  EXPECT_EQ(written, 4u * kSagas);
  EXPECT_EQ(process.observer.applied["wake"], kSagas);
  EXPECT_EQ(process.observer.replays, kSagas);
  expect_never_early(1'200s);
}

TEST_F(Sleeping, ForAMomentStaysInTheCache) {
  start_all(2);
  EXPECT_EQ(cached(), std::size_t{kSagas});
  ASSERT_TRUE(world.run_until([this] { return all_completed(); }));
  EXPECT_EQ(process.observer.replays, 0);
  EXPECT_EQ(written, 4u * kSagas);
  expect_never_early(2s);
}

TEST_F(Sleeping, IsNotKeptForALateInput) {
  start_all(1'200);
  world.give(process, World::reply("s-1", "reserve", 1, "sleeps"));
  ASSERT_TRUE(world.run_until([this] { return process.observer.ignored["reply"] == 1; }));
  EXPECT_EQ(process.observer.replays, 1);
  EXPECT_EQ(cached(), 0u);
  EXPECT_EQ(written, 2u * kSagas);
}

TEST_F(Sleeping, OutlivesItsProcess) {
  start_all(600);
  world.kill(0);
  world.clock.advance(20min);  // all fall due while nobody is there
  world.add_process();
  ASSERT_TRUE(world.run_until([this] { return all_completed(); }));
  EXPECT_EQ(world.participants->actions.size(), 2u * kSagas);
  expect_never_early(600s);
}

TEST_F(Sleeping, WhoseCommitIsInDoubtSleepsOnce) {
  world.store.set_commit_hook([this](const Batch& batch) {
    written += batch.writes.size();
    return written % 2 == 0 ? memory::CommitFault::kUnknownApplied : memory::CommitFault::kNone;
  });
  start_all(600);
  world.store.set_commit_hook({});
  ASSERT_TRUE(world.run_until([this] { return all_completed(); }));
  EXPECT_EQ(world.participants->actions.size(), 2u * kSagas);
  expect_never_early(600s);
}

}  // namespace
}  // namespace skald::runtime
