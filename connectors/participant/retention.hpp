// When inbox rows may go: after their saga's outcome event, and then only once nothing of it can come again, which the
// configured time stands for. Never by age alone: a saga may wait for weeks. One thread.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>

#include "postgres.hpp"
#include "skald/record.hpp"

namespace skald::participant::detail {

/// A saga that ended, as "<ns>/<definition>/<saga id>/", with which its idempotency keys and command ids begin.
struct EndedSaga {
  std::string saga;
  std::string root;  ///< likewise: of a child, the saga whose rollback may still undo it; else empty
};

/// nullopt for what is no saga's end.
[[nodiscard]] std::optional<EndedSaga> ended_saga(const Record& record);

/// Notes the ends; seen before: nothing changes.
void record_ended(Connection& connection, std::span<const EndedSaga> sagas);

/// Deletes what belongs to sagas that ended longer ago, of children the root, a bounded number of them; true if there may be more.
[[nodiscard]] bool purge(Connection& connection, std::chrono::seconds retention);

}  // namespace skald::participant::detail
