// How commands reach the databases of a namespace: one of them, or each after the other. Errors name the database if there
// are several. Without state; for any thread.
#pragma once

#include <functional>
#include <memory>

#include "app/config.hpp"
#include "ports/store.hpp"
#include "postgres/postgres_store.hpp"

namespace skald::app {

/// As the configuration has it; nothing of slots, which a process that works on them claims.
[[nodiscard]] postgres::StoreOptions store_of(const Config& config, const DatabaseConfig& database);
/// The same error, of this database.
[[nodiscard]] Error of_database(const DatabaseConfig& database, Error error);
[[nodiscard]] Result<std::unique_ptr<Session>> open_session(const Config& config,
                                                            const DatabaseConfig& database);
/// Stops at the first error.
[[nodiscard]] Result<void> in_each(const Config& config,
                                   const std::function<Result<void>(const DatabaseConfig&, Session&)>& work);

}  // namespace skald::app
