// A schema of one test in the PostgreSQL that SKALD_TEST_POSTGRES names: migrated when it comes, dropped when it goes.
#pragma once

#include <chrono>
#include <string>

#include "postgres/postgres_store.hpp"

namespace skald::postgres {

class TestDatabase {
 public:
  enum class Content { kNothing, kTables };
  enum class Server { kFirst, kSecond };  ///< the second is another cluster: SKALD_TEST_POSTGRES_SECOND
  explicit TestDatabase(Content content = Content::kTables, Server server = Server::kFirst);
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  [[nodiscard]] static std::string uri(Server server = Server::kFirst);
  [[nodiscard]] const std::string& schema() const { return schema_; }
  [[nodiscard]] StoreOptions options() const;
  /// As an administrator would, with the schema in search_path; the first column of the first row.
  std::string sql(const std::string& text) const;
  /// Everything stored becomes that much older.
  void let_time_pass(std::chrono::milliseconds span) const;

 private:
  std::string uri_;
  std::string schema_;
};

}  // namespace skald::postgres
