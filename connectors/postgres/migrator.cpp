// The bookkeeping table comes first, then one transaction a migration; everything under one advisory lock, so that
// whoever comes second finds the work done. Checksums tell a migration that was edited after its release.
#include "postgres/migrator.hpp"

#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>

#include "postgres/connection.hpp"
#include "postgres/migrations.hpp"

namespace skald::postgres {
namespace {

struct Applied {
  std::string checksum;
  int oldest_binary = 0;
};

std::string checksum_of(const std::string& sql) {  // FNV-1a: tells an edit, not an attack
  std::uint64_t hash = 14695981039346656037u;
  for (const char byte : sql) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211u;
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

ConnectionSettings settings_of(const std::string& uri, const std::string& schema) {
  using std::chrono::milliseconds;
  // A migration may build an index for a while; waiting for another migrator may take as long.
  return {.uri = uri,
          .schema = schema,
          .application_name = "skald-migrate",
          .connect_timeout = milliseconds{5000},
          .lock_timeout = milliseconds{60000},
          .idle_in_transaction_timeout = milliseconds{60000},
          .statement_timeout = std::chrono::hours{1},
          .call_timeout = std::chrono::hours{2}};
}

void create_bookkeeping(pqxx::transaction_base& transaction, const std::string& schema) {
  const auto exists =
      transaction.exec("SELECT 1 FROM pg_namespace WHERE nspname = " + transaction.quote(schema));
  if (exists.empty())
    transaction.exec("CREATE SCHEMA " + quoted_identifier(schema));  // a right that only now is needed
  transaction.exec(R"(
CREATE TABLE IF NOT EXISTS schema_version (
  version       int NOT NULL PRIMARY KEY,
  description   text NOT NULL,
  checksum      text NOT NULL,
  oldest_binary int NOT NULL,
  applied_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE schema_version IS 'The migrations applied. oldest_binary: older binaries refuse to start on this schema.')");
}

std::map<int, Applied> read_applied(pqxx::transaction_base& transaction) {
  std::map<int, Applied> applied;
  for (const auto& row : transaction.exec("SELECT version, checksum, oldest_binary FROM schema_version"))
    applied[row[0].as<int>()] = {row[1].c_str(), row[2].as<int>()};
  return applied;
}

void apply(pqxx::transaction_base& transaction, const Migration& migration) {
  transaction.exec(migration.sql);
  transaction.exec("INSERT INTO schema_version (version, description, checksum, oldest_binary) VALUES (" +
                   std::to_string(migration.version) + ", " + transaction.quote(migration.description) +
                   ", " + transaction.quote(checksum_of(migration.sql)) + ", " +
                   std::to_string(migration.oldest_binary) + ")");
}

/// In its own transaction, under the lock that transaction holds. True if this call did it.
bool apply_if_missing(Connection& connection, const std::string& schema, const Migration& migration,
                      MigrationReport& report) {
  pqxx::work transaction{connection.raw()};
  transaction.exec("SELECT pg_advisory_xact_lock(hashtextextended(" + transaction.quote("skald/" + schema) +
                   ", 1))");
  create_bookkeeping(transaction, schema);
  const auto applied = read_applied(transaction);
  if (report.to == 0 && !applied.empty()) report.from = report.to = applied.rbegin()->first;
  const auto found = applied.find(migration.version);
  const bool missing = found == applied.end();
  if (missing) {
    apply(transaction, migration);
  } else if (found->second.checksum != checksum_of(migration.sql)) {
    throw Refusal{{ErrorKind::kRefused, kMigrationEdited,
                   "migration V" + std::to_string(migration.version) + " in schema \"" + schema +
                       "\" is not the one this binary knows: it was edited after it had been applied"}};
  }
  connection.commit(transaction);
  if (missing) report.to = std::max(report.to, migration.version);
  return missing;
}

}  // namespace

Migrator::Migrator(std::string uri, std::string schema) : uri_(std::move(uri)), schema_(std::move(schema)) {}

int Migrator::binary_version() { return static_cast<int>(migrations().size()); }

Result<MigrationReport> Migrator::migrate() {
  Connection connection{settings_of(uri_, schema_), std::make_shared<Watchdog>()};
  return connection.run([&](Connection& opened) -> Result<MigrationReport> {
    MigrationReport report;
    for (const Migration& migration : migrations())
      if (apply_if_missing(opened, schema_, migration, report)) report.applied.push_back(migration.version);
    return report;
  });
}

Result<void> Migrator::check(int binary_version) {
  Connection connection{settings_of(uri_, schema_), std::make_shared<Watchdog>()};
  return connection.run(
      [&](Connection& opened) -> Result<void> { return check_schema(opened, schema_, binary_version); });
}

Result<void> check_schema(Connection& connection, const std::string& schema, int binary_version) {
  pqxx::nontransaction transaction{connection.raw()};
  const auto refuse = [&](const std::string& what) {
    return Error{ErrorKind::kRefused, kSchemaDoesNotFit, "PostgreSQL schema \"" + schema + "\" " + what};
  };
  const auto table = transaction.exec(
      "SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), current_user"
      " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = 'schema_version'"
      " AND n.nspname = " +
      transaction.quote(schema));
  if (table.empty()) return refuse("does not exist or holds no Skald tables: run `migrate`");
  if (!table[0][0].as<bool>())
    return refuse("may not be read by role " + table[0][1].as<std::string>() +
                  ": see docs/tables.md for its rights");
  const auto applied = read_applied(transaction);
  const int version = applied.empty() ? 0 : applied.rbegin()->first;
  if (version < binary_version)
    return refuse("is at V" + std::to_string(version) + ", this binary needs V" +
                  std::to_string(binary_version) + ": run `migrate`");
  for (const auto& [number, migration] : applied)
    if (migration.oldest_binary > binary_version)
      return refuse("is at V" + std::to_string(version) + ", which serves binaries from V" +
                    std::to_string(migration.oldest_binary) + " on; this one is V" +
                    std::to_string(binary_version) + ": deploy a newer binary");
  return {};
}

}  // namespace skald::postgres
