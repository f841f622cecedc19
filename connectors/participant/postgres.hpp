// A PostgreSQL connection on libpq: statements are prepared once and sent in groups, one network round trip a group.
// libpq and not libpqxx, because a participant is somebody else's process, with a libpqxx of its own. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "skald/participant/transaction.hpp"

struct pg_conn;

namespace skald::participant::detail {

/// The connection is gone; whether a commit under way took effect is unknown. Not a std::runtime_error, so that a
/// handler's catch of SqlError does not meet it.
class ConnectionLost : public std::exception {
 public:
  explicit ConnectionLost(std::string message) : message_(std::move(message)) {}
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

/// There never was one: PostgreSQL knows us not, or the database.
class ConnectionRefused final : public ConnectionLost {
 public:
  using ConnectionLost::ConnectionLost;
};

struct Statement {
  std::string_view sql;
  std::vector<Parameter> parameters{};
};

class Connection {
 public:
  /// Throws ConnectionLost if PostgreSQL is not reached, SqlError if it refuses. `schema` comes first
  /// in the search path.
  Connection(const std::string& uri, const std::string& schema);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// One round trip. Throws SqlError for the first statement that fails; those after it were not executed.
  std::vector<Rows> run(std::span<const Statement> statements);
  Rows run(const Statement& statement);
  /// Several statements in one text, without parameters.
  void run_script(const std::string& sql);

  /// Also when the connection is lost.
  [[nodiscard]] bool in_failed_transaction() const;
  /// Ends a transaction after an error; never throws. False: the connection is unusable.
  bool roll_back() noexcept;

 private:
  void send(const Statement& statement, std::vector<std::string>& preparing, std::size_t& expected,
            std::vector<bool>& wanted);
  [[noreturn]] void lose();

  struct Closer {
    void operator()(pg_conn* connection) const noexcept;
  };
  std::unique_ptr<pg_conn, Closer> connection_;
  std::unordered_set<std::string> prepared_;  ///< statement names
};

}  // namespace skald::participant::detail
