// What advancing an instance gives: a verdict on the input, and if it changed something, one Transition: the
// history row, the messages, the local attempts, the status and the wake-up bound that the runtime makes
// durable together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/environment.hpp"
#include "engine/input.hpp"
#include "ports/identity.hpp"
#include "ports/message.hpp"
#include "ports/store.hpp"
#include "skald/step_definition.hpp"

namespace skald::engine {

/// An attempt of a local step to run once the transition is durable.
struct LocalAttempt {
  const StepDefinition* step = nullptr;
  AttemptId id;
  std::string input;
  std::optional<std::string> output;  ///< for a compensation: the action's output, empty if unknown
  std::string idempotency_key;
  std::optional<Time> deadline;
  std::string checkpoint;  ///< JSON, empty: none
  std::optional<std::chrono::milliseconds> heartbeat;
};

/// For metrics: a step whose action or compensation settled in this transition; a compensation that is not tried
/// again has failed, until an operator decides.
struct StepObservation {
  std::string_view step;
  Phase phase = Phase::kAction;
  bool succeeded = false;
  bool unknown = false;
  int attempts = 1;
  std::chrono::milliseconds duration{0};  ///< since it was scheduled
};

struct Transition {
  std::optional<HistoryRow> row;  ///< none: only wake_at moves
  std::int64_t run_from =
      1;  ///< with a row: the sequence with which the saga's run began, this one's or an earlier
  std::vector<Message> messages;
  std::vector<LocalAttempt> local_attempts;
  SagaStatus status = SagaStatus::kRunning;
  std::string stuck_reason;
  std::string_view stuck_step;  ///< empty if it is no step that is stuck; lives as long as the definition
  Time wake_at = kNever;
  std::vector<StepObservation> observations;
};

enum class Judgement {
  kApplied,    ///< the transition holds
  kDuplicate,  ///< this was applied before
  kLate,       ///< overtaken: another attempt, or given up and compensated
  kUnknown,    ///< names a step or attempt this saga never had: a dead letter
  kMismatch,   ///< does not fit what it names (type, phase, signal): a dead letter
  kEnded,      ///< the saga has ended
  kRefused,    ///< an operator's action or an update that does not fit
};

/// What the parent is told of a child saga that was not started for it: its id is taken, or its input does not fit.
[[nodiscard]] Message refusal_of_child(const Environment& environment, const SagaAddress& address,
                                       const ParentCommand& command, std::string reason);

/// Every judgement but kApplied wrote nothing and counts only if the fence confirms it.
struct Verdict {
  Judgement judgement = Judgement::kApplied;
  std::string reason;  ///< one sentence, unless applied
  std::string answer;  ///< JSON: of an update that was applied, now or before
  std::optional<Transition> transition;
};

}  // namespace skald::engine
