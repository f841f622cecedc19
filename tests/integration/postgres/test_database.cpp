// Ageing moves every moment that is compared with the clock into the past: tests wait for nothing.
#include "test_database.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <pqxx/pqxx>

#include "postgres/migrator.hpp"

namespace skald::postgres {

std::string TestDatabase::uri(Server server) {
  const char* name = server == Server::kFirst ? "SKALD_TEST_POSTGRES" : "SKALD_TEST_POSTGRES_SECOND";
  const char* given = std::getenv(name);
  if (!given || !*given) {
    ADD_FAILURE() << name << " is not set: ./dev test starts a PostgreSQL and sets it";
    return "postgresql://127.0.0.1:1/none";
  }
  return given;
}

TestDatabase::TestDatabase(Content content, Server server) : uri_(uri(server)) {
  static std::atomic<int> counter{0};
  schema_ = "skald_test_" + std::to_string(getpid()) + "_" + std::to_string(++counter);
  sql("DROP SCHEMA IF EXISTS " + schema_ + " CASCADE");
  if (content == Content::kTables) {
    const auto migrated = Migrator{uri_, schema_}.migrate();
    EXPECT_TRUE(migrated) << migrated.error().message;
  }
}

TestDatabase::~TestDatabase() {
  try {
    sql("DROP SCHEMA IF EXISTS " + schema_ + " CASCADE");
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
}

StoreOptions TestDatabase::options() const {
  StoreOptions options;
  options.uri = uri_;
  options.schema = schema_;
  options.namespace_name = "test";
  options.application_name = schema_;
  return options;
}

std::string TestDatabase::sql(const std::string& text) const {
  pqxx::connection connection{uri_};
  pqxx::work transaction{connection};
  transaction.exec("SET search_path = " + schema_ + "; SET client_min_messages = warning");
  const auto rows = transaction.exec(text);
  transaction.commit();
  return rows.empty() || rows.columns() == 0 ? "" : rows[0][0].c_str();
}

void TestDatabase::let_time_pass(std::chrono::milliseconds span) const {
  const std::string ago = " - interval '" + std::to_string(span.count()) + " ms'";
  sql("UPDATE saga SET wake_at = CASE WHEN wake_at < '9999-01-01 00:00:00+00' THEN wake_at" + ago +
      " ELSE wake_at END, lease_until = lease_until" + ago);
  sql("UPDATE incarnation SET expires_at = expires_at" + ago);
  sql("UPDATE lease SET expires_at = expires_at" + ago);
  sql("UPDATE parked_input SET lease_until = lease_until" + ago);
  sql("UPDATE schedule SET lease_until = lease_until" + ago);
}

}  // namespace skald::postgres
