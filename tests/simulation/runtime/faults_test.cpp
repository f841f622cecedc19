// Crashes, duplicates, losses, doubts and refusals at random, from a seed: whatever happens, every order acknowledged
// by Kafka becomes exactly one saga that ends, with effects that add up; some of them sleep meanwhile. Goal: the promises
// P1 to P8. Method: two
// processes and all participants on one thread; faults strike for a minute of virtual time, then the world heals and
// must come to rest. The same seed gives the same history, byte for byte.
#include <cstdlib>
#include <set>

#include "unit/runtime/world.hpp"

namespace skald::runtime {
namespace {

constexpr int kOrders = 40;
constexpr int kNaps = 10;  ///< sagas that sleep between their two steps
constexpr std::int64_t kNapSeconds = 20;

struct RunResult {
  std::string histories;  ///< of all sagas, to compare runs of one seed
  int kills = 0;
  std::size_t completed = 0;
  std::size_t compensated = 0;
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : world_(seed), dice_(seed * 7919 + 1) {}

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
    for (int rounds = 0; rounds < 1'500; ++rounds) step();
    heal();
    const bool rests = world_.run_until([this] { return at_rest(); });
    EXPECT_TRUE(rests) << unfinished();
    check();
    return result();
  }

 private:
  void add_process() {
    world_.add_process([](Runtime::Parts& parts) {
      parts.settings.cache_bytes = 60'000;  // small: replays happen
      parts.settings.maximum_batch = 16;
    });
  }

  /// Steps fail in ways that differ: refused, refused at first, unanswered.
  void script() {
    for (const char* step : {"reserve", "charge", "ship"})
      world_.participants->scripts[step] =
          [this](const wire::Command& command) -> std::optional<wire::Reply> {
        switch (dice_.next() % 12) {
          case 0: return Participants::refused(command, "no");
          case 1:
          case 2: return Participants::refused(command, "busy", true);
          case 3: return std::nullopt;
          default: return Participants::succeeded(command);
        }
      };
  }

  void place(int index) {
    const std::string id = "o-" + std::to_string(index);
    const int copies = dice_.one_in(4) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) world_.order(id);
  }

  void strike_store() {
    world_.store.set_commit_hook([this](const Batch&) {
      if (healed_ || !dice_.one_in(8)) return memory::CommitFault::kNone;
      constexpr memory::CommitFault kFaults[] = {
          memory::CommitFault::kUnknownApplied, memory::CommitFault::kUnknownNotApplied,
          memory::CommitFault::kRetry, memory::CommitFault::kUnavailable};
      return kFaults[dice_.next() % 4];
    });
  }

  void step() {
    if (dice_.one_in(40))
      world_.bus.fail_next("commands", static_cast<memory::ProduceFault>(dice_.next() % 2));
    if (dice_.one_in(40)) world_.bus.fail_next("replies", memory::ProduceFault::kTwice);
    if (dice_.one_in(200)) {
      world_.kill(dice_.next() % world_.processes.size());
      ++result_.kills;
      add_process();
    }
    if (dice_.one_in(300)) away_until_ = world_.clock.monotonic() + 2s;
    world_.bus.set_available(world_.clock.monotonic() >= away_until_);
    world_.clock.advance(world_.round() ? 1ms : 40ms);
  }

  void heal() {
    healed_ = true;
    world_.bus.set_available(true);
    for (auto& [step, script] : world_.participants->scripts)
      script = [](const wire::Command& command) { return Participants::succeeded(command); };
  }

  bool at_rest() const {
    if (world_.store.sagas().size() != kOrders + kNaps || !world_.store.outbox().empty()) return false;
    return world_.count(SagaStatus::kCompleted) + world_.count(SagaStatus::kCompensated) == kOrders + kNaps;
  }

  std::string unfinished() const {
    std::string text = std::to_string(world_.store.sagas().size()) + " sagas;";
    for (const StoredSaga& saga : world_.store.sagas())
      if (!is_ended(saga.row.status))
        text += " " + saga.row.address.saga_id + " " + std::string(to_string(saga.row.status)) + " " +
                saga.row.stuck_reason + " " + saga.history.back().events;
    return text;
  }

  void check() {
    for (const StoredSaga& saga : world_.store.sagas()) {
      const std::string& id = saga.row.address.saga_id;
      std::int64_t sequence = 0;
      for (const HistoryRow& row : saga.history) EXPECT_EQ(row.sequence, ++sequence) << id;
      EXPECT_EQ(saga.row.sequence, sequence) << id;
      const bool completed = saga.row.status == SagaStatus::kCompleted;
      const bool nap = saga.row.address.definition == "sleeps";
      check_effects(saga.row.address.definition + "/" + id, nap ? 2 : 3, completed);
      if (nap && completed) {
        EXPECT_GE(*saga.row.ended_at - saga.row.started_at, std::chrono::seconds(kNapSeconds))
            << "P8: " << id;
      }
    }
    std::map<std::string, std::set<std::string>> events;
    for (const Record& record : world_.bus.records("lifecycle"))
      events[record.key.value_or("")].insert(std::string(record.header("ce_id").value_or("")));
    EXPECT_EQ(events.size(), static_cast<std::size_t>(kOrders + kNaps)) << "P3: one outcome event per ending";
    for (const auto& [id, ids] : events) EXPECT_EQ(ids.size(), 1u) << id;
    EXPECT_TRUE(world_.bus.records("orders-dlt").empty());
    EXPECT_TRUE(world_.bus.records("replies-dlt").empty());
  }

  void check_effects(const std::string& saga, int steps, bool completed) {
    int effective = 0;
    for (int ordinal = 1; ordinal <= steps; ++ordinal) {
      const std::string key = "test/" + saga + "/" + std::to_string(ordinal);
      const int done = world_.participants->actions[key];
      const int undone = world_.participants->compensations[key];
      EXPECT_LE(done, 1) << key;
      EXPECT_LE(undone, done) << key << ": P6: none that did not take effect was undone";
      effective += done - undone;
    }
    EXPECT_EQ(effective, completed ? steps : 0) << saga << ": P5, P6";
  }

  RunResult result() {
    for (const StoredSaga& saga : world_.store.sagas())
      for (const HistoryRow& row : saga.history)
        result_.histories += saga.row.address.saga_id + " " + row.events + "\n";
    result_.completed = world_.count(SagaStatus::kCompleted);
    result_.compensated = world_.count(SagaStatus::kCompensated);
    return result_;
  }

  World world_;
  SeededRandom dice_;
  bool healed_ = false;
  std::chrono::nanoseconds away_until_{0};
  RunResult result_;
};

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(Simulation, WhateverStrikesEverySagaEndsAndEffectsAddUp) {
  const std::uint64_t only = number_from("SKALD_SIM_SEED", 0);
  const std::uint64_t last = only != 0 ? only : number_from("SKALD_SIM_SEEDS", 3);
  RunResult total;
  for (std::uint64_t seed = only != 0 ? only : 1; seed <= last; ++seed) {
    SCOPED_TRACE("SKALD_SIM_SEED=" + std::to_string(seed));
    const RunResult run = Simulation(seed).run();
    total.kills += run.kills;
    total.completed += run.completed;
    total.compensated += run.compensated;
    if (HasFailure()) break;
  }
  if (only != 0) return;
  EXPECT_GT(total.kills, 0) << "the faults were reached";
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
