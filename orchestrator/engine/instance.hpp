// Instance: one saga instance in memory: its state, rebuilt from history, and the suspended frame of its
// code. All saga logic is in here and in the judge_*.cpp files: pure, no I/O, no clock (the Moment is given),
// one thread.
//
//   history + one input -> one Transition
//
// An instance whose transition did not become durable is wrong: throw it away and replay. So advance may
// change it in place.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/environment.hpp"
#include "engine/input.hpp"
#include "engine/reset_plan.hpp"
#include "engine/transition.hpp"
#include "ports/store.hpp"
#include "skald/saga.hpp"

namespace skald::engine {

/// Why a history could not be replayed.
struct ReplayProblem {
  bool corrupt = false;       ///< the history itself cannot be read; else code and history differ
  std::int64_t sequence = 0;  ///< the transition at which they part
  std::string message;        ///< the difference: what history has, what the code wants
  std::string build;          ///< that wrote the last transition; another build's: park before stuck
};

class Instance {
 public:
  struct Started;
  struct Replayed;

  /// A new saga and its first transition.
  static Started start(const Environment& environment, const SagaDefinition& definition, SagaAddress address,
                       SagaKey key, const StartInput& input, const Moment& moment);
  /// A saga from its stored history. Check `problem` first: with one, the instance takes only Poison and
  /// OperatorAction inputs.
  static Replayed replay(const Environment& environment, const SagaDefinition& definition,
                         const StoredSaga& stored);

  /// The same for asking alone: the code's object stays, whatever became of the saga. Never to be advanced.
  static Replayed replay_to_ask(const Environment& environment, const SagaDefinition& definition,
                                const StoredSaga& stored);
  /// What the saga's object answers. kInvalid: no such query, or the input does not fit; kRefused: it threw, or there is
  /// no object.
  [[nodiscard]] Result<std::string> query(std::string_view name, std::string_view input) const;

  /// What a reset would do with each step scheduled after its target. kRefused: why it cannot be, of the saga as it is
  /// stored and of the code as it is here.
  static Result<std::vector<ResetStep>> plan_reset(const Environment& environment,
                                                   const SagaDefinition& definition, const StoredSaga& stored,
                                                   const OperatorAction& action);

  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  [[nodiscard]] Verdict advance(const Input& input, const Moment& moment);

  [[nodiscard]] SagaKey key() const;
  [[nodiscard]] const SagaAddress& address() const;
  [[nodiscard]] int revision() const;
  [[nodiscard]] std::int64_t sequence() const;
  /// With which the saga's run began: 1, unless it continued as new.
  [[nodiscard]] std::int64_t run_from() const;
  [[nodiscard]] SagaStatus status() const;
  [[nodiscard]] std::size_t history_bytes() const;
  /// The exact next deadline; kNever if nothing is due.
  [[nodiscard]] Time next_deadline() const;
  /// Only time moves it on, from next_deadline(): no step is under way that somebody could answer.
  [[nodiscard]] bool asleep() const;
  /// What its future depends on, as text, times relative to the last transition's: for tools that compare instances.
  [[nodiscard]] std::string situation() const;
  /// It was reset: rebuild it from history before it is advanced again.
  [[nodiscard]] bool spent() const;
  /// What it occupies, frame and what the frame holds included: at least the truth for code that holds no more than its
  /// input and its steps' outputs. The cache's unit.
  [[nodiscard]] std::size_t memory_bytes() const;

  class State;

 private:
  explicit Instance(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct Instance::Started {
  std::unique_ptr<Instance> instance;
  Transition transition;
};

struct Instance::Replayed {
  std::unique_ptr<Instance> instance;
  std::optional<ReplayProblem> problem;
};

}  // namespace skald::engine
