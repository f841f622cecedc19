// Judge: lets the engine judge the works of one saga in order and gathers what must become durable together:
// one write or one fence, messages, parked inputs, and what is owed once that holds. It changes the cached
// instances in place, so a Turn that did not become durable means: erase the saga, judge its works again.
// Part of a lane, used by its thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/environment.hpp"
#include "engine/transition.hpp"
#include "ports/logger.hpp"
#include "runtime/instance_cache.hpp"
#include "runtime/key_maker.hpp"
#include "runtime/observer.hpp"
#include "runtime/settings.hpp"
#include "runtime/work.hpp"
#include "skald/registry.hpp"

namespace skald::runtime {

/// The verdict on one work, told when its turn holds.
struct WorkVerdict {
  Settlement settlement;
  std::optional<engine::Judgement> judgement;  ///< the engine's, if it was asked
  std::string dead_letter_code;
  std::optional<ParkReason> parked;
};

/// One saga's part of a batch (or one record that passes through).
struct Turn {
  SagaAddress address;
  CachedSaga* saga = nullptr;  ///< in the cache, once it is there; valid for the round
  SagaKey key = 0;
  std::vector<Work> works;
  /// One a work; fewer: after a reset the rest is judged again, with the saga rebuilt.
  std::vector<WorkVerdict> verdicts;
  std::optional<SagaWrite> write;
  std::optional<Fence> fence;     ///< instead of a write
  std::vector<Message> messages;  ///< go out whoever wins: no saga was asked about them
  std::vector<ParkedInput> park;
  std::vector<engine::LocalAttempt> attempts;
  std::vector<engine::StepObservation> observations;
  bool started = false;
  bool stuck = false;         ///< became so in this turn
  bool history_grew = false;  ///< beyond what is warned of, in this turn
  Time started_at{};
};

class Judge {
 public:
  /// All outlive it.
  struct Parts {
    const engine::Environment& environment;
    const Registry& registry;
    const Settings& settings;
    KeyMaker& keys;
    InstanceCache& cache;
    Logger& logger;
    Observer& observer;
  };
  explicit Judge(const Parts& parts) : parts_(parts) {}

  /// Takes a loaded saga into the cache, replayed.
  CachedSaga& admit(const StoredSaga& stored);
  /// Judges all works of the turn. The saga it needs has been admitted, or does not exist.
  void judge(Turn& turn, const engine::Moment& moment);

 private:
  void judge_one(Turn& turn, Work& work, const engine::Moment& moment);
  void start(Turn& turn, Work& work, const engine::Moment& moment);
  void input(Turn& turn, Work& work, const engine::Moment& moment);
  void absent(Turn& turn, Work& work, const engine::Moment& moment);
  void diverged(Turn& turn, Work& work, CachedSaga& saga, const engine::Moment& moment);
  void advance(Turn& turn, Work& work, CachedSaga& saga, const engine::Input& input,
               const engine::Moment& moment);
  [[nodiscard]] bool crosses_warning(const CachedSaga& saga, const HistoryRow& row) const;
  void absorb(Turn& turn, CachedSaga& saga, engine::Transition transition);
  void park(Turn& turn, Work& work, ParkReason reason, std::int32_t revision);
  /// Its definition is paused.
  void hold_back(Turn& turn, Work& work);
  /// The dead letter goes out only if the verdict holds.
  void dead_letter(Turn& turn, Work& work, CachedSaga* saga, std::string_view code, std::string reason);
  SagaWrite& touch(Turn& turn, const CachedSaga& saga);
  static void hold(Turn& turn, const CachedSaga& saga);
  static void settle(Turn& turn, Settlement::Kind kind, std::string reason = {});

  const Parts parts_;
};

}  // namespace skald::runtime
