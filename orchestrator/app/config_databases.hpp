// The databases of one namespace: one that has every saga, or several that divide the slots among themselves
// (docs/databases.md). Values made while the configuration is read.
#pragma once

#include <string>
#include <vector>

#include "app/config_values.hpp"
#include "skald/result.hpp"
#include "wire/slots.hpp"

namespace skald::app {

struct PostgresConfig {
  std::string uri;  ///< as configured, without the separate password; empty: PG* variables
  std::string password;
  std::string schema = "skald";
  /// What libpq takes, password included. Not for printing.
  [[nodiscard]] std::string conninfo() const;
  /// Host, port and database for people; never a password.
  [[nodiscard]] std::string shown() const;
};

struct DatabaseConfig {
  std::string name;  ///< empty: the only one
  PostgresConfig postgres;
  wire::SlotSet slots = wire::SlotSet::all();
  std::string replies;  ///< the topic where participants answer its sagas
  std::string group;    ///< its consumer group
  /// "PostgreSQL", or "database first", at the beginning of a sentence or in it.
  [[nodiscard]] std::string called() const { return name.empty() ? "PostgreSQL" : "database " + name; }
};

/// The databases that `databases.*` describes, by name, or the `only` one if it describes none. Every slot belongs to
/// exactly one of them, or the error names those that do not.
[[nodiscard]] Result<std::vector<DatabaseConfig>> databases_of(const ConfigValues& values,
                                                               const DatabaseConfig& only);

/// The database that has this slot.
[[nodiscard]] const DatabaseConfig& database_of_slot(const std::vector<DatabaseConfig>& databases, int slot);

}  // namespace skald::app
