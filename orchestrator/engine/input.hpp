// What can happen to a saga instance: one type an inbound kind. Plain values, made by the runtime, judged by
// Instance::advance. Each kind's judgement stands in its own file (judge_*.cpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ports/identity.hpp"
#include "skald/local_executor.hpp"
#include "skald/record.hpp"
#include "wire/cloud_events.hpp"

namespace skald::engine {

using wire::Phase;

/// Where one attempt of one step stands: what replies, local results and refused messages name.
struct AttemptId {
  int ordinal = 0;
  Phase phase = Phase::kAction;
  int attempt = 1;
  bool operator==(const AttemptId&) const = default;
};

/// A command whose participant is this saga, of which another one is the parent. Its action starts the saga, its
/// compensation rolls it back.
struct ParentCommand {
  std::string id;        ///< wire::CommandId: names the parent and the attempt of its step
  std::string step;      ///< as the parent calls it
  std::string reply_to;  ///< topic
  Phase phase = Phase::kAction;
  std::string root;              ///< wire::ChildTarget
  int depth = 1;                 ///< likewise
  bool keeps_completed = false;  ///< likewise
  bool operator==(const ParentCommand&) const = default;
};

struct StartInput {
  std::string input;  ///< canonical JSON (SagaDefinition::canonical_input)
  wire::TraceContext trace;
  std::string origin;  ///< where it came from, for people: "orders[3]@1234", "api: alice"
  /// A compensation that came before the action: the saga is cancelled before its code has run.
  std::optional<ParentCommand> parent{};
};

/// A participant's reply, or somebody's who completes a step by its token.
struct ReplyInput {
  AttemptId id;
  std::string step;  ///< empty: whichever it is
  bool succeeded = false;
  std::string data;  ///< JSON, if succeeded
  Failure failure;   ///< if failed: a participant knows that this attempt had no effect
};

/// An attempt is alive, and has come so far.
struct HeartbeatInput {
  AttemptId id;
  std::string step;     ///< empty: whichever it is
  std::string details;  ///< JSON
};

/// An attempt of a local step returned.
struct LocalResult {
  AttemptId id;
  LocalOutcome outcome;
};

/// Time has passed, or somebody wants deadlines looked at. `live`: the incarnations alive now, by which an
/// attempt of a local step whose process died is told. `at`: the database's clock has passed it, whatever the moment
/// says, which may lag; so who was woken at its time is not sent away as too early.
struct Wake {
  std::vector<Incarnation> live;
  Time at{};
};

/// Kafka refused a command for good.
struct Undeliverable {
  AttemptId id;
  std::string reason;
};

/// An input that the database or the code cannot take: makes the saga stuck, keeping the input's bytes.
struct Poison {
  std::string reason;   ///< machine-readable
  std::string message;  ///< for people
  std::string input;    ///< as received
};

/// `cancel`, `terminate`, `pause`, `resume` and `reset` are for open sagas, the others for a stuck one. Stored as numbers:
/// append only.
enum class OperatorVerb { retry, skip, compensate, end, cancel, terminate, pause, resume, reset };

/// Those that need not say at what sequence the operator saw the saga.
[[nodiscard]] constexpr bool is_wherever(OperatorVerb verb) {
  return verb >= OperatorVerb::cancel && verb != OperatorVerb::reset;
}

/// Where a reset lets the code go on from.
struct ResetTarget {
  std::int64_t to = 0;         ///< the transition after which nothing of the code counts any more
  bool keeps_effects = false;  ///< what took effect after it stands; else it is compensated first
};

/// What an operator decided. About a stuck saga it is refused if the saga has moved since the operator looked.
struct OperatorAction {
  OperatorVerb verb = OperatorVerb::retry;
  std::int64_t sequence = 0;  ///< the one the operator saw; 0: whatever it is (is_wherever)
  int ordinal = 0;            ///< the step the operator saw as stuck, 0 for none
  std::string result;         ///< JSON output, for skip
  std::string who;
  std::string why;
  ResetTarget reset{};  ///< for reset
};

/// A value sent to a running saga. A second one of the same source and id is a duplicate.
struct SignalInput {
  std::string name;
  std::string source;
  std::string id;
  std::string data;                ///< JSON
  bool may_be_for_nobody = false;  ///< of a topic that speaks of others too: no saga, no dead letter
};

/// A value sent to a running saga's handler, which answers. A second one of the same source and id gets the answer of
/// the first.
struct UpdateInput {
  std::string name;
  std::string source;
  std::string id;
  std::string data;  ///< JSON
};

using Input = std::variant<ReplyInput, LocalResult, Wake, Undeliverable, Poison, OperatorAction, SignalInput,
                           UpdateInput, ParentCommand, HeartbeatInput>;

}  // namespace skald::engine
