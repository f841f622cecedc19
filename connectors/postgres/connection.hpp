// One libpqxx connection as this folder uses it: settings made, statements prepared on first use, and run() as the
// only way in, through which no exception leaves. Reconnects on the next run() after a break. One thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "postgres/errors.hpp"
#include "postgres/pqxx_shim.hpp"
#include "postgres/watchdog.hpp"
#include "skald/result.hpp"

namespace skald::postgres {

/// A statement and the name it is prepared under.
struct Statement {
  const char* name;
  const char* sql;
};

struct ConnectionSettings {
  std::string uri;
  std::string schema;
  std::string application_name;
  std::chrono::milliseconds connect_timeout;
  std::chrono::milliseconds lock_timeout;
  std::chrono::milliseconds idle_in_transaction_timeout;
  std::chrono::milliseconds statement_timeout;
  std::chrono::milliseconds call_timeout;
};

class Connection {
 public:
  Connection(ConnectionSettings settings, std::shared_ptr<Watchdog> watchdog)
      : settings_(std::move(settings)), watchdog_(std::move(watchdog)) {}
  ~Connection() { disconnect(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs `work(*this)`, which may throw, on an open connection; after an error that may have left the connection
  /// unusable it is dropped. Only commit() inside makes an outcome unknown.
  template <class Work>
  auto run(Work&& work) -> decltype(work(*this)) {
    stage_ = Stage::kConnecting;
    try {
      connect();
      stage_ = Stage::kWorking;
      const Watchdog::Watch watch{*watchdog_, watched_socket_, settings_.call_timeout};
      return work(*this);
    } catch (...) {
      return fail(std::current_exception());
    }
  }

  [[nodiscard]] bool is_connected() const { return connection_ != nullptr; }
  /// Counts connections made: what was cached about the database under another number is stale.
  [[nodiscard]] int connects() const { return connects_; }

  // Inside work only; they throw.
  [[nodiscard]] pqxx::connection& raw() { return *connection_; }
  template <class Parameters = shim::Parameters>
  pqxx::result exec(pqxx::transaction_base& transaction, const Statement& statement,
                    const Parameters& parameters = {}) {
    if (prepared_.insert(statement.name).second) connection_->prepare(statement.name, statement.sql);
    return shim::run(transaction, statement.name, parameters);
  }
  /// One statement as a transaction of its own.
  pqxx::result exec(const Statement& statement, const shim::Parameters& parameters = {});
  void commit(pqxx::work& transaction);
  /// The same for a statement that writes: without an answer its outcome is unknown. Last in its run().
  pqxx::result exec_committing(const Statement& statement, const shim::Parameters& parameters);

 private:
  void connect();
  void disconnect();
  Error fail(const std::exception_ptr& thrown);

  ConnectionSettings settings_;
  std::shared_ptr<Watchdog> watchdog_;
  int watched_socket_ = -1;  ///< a duplicate: libpq closes its own as soon as it finds it broken
  std::unique_ptr<pqxx::connection> connection_;
  std::unordered_set<std::string> prepared_;
  Stage stage_ = Stage::kConnecting;
  int connects_ = 0;
};

/// The connection string with our defaults added, or kRefused without repeating any of it: it may hold a password.
[[nodiscard]] Result<std::string> connection_string(const ConnectionSettings& settings);

/// `name` as an SQL identifier.
[[nodiscard]] std::string quoted_identifier(std::string_view name);

/// Migrator::check on an open connection; inside Connection::run only.
[[nodiscard]] Result<void> check_schema(Connection& connection, const std::string& schema,
                                        int binary_version);

}  // namespace skald::postgres
