// Commands, replies and outcome events as CloudEvents 1.0 on Kafka: binary mode going out, binary or
// structured mode coming in. Whatever a reader here accepts is bounded, valid UTF-8 JSON and safe to store
// and to log; everything else is an Error kInvalid whose code and message go into the dead letter. Pure; safe
// from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ports/message.hpp"
#include "skald/record.hpp"
#include "skald/result.hpp"
#include "wire/command_id.hpp"

namespace skald::wire {

/// Records beyond these are refused whole.
inline constexpr std::size_t kMaximumHeaders = 100;
inline constexpr std::size_t kMaximumHeaderBytes = 8 * 1024;
inline constexpr std::size_t kMaximumValueBytes = 1024 * 1024;
/// Longer failure messages are cut here, at a character's end.
inline constexpr std::size_t kMaximumFailureMessageBytes = 2048;

/// W3C trace headers, carried through. Unprintable ones are dropped: tracing never refuses a message.
struct TraceContext {
  std::string traceparent;
  std::string tracestate;
  std::string baggage;
  bool operator==(const TraceContext&) const = default;
};

/// Of a command whose participant is a saga: which one, and what it is to its parent. The message's key is its id.
struct ChildTarget {
  std::string definition;
  std::string saga_id;
  std::string root;  ///< "<ns>/<definition>/<saga id>" of the saga at the top; empty: the child is its own
  int depth = 1;     ///< 1: its parent has none
  bool keeps_completed = false;  ///< a compensation leaves it as it is once it has completed
  bool operator==(const ChildTarget&) const = default;
};

struct Command {
  std::string id;      ///< format(CommandId): a new one for each attempt
  std::string step;    ///< the step's name
  std::string source;  ///< "/skald/<ns>/<definition>"
  std::string saga_id;
  std::string idempotency_key;  ///< the same for every attempt and for the compensation
  Phase phase = Phase::kAction;
  int attempt = 1;
  std::optional<Time> expiry;  ///< not executed afterwards
  std::string reply_to;        ///< topic
  TraceContext trace;
  std::string data;  ///< JSON
  std::optional<ChildTarget> child{};
  std::string checkpoint{};  ///< JSON: the last heartbeat of an attempt before; empty: none
  bool operator==(const Command&) const = default;
};

/// Of a failed reply: {"code", "message", "retryable", "retry_after_ms"}.
struct Failure {
  std::string code;
  std::string message;
  bool retryable = false;
  std::optional<std::chrono::milliseconds>
      retry_after{};  ///< in the place of the saga's own pause; at most a year
  bool operator==(const Failure&) const = default;
};

struct Reply {
  std::string id;
  std::string step;
  std::string source;
  std::string saga_id;
  std::string causation_id;  ///< id of the command it answers
  bool succeeded = false;
  bool heartbeat = false;  ///< neither: the attempt lives, and `data` says how far it has come
  std::string data;        ///< JSON, of a success or a heartbeat
  Failure failure;         ///< of a failure
  TraceContext trace;
  bool operator==(const Reply&) const = default;
};

struct OutcomeEvent {
  std::string id;
  std::string type;  ///< "saga.completed", "saga.compensated", …
  std::string source;
  std::string saga_id;
  Time time{};
  std::string data;  ///< JSON
  TraceContext trace;
  std::string root{};  ///< of a child saga that its parent may still roll back: ChildTarget::root
  bool operator==(const OutcomeEvent&) const = default;
};

[[nodiscard]] Message to_message(const Command& command, std::string topic);
[[nodiscard]] Message to_message(const Reply& reply, std::string topic);
[[nodiscard]] Message to_message(const OutcomeEvent& event, std::string topic);

[[nodiscard]] Result<Command> command_from(const Record& record);
[[nodiscard]] Result<Reply> reply_from(const Record& record);
[[nodiscard]] Result<OutcomeEvent> outcome_from(const Record& record);

/// Refuses a record beyond the limits above, before anything looks into it.
[[nodiscard]] Result<void> check_limits(const Record& record);
/// Does the record claim to be a CloudEvent (binary or structured)? Others are plain JSON, for triggers only.
[[nodiscard]] bool is_cloud_event(const Record& record);
/// A structured-mode record as if it had come in binary mode: attributes as `ce_*` headers, `data` as value.
/// Others are given back unchanged.
[[nodiscard]] Result<Record> to_binary_mode(Record record);
/// The trace headers of any record.
[[nodiscard]] TraceContext trace_of(const Record& record);

/// "/skald/<ns>/<definition>"
[[nodiscard]] std::string source_of(std::string_view ns, std::string_view definition);

/// RFC 3339 in UTC with milliseconds: "2026-11-21T13:05:00.250Z". Moments outside 0001..9999 are clamped.
[[nodiscard]] std::string format_time(Time time);
/// Any RFC 3339 date-time; offsets are applied, a leap second is the last millisecond before it, years before
/// 1970 become the epoch. nullopt: not a date-time.
[[nodiscard]] std::optional<Time> parse_time(std::string_view text);

}  // namespace skald::wire
