// Storm: what simulations have in common: two processes whose participants and messages fail, whose database refuses and
// doubts, and who are killed, all from a seed, until the world heals.
#pragma once

#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "unit/runtime/world.hpp"

namespace skald::runtime {

class Storm {
 protected:
  explicit Storm(std::uint64_t seed) : world_(seed), dice_(seed * 7919 + 1) {}
  virtual ~Storm() = default;

  /// What a process has beside what all have.
  virtual void equip(Runtime::Parts&) {}

  void add_process() {
    world_.add_process([this](Runtime::Parts& parts) {
      parts.settings.cache_bytes = 60'000;  // small: replays happen
      parts.settings.maximum_batch = 16;
      equip(parts);
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
      ++kills_;
      add_process();
    }
    if (dice_.one_in(100)) change_a_pause();
    if (dice_.one_in(300)) away_until_ = world_.clock.monotonic() + 2s;
    world_.bus.set_available(world_.clock.monotonic() >= away_until_);
    world_.clock.advance(world_.round() ? 1ms : 40ms);
  }

  void heal() {
    healed_ = true;
    world_.bus.set_available(true);
    auto session = world_.store.open().value();
    const auto pauses = session->pauses();
    for (const Pause& pause : *pauses)
      static_cast<void>(session->resume(pause.kind, pause.name, "storm", "it is over"));
    for (auto& [step, script] : world_.participants->scripts)
      script = [](const wire::Command& command) { return Participants::succeeded(command); };
  }

  std::string unfinished() const {
    std::string text = std::to_string(world_.store.sagas().size()) + " sagas;";
    for (const StoredSaga& saga : world_.store.sagas())
      if (!is_ended(saga.row.status))
        text += " " + saga.row.address.saga_id + " " + std::string(to_string(saga.row.status)) + " " +
                saga.row.stuck_reason + " " + saga.history.back().events;
    return text;
  }

  /// Of all sagas, to compare runs of one seed.
  std::string histories() const {
    std::string text;
    for (const StoredSaga& saga : world_.store.sagas())
      for (const HistoryRow& row : saga.history) text += saga.row.address.saga_id + " " + row.events + "\n";
    return text;
  }

  /// P3, of as many sagas.
  void check_outcomes(std::size_t sagas) const {
    std::map<std::string, std::set<std::string>> events;
    for (const Record& record : world_.bus.records("lifecycle"))
      events[record.key.value_or("")].insert(std::string(record.header("ce_id").value_or("")));
    EXPECT_EQ(events.size(), sagas) << "P3: one outcome event per ending";
    for (const auto& [id, ids] : events) EXPECT_EQ(ids.size(), 1u) << id;
  }

  /// Of one step of a saga: what it did and was not undone.
  int effect(const std::string& saga, int ordinal) {
    const std::string key = "test/" + saga + "/" + std::to_string(ordinal);
    const int done = world_.participants->actions[key];
    const int undone = world_.participants->compensations[key];
    EXPECT_LE(done, 1) << key;
    EXPECT_LE(undone, done) << key << ": P6: none that did not take effect was undone";
    return done - undone;
  }

  World world_;
  SeededRandom dice_;
  int kills_ = 0;
  int pauses_ = 0;
  bool healed_ = false;

 private:
  void change_a_pause() {
    constexpr std::pair<PauseKind, const char*> kTargets[] = {{PauseKind::definition, "three-steps"},
                                                              {PauseKind::definition, "sleeps"},
                                                              {PauseKind::step, "charge"},
                                                              {PauseKind::step, "ship"}};
    const auto& [kind, name] = kTargets[dice_.next() % std::size(kTargets)];
    auto session = world_.store.open().value();
    if (!*session->pause({kind, name, "storm", "at random", {}}))
      static_cast<void>(session->resume(kind, name, "storm", "at random"));
    ++pauses_;
  }

  std::chrono::nanoseconds away_until_{0};
};

inline std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// Runs each seed from 1 on, or the one of SKALD_SIM_SEED, until one fails. True: all were run, so that what they reached
/// together may be judged.
template <class Run>
bool for_each_seed(Run run) {
  const std::uint64_t only = number_from("SKALD_SIM_SEED", 0);
  const std::uint64_t last = only != 0 ? only : number_from("SKALD_SIM_SEEDS", 3);
  for (std::uint64_t seed = only != 0 ? only : 1; seed <= last; ++seed) {
    SCOPED_TRACE("SKALD_SIM_SEED=" + std::to_string(seed));
    run(seed);
    if (::testing::Test::HasFailure()) break;
  }
  return only == 0;
}

}  // namespace skald::runtime
