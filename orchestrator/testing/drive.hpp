// Drive: one saga and everybody it speaks to, in virtual time: hands each attempt to whoever decides what becomes of it,
// brings the answers when they are due, lets time pass when nothing else happens, and after every transition throws the
// saga away and replays it from history, as a crash would. One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/environment.hpp"
#include "engine/event.hpp"
#include "engine/instance.hpp"
#include "ledger.hpp"
#include "skald/saga.hpp"

namespace skald::testing::detail {

class Drive {
 public:
  /// Decides; nullopt: leave it, the run is of no interest any more.
  using React = std::function<std::optional<Reaction>(const Attempt&)>;
  /// Nothing is under way and only time would move the saga, unless this gives something to happen now.
  using Idle = std::function<std::optional<engine::Input>()>;

  Drive(const SagaDefinition& definition, React react, Idle idle = {});
  ~Drive();

  /// Runs to rest: ended or stuck or waiting for ever, and nothing under way. False: left by `react`.
  bool run(const std::string& saga_id, const std::string& input);
  /// Before run: this happens so long after the start.
  void plan(std::chrono::milliseconds after, engine::Input input, std::string label);

  /// What is wrong with the saga's code itself, as a sentence; empty: nothing so far.
  [[nodiscard]] const std::string& defect() const { return defect_; }
  [[nodiscard]] const StoredSaga& stored() const { return stored_; }
  [[nodiscard]] const engine::Instance& instance() const { return *instance_; }
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  [[nodiscard]] Time now() const { return now_; }
  [[nodiscard]] std::chrono::milliseconds elapsed() const { return now_ - kStart; }
  [[nodiscard]] const engine::StepSettings& settings(const StepDefinition& step) const;
  /// Something is on its way to the saga.
  [[nodiscard]] bool expects() const { return !queue_.empty(); }
  /// Of everything outside the saga's code that its future depends on.
  [[nodiscard]] std::string situation() const;
  /// Every event so far.
  [[nodiscard]] std::vector<engine::Event> events() const;
  /// The saga's own words on how it ended.
  [[nodiscard]] const engine::Event& last_event() const { return last_event_; }
  [[nodiscard]] std::size_t transitions() const { return transitions_; }
  static constexpr Time kStart = Time{std::chrono::sys_days(std::chrono::year{2026} / 1 / 1)};

 private:
  struct Due {
    engine::Input input;
    std::string label;
  };

  bool step();
  bool take(engine::Transition& transition);
  bool hand_over(const Attempt& attempt, bool local);
  void advance(const engine::Input& input);
  void crash();
  void note_offence();
  void note_defect(std::string sentence);
  [[nodiscard]] engine::Moment moment() const { return {now_, incarnation_, nullptr}; }

  const SagaDefinition& definition_;
  const React react_;
  const Idle idle_;
  class NoRandom;
  std::unique_ptr<Random> random_;
  engine::Environment environment_;
  std::unique_ptr<engine::Instance> instance_;
  std::optional<engine::Transition> transition_;  ///< whose attempts have not been handed over
  StoredSaga stored_;
  Ledger ledger_;
  std::multimap<Time, Due> queue_;
  Time now_ = kStart;
  Incarnation incarnation_ = 1;
  engine::Event last_event_;
  std::string defect_;
  std::size_t transitions_ = 0;
};

}  // namespace skald::testing::detail
