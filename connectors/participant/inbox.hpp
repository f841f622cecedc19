// The inbox: what this participant knows of each idempotency key, and what a command that arrives may do. `judge` is
// the whole promise in one pure table; the rest moves rows, set-based, inside the batch's transaction. One thread.
//
// A key's row is inserted before anything else, so a second process that got the same key waits for the first one's
// commit. A settled row never changes again but from done or later to cancelled. Failures that settle nothing (retryable,
// expired, a compensation that failed) are remembered for their command id only: who sends that command again gets
// the same answer, and the next attempt executes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ports/bus.hpp"
#include "postgres.hpp"
#include "wire/cloud_events.hpp"

namespace skald::participant::detail {

/// Stored: append only.
enum class Settled : std::int16_t {
  kOpen = 0,       ///< nothing took effect so far
  kDone = 1,       ///< the action took effect; `reply` is its output
  kRefused = 2,    ///< the action was refused for good; `reply` is the failure
  kCancelled = 3,  ///< a compensation came: the action never takes effect again
  kLater = 4,      ///< the action's handler ran, and somebody else completes the step
};

struct InboxEntry {
  Settled settled = Settled::kOpen;
  std::string reply;  ///< JSON
};

enum class Verdict {
  kExecute,        ///< run the action's handler
  kCompensate,     ///< run the compensation's handler
  kCancel,         ///< nothing to undo: settle as cancelled, answer success
  kExpired,        ///< too late: answer so, remember it for this command id
  kStored,         ///< answer success with the stored output
  kStoredFailure,  ///< answer the stored failure
  kCancelled,      ///< answer failed, code `cancelled`
  kNothingToUndo,  ///< answer success
  kRemembered,     ///< answer what this command id was answered before
  kSilent,         ///< no answer: it comes from elsewhere
};

[[nodiscard]] Verdict judge(const InboxEntry& entry, wire::Phase phase, bool is_remembered, bool is_expired);

/// An answer that settles nothing.
struct RememberedFailure {
  std::string command_id;
  std::string failure;  ///< JSON
};

struct InboxUpdate {
  std::string idempotency_key;
  InboxEntry entry;
};

struct LoadedInbox {
  Time now{};  ///< PostgreSQL's clock at the start of the transaction
  std::unordered_map<std::string, InboxEntry> entries;    ///< those that are not open
  std::unordered_map<std::string, std::string> failures;  ///< by command id
};

/// How far a partition was answered, with the mark by which another log under the same name is told from this one.
struct ReadPosition {
  PartitionOffset next;
  std::uint32_t last_checksum = 0;  ///< of the record before `next`
};

/// CRC-32C over key and value.
[[nodiscard]] std::uint32_t checksum_of(const Record& record);

/// Which log the positions are of.
struct ReaderId {
  std::string cluster_id;
  std::string group;
};

/// Tables, created in the connection's schema if they are not there; safe while others do the same.
void create_tables(Connection& connection, const std::string& schema, const std::string& additional_sql);

/// BEGIN, and rows for these commands' keys, each locked by this transaction when it returns.
[[nodiscard]] LoadedInbox begin_with_inbox(Connection& connection, std::span<const wire::Command> commands);
/// BEGIN only, as if no key had ever been seen.
[[nodiscard]] LoadedInbox begin_without_inbox(Connection& connection);
/// Writes what was settled and remembered, moves positions forward, COMMIT: one round trip.
void settle_and_commit(Connection& connection, std::span<const InboxUpdate> updates,
                       std::span<const RememberedFailure> failures, const ReaderId& reader,
                       std::span<const ReadPosition> positions);

[[nodiscard]] std::map<TopicPartition, ReadPosition> load_positions(Connection& connection,
                                                                    const ReaderId& reader);
void save_positions(Connection& connection, const ReaderId& reader, std::span<const ReadPosition> positions);
/// The log is another one now: reading starts anew, the inbox recognises what it has seen.
void forget_position(Connection& connection, const ReaderId& reader, const TopicPartition& partition);

}  // namespace skald::participant::detail
