// One batch of commands in one transaction: inbox first, handlers, settlement, commit, and then the replies, one for
// each command and in their order; none for one that is completed later, nor for one whose breaker opened before its
// handler was called. Nothing of it is
// visible before the commit. One thread.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "command_limits.hpp"
#include "inbox.hpp"
#include "log.hpp"
#include "postgres.hpp"
#include "skald/participant.hpp"
#include "wire/cloud_events.hpp"

namespace skald::participant::detail {

using Steps = std::map<std::string, Step, std::less<>>;

struct BatchContext {
  const Steps& steps;
  std::string source;  ///< `ce_source` of the replies
  bool unsafe_without_inbox = false;
  ReaderId reader;
  Statistics& statistics;
  LogLimit& handler_broke;
  CommandLimits& limits;
  CommandLimits::Now (*now)();
};

/// What one round may take for granted of its failures.
enum class OnConflict {
  kThrow,   ///< a deadlock or lock timeout inside a handler fails the batch: the caller tries again
  kAnswer,  ///< it is the handler's retryable failure: tried often enough
};

/// What became of one command.
struct Executed {
  std::optional<wire::Reply> reply;
  bool put_off = true;  ///< not executed and not answered
};

/// Throws ConnectionLost (may have committed: do it again, the inbox knows) or SqlError (nothing took effect; the
/// connection was rolled back).
[[nodiscard]] std::vector<Executed> execute_batch(Connection& connection, const BatchContext& context,
                                                  std::span<const wire::Command> commands,
                                                  std::span<CommandLimits::Ticket> tickets,
                                                  std::span<const ReadPosition> positions,
                                                  OnConflict on_conflict);

/// Passing, and no fault of the statement: serialization, deadlock, lock or statement timeout, shutdown, resources.
[[nodiscard]] bool is_transient(const SqlError& error);

}  // namespace skald::participant::detail
