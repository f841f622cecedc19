// Event: what a transition says happened, and the text form in which history keeps it. A history row is one
// transition: a head line and an event each, written for people with psql as much as for replay:
//
//   {"at":1763726400000,"build":"4f2a"}
//   {"type":"step","ordinal":1,"step":"reserve-stock","bytes":57}
//   <57 bytes of JSON, exactly as the code gave them>
//   #9a3c01ff                                                CRC-32C of the lines above
//
// Payloads are kept byte for byte, since replay compares them with what the code gives again. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ports/identity.hpp"
#include "skald/failure.hpp"
#include "skald/record.hpp"
#include "skald/result.hpp"
#include "wire/cloud_events.hpp"

namespace skald::engine {

/// A transition is: inbound events, then what the code did, then what follows by rule. Stored by name.
enum class EventKind {
  // Inbound: what reached the saga.
  kStarted,
  kSucceeded,           ///< a step took effect
  kFailed,              ///< an attempt failed: tried again at `retry_at`, or (without) the step has failed
  kAttempt,             ///< another attempt of an action or a compensation goes out
  kLateSuccess,         ///< a step given up did take effect: its compensation will know the output
  kCompensated,         ///< a compensation was acknowledged
  kCompensationFailed,  ///< tried again at `retry_at`, or (without) refused
  kHeartbeat,           ///< an attempt lives, and has come so far
  kDeferred,            ///< a local attempt returned, and somebody completes it by its token
  kFired,               ///< a timer fell due
  kCarried,             ///< what a run that begins anew keeps of those before it
  kSignal,              ///< a signal came: for the first who waits for its name, or kept
  kUpdate,              ///< a handler of the code took an update
  kAnswered,            ///< what it answered
  kParent,              ///< the parent's command: another attempt of its step, or (compensation) to roll back
  kCancel,              ///< somebody wants the saga rolled back, or its deadline passed behind a shield
  kResumed,             ///< what a reset had to undo is undone: the code goes on from there
  kOperator,
  // By the code, compared on replay.
  kStep,       ///< scheduled, with its first attempt unless it is held
  kTimer,      ///< started; one due at its own transition's time has fired
  kRecorded,   ///< a value the code took from elsewhere
  kPatched,    ///< this run has the change of that name
  kAbandoned,  ///< a step given up by the code
  kReturned,   ///< run returned
  kContinued,  ///< run ended and begins anew with this input: a kStarted follows in a row of its own
  kThrew,      ///< StepFailed or SagaFailed left run
  // By rule.
  kRollback,
  kCompensating,  ///< a compensation is scheduled, with its first attempt unless it is held
  kStuck,
  kEnded,
};

enum class EventOrigin { kInbound, kCode, kRule };

struct Event {
  EventKind kind = EventKind::kStarted;
  int ordinal = 0;  ///< of a step; kTimer and kFired: of a timer, which are counted apart
  int attempt = 0;
  wire::Phase phase = wire::Phase::kAction;
  bool pivot = false;
  bool code_ran =
      false;  ///< kStuck: the code had gone on before; else a retry lets it go on from before this row
  std::string step;
  std::string name;  ///< of a signal, an update, a recorded value, a patch
  /// kSignal, kUpdate: by it a second one is told, with `who`; kStep: of the child saga; kStarted, kParent: of the
  /// parent's command.
  std::string id;
  std::string reply_to;  ///< kStarted, kParent: the topic of the answer
  std::string root;      ///< kStarted: of the saga at the top, if that may roll this one back
  int depth = 0;         ///< kStarted: of a child saga
  int group = 0;         ///< kStep: of steps that are undone beside each other
  bool held =
      false;  ///< kStep, kCompensating: no attempt goes out before `retry_at`: the step type is paused
  bool keeps_completed = false;  ///< kParent: not rolled back if it has completed
  bool again = false;   ///< kStep: it took effect before a reset and counts as done; its input stands there
  std::int64_t to = 0;  ///< kOperator (reset), kResumed: the transition from which the code goes on
  bool keeps = false;   ///< kOperator (reset): what took effect after it stands
  std::string data;     ///< JSON payload, byte for byte; may be empty
  Failure failure;      ///< code empty: none
  std::optional<Time> until;  ///< start_to_close of the attempt this event sends, or the timer, falls due
  std::optional<Time> close;  ///< schedule_to_close, or the saga's deadline (kStarted), falls due
  std::optional<Time> retry_at;
  Incarnation runner = 0;  ///< of a local step's attempt
  std::string reason;  ///< kStuck: machine-readable; kOperator: the verb; kEnded: the outcome; kRollback: why
  std::string who;     ///< kOperator, kCancel; kSignal and kUpdate: the source
  std::string why;     ///< kOperator, kStarted: where it came from
  wire::TraceContext trace;  ///< kStarted
};

struct HistoryEntry {
  Time at{};
  std::string build;  ///< empty: as the entry before
  std::vector<Event> events;
};

[[nodiscard]] std::string_view to_string(EventKind kind);
[[nodiscard]] EventOrigin origin_of(EventKind kind);

[[nodiscard]] std::string write_entry(const HistoryEntry& entry);
/// kInvalid: truncated or altered; kRefused: whole, and with something in it that only a newer build knows. The message
/// names the line.
[[nodiscard]] Result<HistoryEntry> read_entry(std::string_view text);

}  // namespace skald::engine
