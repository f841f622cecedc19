// Connecting: the caller's URI, our defaults beneath it, then the settings by which every statement of ours has the
// plan it was written for and no lock is held for long.
#include "postgres/connection.hpp"

#include <fcntl.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>
#include <map>

namespace skald::postgres {
namespace {

std::string quoted_value(std::string_view value) {  // of a key=value connection string
  std::string quoted = "'";
  for (const char byte : value) {
    if (byte == '\'' || byte == '\\') quoted.push_back('\\');
    quoted.push_back(byte);
  }
  return quoted + "'";
}

std::string seconds(std::chrono::milliseconds span) {
  return std::to_string(std::max<std::int64_t>(2, (span.count() + 999) / 1000));  // libpq takes 1 for 2
}

std::string session_settings(const ConnectionSettings& settings) {
  const auto timeout = [](const char* name, std::chrono::milliseconds span) {
    return "SET " + std::string{name} + " = " + std::to_string(span.count()) + ";";
  };
  return "SET search_path = " + quoted_identifier(settings.schema) + ";" +
         timeout("lock_timeout", settings.lock_timeout) +
         timeout("idle_in_transaction_session_timeout", settings.idle_in_transaction_timeout) +
         timeout("statement_timeout", settings.statement_timeout) +
         "SET default_transaction_isolation = 'read committed';"
         "SET client_min_messages = warning;"
         // Every statement is a look-up by key from an array: nested loops on an index, also while tables are small
         // or statistics old, so rows are locked in the order of the array.
         "SET plan_cache_mode = force_generic_plan;"
         "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;"
         // A commit that was acknowledged must survive a crash of the server.
         "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = "
         "'off'";
}

}  // namespace

std::string quoted_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char byte : name) quoted.append(byte == '"' ? 2 : 1, byte);
  return quoted + "\"";
}

Result<std::string> connection_string(const ConnectionSettings& settings) {
  char* problem = nullptr;
  PQconninfoOption* parsed = PQconninfoParse(settings.uri.c_str(), &problem);
  PQfreemem(problem);  // it quotes what it could not read
  if (!parsed)
    return Error{ErrorKind::kRefused, code_of(ErrorKind::kRefused),
                 "the PostgreSQL address is neither a libpq URI nor a key=value string"};
  std::map<std::string, std::string> options{
      {"application_name", settings.application_name},
      {"connect_timeout", seconds(settings.connect_timeout)},
      {"keepalives_idle", "5"},
      {"keepalives_interval", "3"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", std::to_string(settings.statement_timeout.count())},
      {"target_session_attrs", "read-write"},  // of several hosts the primary
  };
  for (const PQconninfoOption* option = parsed; option->keyword; ++option)
    if (option->val && *option->val) options[option->keyword] = option->val;
  PQconninfoFree(parsed);
  options["client_encoding"] = "UTF8";
  std::string text;
  for (const auto& [keyword, value] : options) text += keyword + "=" + quoted_value(value) + " ";
  return text;
}

pqxx::result Connection::exec(const Statement& statement, const shim::Parameters& parameters) {
  pqxx::nontransaction transaction{*connection_};
  return exec(transaction, statement, parameters);
}

pqxx::result Connection::exec_committing(const Statement& statement, const shim::Parameters& parameters) {
  stage_ = Stage::kCommitting;  // until the next run(): whatever fails after the statement, it took effect
  return exec(statement, parameters);
}

void Connection::commit(pqxx::work& transaction) {
  stage_ = Stage::kCommitting;
  transaction.commit();
  stage_ = Stage::kWorking;
}

void Connection::connect() {
  if (connection_ && connection_->is_open()) return;
  disconnect();
  const auto text = connection_string(settings_);
  if (!text) throw Refusal{text.error()};
  auto connection = std::make_unique<pqxx::connection>(*text);
  shim::forbid_silent_reconnect(*connection);
  connection_ = std::move(connection);
  ++watchdog_->connections;
  watched_socket_ = fcntl(connection_->sock(), F_DUPFD_CLOEXEC, 0);
  const Watchdog::Watch watch{*watchdog_, watched_socket_, settings_.connect_timeout};
  pqxx::nontransaction transaction{*connection_};
  transaction.exec(session_settings(settings_));
  ++connects_;
}

void Connection::disconnect() {
  if (connection_) --watchdog_->connections;
  connection_.reset();
  prepared_.clear();
  if (watched_socket_ >= 0) ::close(watched_socket_);
  watched_socket_ = -1;
}

Error Connection::fail(const std::exception_ptr& thrown) {
  Error error = translate(thrown, stage_);
  // Refused data leaves the connection as good as it was, and a batch is then tried in parts. After anything else a
  // new connection is the cheap way to be sure: it also prepares anew what a migration has outdated.
  const bool usable = connection_ && connection_->is_open() && error.kind == ErrorKind::kInvalid;
  if (!usable) disconnect();
  return error;
}

}  // namespace skald::postgres
