// What bounds memory under load: above its mark the partitions pause, what was read is kept, and below it reading goes on
// until everything is done.
#include <algorithm>

#include "world.hpp"

namespace skald::runtime {
namespace {

using ::testing::Each;
using ::testing::Le;

constexpr std::size_t kEnough = 1'000'000;  ///< counts that never bind

class Bounds : public ::testing::Test {
 protected:
  void produce(int orders, std::size_t padding_bytes = 0) {
    for (int number = 0; number < orders; ++number) {
      const std::string id = "o-" + std::to_string(number);
      world.produce("orders", id,
                    R"({"id":")" + id + R"(","cents":100)" + std::string(padding_bytes, ' ') + "}");
    }
  }
  bool all_completed(std::size_t orders) {
    return world.run_until([&] { return world.count(SagaStatus::kCompleted) == orders; });
  }
  /// Ready to read; `change` sets the bounds.
  Process& ready(const std::function<void(Settings&)>& change) {
    Process& process = world.add_process([&](Runtime::Parts& parts) {
      parts.settings.queue_high = parts.settings.outbox_high = parts.settings.local_high = kEnough;
      parts.settings.maximum_poll = 5;
      change(parts.settings);
    });
    world.run_for(1s);
    return process;
  }
  World world;
};

TEST_F(Bounds, BytesOfWaitingInputsPausePartitions) {
  Process& process = ready([](Settings& settings) { settings.queue_bytes_high = 100'000; });
  world.store.set_available(false);
  produce(60, 20'000);
  world.run_for(5s);
  EXPECT_EQ(process.observer.paused, 4U) << "the partitions of orders, not those of replies";
  EXPECT_THAT(process.observer.consumed, Le(15));
  world.store.set_available(true);
  EXPECT_TRUE(all_completed(60));
  EXPECT_EQ(process.observer.paused, 0U);
}

TEST_F(Bounds, BytesOfUnacknowledgedMessagesPausePartitionsAndHoldLanesUp) {
  Process& process = ready([](Settings& settings) { settings.outbox_bytes_high = 20'000; });
  world.bus.fail_next("commands", memory::ProduceFault::kQueueFull, 2'000);
  produce(200);
  world.run_for(1s);
  EXPECT_EQ(process.observer.paused, 4U) << "the partitions of orders, not those of replies";
  EXPECT_THAT(process.observer.started, Le(20));
  for (int number = 0; number < 50; ++number) {
    world.start(process, "three-steps", "api-" + std::to_string(number));
    world.run_for(20ms);
  }
  EXPECT_EQ(process.observer.paused, 8U) << "replies would make messages too";
  EXPECT_THAT(process.observer.started, Le(30)) << "lanes take nothing without room for what it makes";
  EXPECT_TRUE(all_completed(250));
  EXPECT_EQ(process.observer.paused, 0U);
}

TEST_F(Bounds, RefusedCommandsMakeRoomForWhatTheirSagasDecide) {
  Process& process = ready([](Settings& settings) { settings.outbox_bytes_high = 5'000; });
  world.bus.refuse("commands", "not authorised");
  produce(100);
  EXPECT_TRUE(world.run_until([&] { return world.count(SagaStatus::kCompensated) == 100; }))
      << world.store.sagas().size() << " sagas, " << world.count(SagaStatus::kCompensated) << " compensated, "
      << world.count(SagaStatus::kStuck) << " stuck, " << process.observer.paused << " partitions paused, "
      << process.observer.consumed << " records";
  EXPECT_EQ(process.observer.refused, 100);
}

TEST_F(Bounds, BytesOfLocalAttemptsPausePartitions) {
  int effects = 0;
  Registry registry;
  registry.add_step<Book>(effects);
  registry.add_saga<WithLocal>().trigger(
      "order-booked", [](const Order& order, const Record&) -> std::optional<Start<Order>> {
        return Start<Order>{order.id, order};
      });
  Process& process = world.add_process_of(registry, "build-1", [](Runtime::Parts& parts) {
    parts.settings.local_bytes_high = 10'000;
    parts.settings.maximum_poll = 5;
  });
  process.executor.held = true;
  produce(100);
  world.run_for(2s);
  EXPECT_EQ(process.observer.paused, 4U);
  EXPECT_THAT(process.executor.backlog(), Le(30U));
  process.executor.held = false;
  EXPECT_TRUE(all_completed(100));
  EXPECT_EQ(effects, 100);
}

TEST_F(Bounds, RecordsThatAreNotAppliedPausePartitionsByTheirNumber) {
  Process& process = ready([](Settings& settings) { settings.open_records_high = 10; });
  world.store.set_available(false);
  produce(100);
  world.run_for(5s);
  EXPECT_EQ(process.observer.paused, 4U);
  EXPECT_THAT(process.observer.consumed, Le(20));
  world.store.set_available(true);
  EXPECT_TRUE(all_completed(100));
}

TEST_F(Bounds, SagasOfLongHistoriesAreLoadedAsFarAsThereIsRoom) {
  constexpr int kSagas = 6;
  for (const char* step : {"reserve", "charge", "ship"})
    world.participants->scripts[step] = [](const auto&) { return std::nullopt; };
  ready([](Settings&) {});
  produce(kSagas);
  ASSERT_TRUE(world.run_until([&] { return world.store.sagas().size() == kSagas; }));
  for (int number = 0; number < kSagas; ++number) {
    Work work = World::reply("o-" + std::to_string(number), "reserve", 1);
    auto& reply = std::get<engine::ReplyInput>(std::get<engine::Input>(work.what));
    reply.data = R"({"id":")" + std::string(20'000, 'x') + R"("})";
    World::give(*world.processes[0], std::move(work));
  }
  const auto all_at = [this](std::int64_t sequence) {
    const auto sagas = world.store.sagas();
    return std::all_of(sagas.begin(), sagas.end(),
                       [&](const StoredSaga& saga) { return saga.row.sequence == sequence; });
  };
  ASSERT_TRUE(world.run_until([&] { return all_at(2); }));

  world.run_for(1s);  // positions are recorded
  world.kill(0);
  Process& process = ready([](Settings& settings) {
    settings.lanes = 1;
    settings.maximum_batch_bytes = 30'000;  // one history, or all replies
  });
  std::vector<Work> works;
  for (int number = 0; number < kSagas; ++number)
    works.push_back(World::reply("o-" + std::to_string(number), "charge", 2));
  process.runtime->route(std::move(works));
  EXPECT_TRUE(world.run_until([&] { return all_at(3); }));
  EXPECT_EQ(process.observer.replays, kSagas);
  EXPECT_THAT(process.observer.batches, Each(Le(1U)));
}

}  // namespace
}  // namespace skald::runtime
