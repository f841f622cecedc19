// Crashes, duplicates, losses, doubts and refusals at random, from a seed: whatever happens, every order acknowledged
// by Kafka becomes exactly one saga that ends, with effects that add up; some of them sleep meanwhile, and operators reset
// some. Goal: the promises
// P1 to P8. Method: two
// processes and all participants on one thread; faults strike for a minute of virtual time, then the world heals and
// must come to rest. The same seed gives the same history, byte for byte.
#include <algorithm>

#include "engine/event.hpp"
#include "storm.hpp"

namespace skald::runtime {
namespace {

constexpr int kOrders = 40;
constexpr int kNaps = 10;  ///< sagas that sleep between their two steps
constexpr std::int64_t kNapSeconds = 20;

struct RunResult {
  std::string histories;  ///< of all sagas, to compare runs of one seed
  int kills = 0;
  std::size_t resets = 0;  ///< of sagas that completed
  std::size_t completed = 0;
  std::size_t compensated = 0;
};

class Simulation final : Storm {
 public:
  explicit Simulation(std::uint64_t seed) : Storm(seed) {}

  RunResult run() {
    script();
    add_process();
    add_process();
    strike_store();
    for (int index = 0; index < kOrders; ++index) {
      place(index);
      for (int rounds = 0; rounds < 4; ++rounds) step();
    }
    for (int nap = 0; nap < kNaps; ++nap) {
      world_.produce(
          "orders", "n",
          R"({"id":"nap-)" + std::to_string(nap) + R"(","cents":)" + std::to_string(kNapSeconds) + "}");
      for (int rounds = 0; rounds < 4; ++rounds) step();
    }
    for (int rounds = 0; rounds < 1'500; ++rounds) {
      step();
      if (dice_.one_in(15)) reset_one();
    }
    heal();
    const bool rests = world_.run_until([this] { return at_rest(); });
    EXPECT_TRUE(rests) << unfinished();
    check();
    return result();
  }

 private:
  void place(int index) {
    const std::string id = "o-" + std::to_string(index);
    const int copies = dice_.one_in(4) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) world_.order(id);
  }

  /// An operator sends a saga back to wherever; what it looked at may be over by the time it counts.
  void reset_one() {
    const auto sagas = world_.store.sagas();
    if (sagas.empty()) return;
    const SagaRow& row = sagas[dice_.next() % sagas.size()].row;
    if (row.status != SagaStatus::kRunning || row.sequence < 2) return;
    engine::OperatorAction reset{engine::OperatorVerb::reset, row.sequence, 0, "", "ann", "because"};
    const auto before = static_cast<std::uint64_t>(row.sequence - 1);
    reset.reset = {static_cast<std::int64_t>(dice_.next() % before) + 1, dice_.one_in(3)};
    auto& runtime = *world_.processes[dice_.next() % world_.processes.size()]->runtime;
    if (runtime.incarnation() != 0)
      static_cast<void>(runtime.send(row.address, engine::Input(reset), std::chrono::milliseconds(0)));
  }

  bool at_rest() const {
    if (world_.store.sagas().size() != kOrders + kNaps || !world_.store.outbox().empty()) return false;
    if (!world_.store.parked().empty()) return false;
    return world_.count(SagaStatus::kCompleted) + world_.count(SagaStatus::kCompensated) == kOrders + kNaps;
  }

  void check() {
    for (const StoredSaga& saga : world_.store.sagas()) {
      const std::string& id = saga.row.address.saga_id;
      std::int64_t sequence = 0;
      for (const HistoryRow& row : saga.history) EXPECT_EQ(row.sequence, ++sequence) << id;
      EXPECT_EQ(saga.row.sequence, sequence) << id;
      const bool completed = saga.row.status == SagaStatus::kCompleted;
      const bool nap = saga.row.address.definition == "sleeps";
      check_effects(saga, nap ? 2 : 3, completed);
      if (nap && completed) {
        EXPECT_GE(*saga.row.ended_at - saga.row.started_at, std::chrono::seconds(kNapSeconds))
            << "P8: " << id;
      }
    }
    check_outcomes(kOrders + kNaps);
    EXPECT_TRUE(world_.bus.records("orders-dlt").empty());
    EXPECT_TRUE(world_.bus.records("replies-dlt").empty());
  }

  void check_effects(const StoredSaga& saga, int steps, bool completed) {
    bool reset = false, kept = false;
    int scheduled = 0;
    for (const HistoryRow& row : saga.history) {
      const auto entry = engine::read_entry(row.events);
      ASSERT_TRUE(entry.ok());
      for (const engine::Event& event : entry->events) {
        reset = reset || event.reason == "reset";
        kept = kept || event.keeps;
        if (event.kind == engine::EventKind::kStep) scheduled = std::max(scheduled, event.ordinal);
      }
    }
    result_.resets += reset && completed ? 1 : 0;
    const std::string name = saga.row.address.definition + "/" + saga.row.address.saga_id;
    int effective = 0;
    for (int ordinal = 1; ordinal <= scheduled; ++ordinal) effective += effect(name, ordinal);
    if (completed && kept)
      EXPECT_GE(effective, steps) << name << ": what was kept may stand besides";
    else
      EXPECT_EQ(effective, completed ? steps : 0) << name << ": P5, P6";
  }

  RunResult result() {
    result_.histories = histories();
    result_.kills = kills_;
    result_.completed = world_.count(SagaStatus::kCompleted);
    result_.compensated = world_.count(SagaStatus::kCompensated);
    return result_;
  }

  RunResult result_;
};

TEST(Simulation, WhateverStrikesEverySagaEndsAndEffectsAddUp) {
  RunResult total;
  const bool all = for_each_seed([&total](std::uint64_t seed) {
    const RunResult run = Simulation(seed).run();
    total.kills += run.kills;
    total.resets += run.resets;
    total.completed += run.completed;
    total.compensated += run.compensated;
  });
  if (!all) return;
  EXPECT_GT(total.kills, 0) << "the faults were reached";
  EXPECT_GT(total.resets, 0u);
  EXPECT_GT(total.completed, 0u);
  EXPECT_GT(total.compensated, 0u);
}

TEST(Simulation, ASeedGivesTheSameHistoryByteForByte) {
  const RunResult first = Simulation(3).run();
  const RunResult second = Simulation(3).run();
  EXPECT_EQ(first.histories, second.histories);
}

}  // namespace
}  // namespace skald::runtime
