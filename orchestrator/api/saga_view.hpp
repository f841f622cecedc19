// Sagas and their histories as JSON for people and programs: what the API answers and `show --json` prints.
// Pure; safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "ports/store.hpp"
#include "skald/json.hpp"

namespace skald::api {

/// {"definition":…,"id":…,"status":…,"sequence":…,"started_at":…,…}: members into an open object.
void write_saga(json::Writer& writer, const SagaRow& row);
/// The whole saga with its history; a history row that cannot be read is told in its place, not left out.
[[nodiscard]] std::string saga_json(const StoredSaga& saga);
/// "running", …; nullopt for anything else.
[[nodiscard]] std::optional<SagaStatus> parse_status(std::string_view text);

/// How far a partition is applied, as an object. `database`: its name, empty if there is only one.
void write_position(json::Writer& writer, const std::string& database, const Position& position);

}  // namespace skald::api
