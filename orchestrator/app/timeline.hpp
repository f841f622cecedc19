// A saga's history for people: what `show` prints. Pure.
#pragma once

#include <string>
#include <vector>

#include "ports/store.hpp"

namespace skald::app {

/// The whole saga: a head, then a line an event with its time, the time since the event before, and what matters.
[[nodiscard]] std::string timeline(const StoredSaga& saga);

/// A line a saga, columns aligned: what `list` prints.
[[nodiscard]] std::string saga_table(const std::vector<SagaRow>& rows, Time now);

/// "340ms", "12.4s", "3m 20s", "2h 5m", "6d 3h".
[[nodiscard]] std::string format_span(std::chrono::milliseconds span);

}  // namespace skald::app
