// Exported histories: a JSON object a line, with all that replay needs. `export` writes them, `replay` reads them.
//
//   {"definition":"place-order","id":"o-17","revision":1,"status":"running","sequence":3,"run_from":1,"key":"…",
//    "history":[{"sequence":1,"events":"…"},…]}
//
// `events` is a row's text as stored, checksum and all (engine/event.hpp). Members a reader does not know are left alone.
#pragma once

#include <string>
#include <string_view>

#include "ports/store.hpp"

namespace skald::app {

[[nodiscard]] std::string to_history_line(const StoredSaga& saga);
/// kInvalid: the message names the member.
[[nodiscard]] Result<StoredSaga> from_history_line(std::string_view line);

}  // namespace skald::app
