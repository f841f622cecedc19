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

/// "<ns>/<definition>/<saga id>/", with which the saga's idempotency keys and command ids begin; nullopt for what is no
/// saga's end.
[[nodiscard]] std::optional<std::string> ended_saga(const Record& record);

/// Notes the end; seen before: nothing changes.
void record_ended(Connection& connection, std::span<const std::string> sagas);

/// Deletes what belongs to sagas that ended longer ago, a bounded number of them; true if there may be more.
[[nodiscard]] bool purge(Connection& connection, std::chrono::seconds retention);

}  // namespace skald::participant::detail
