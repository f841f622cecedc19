// The only file that knows libpq. Errors leave it as SqlError (the statement) or ConnectionLost (everything else).
#include "postgres.hpp"

#include <libpq-fe.h>

#include <charconv>
#include <cstdio>
#include <cstring>

#include "postgres/refusal.hpp"

namespace skald::participant {
namespace detail {

struct ResultHandle {
  PGresult* result;
  explicit ResultHandle(PGresult* given) : result(given) {}
  ResultHandle(const ResultHandle&) = delete;
  ResultHandle& operator=(const ResultHandle&) = delete;
  ~ResultHandle() { PQclear(result); }
};

namespace {

constexpr std::size_t kMaximumPrepared = 256;  ///< beyond: parsed each time
/// Below Kafka's session timeout, so that a stopped process does not block others' rows for long.
constexpr const char* kSessionSettings =
    "SET lock_timeout = '5s'; SET statement_timeout = '20s'; SET idle_in_transaction_session_timeout = '20s';"
    "SET client_min_messages = warning;";

SqlError error_of(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return {state ? state : "", message ? message : PQresultErrorMessage(result)};
}

/// A name derived from the text: statements live as long as the connection does.
std::string statement_name(std::string_view sql) {
  return "s" + std::to_string(std::hash<std::string_view>{}(sql)) + "_" + std::to_string(sql.size());
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string quoted_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

}  // namespace

void Connection::Closer::operator()(pg_conn* connection) const noexcept { PQfinish(connection); }

Connection::Connection(const std::string& uri, const std::string& schema) {
  // Later keywords win, so the URI may override all but the name.
  const char* const keywords[] = {"connect_timeout", "tcp_user_timeout",          "keepalives_idle",
                                  "dbname",          "fallback_application_name", nullptr};
  const auto application = "skald-participant " + schema;
  const char* const values[] = {"5", "15000", "10", uri.c_str(), application.c_str(), nullptr};
  connection_.reset(PQconnectdbParams(keywords, values, 1));
  if (!connection_) lose();
  if (PQstatus(connection_.get()) != CONNECTION_OK) {
    if (const std::string message = PQerrorMessage(connection_.get()); postgres::is_refusal(message))
      throw ConnectionRefused(first_line(message));
    lose();
  }
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  const auto name = quoted_identifier(schema);
  run_script(std::string(kSessionSettings) + "SET search_path = " + name + ", public;");
}

Connection::~Connection() = default;

void Connection::lose() {
  std::string message = connection_ ? PQerrorMessage(connection_.get()) : "out of memory";
  while (!message.empty() && message.back() == '\n') message.pop_back();
  connection_.reset();
  throw ConnectionLost(message);
}

void Connection::run_script(const std::string& sql) {
  if (!connection_) throw ConnectionLost("not connected");
  const ResultHandle result(PQexec(connection_.get(), sql.c_str()));
  const auto status = PQresultStatus(result.result);
  if (PQstatus(connection_.get()) == CONNECTION_BAD) lose();
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw error_of(result.result);
}

void Connection::send(const Statement& statement, std::vector<std::string>& preparing, std::size_t& expected,
                      std::vector<bool>& wanted) {
  auto* connection = connection_.get();
  std::vector<const char*> values;
  values.reserve(statement.parameters.size());
  for (const auto& parameter : statement.parameters)
    values.push_back(parameter.text() ? parameter.text()->c_str() : nullptr);
  const auto count = static_cast<int>(values.size());
  const std::string sql(statement.sql);
  const auto name = statement_name(sql);
  bool is_prepared = prepared_.contains(name);
  for (const auto& other : preparing) is_prepared = is_prepared || other == name;
  if (!is_prepared && count > 0 && prepared_.size() + preparing.size() < kMaximumPrepared) {
    if (PQsendPrepare(connection, name.c_str(), sql.c_str(), 0, nullptr) == 0) lose();
    preparing.push_back(name);
    wanted.push_back(false);
    ++expected;
    is_prepared = true;
  }
  const int sent =
      is_prepared
          ? PQsendQueryPrepared(connection, name.c_str(), count, values.data(), nullptr, nullptr, 0)
          : PQsendQueryParams(connection, sql.c_str(), count, nullptr, values.data(), nullptr, nullptr, 0);
  if (sent == 0) lose();
  wanted.push_back(true);
  ++expected;
}

std::vector<Rows> Connection::run(std::span<const Statement> statements) {
  if (!connection_) throw ConnectionLost("not connected");
  auto* connection = connection_.get();
  std::vector<std::string> preparing;
  std::vector<bool> wanted;
  std::size_t expected = 0;
  if (PQenterPipelineMode(connection) == 0) lose();
  for (const auto& statement : statements) send(statement, preparing, expected, wanted);
  if (PQpipelineSync(connection) == 0) lose();

  std::vector<Rows> rows;
  std::optional<SqlError> error;
  std::size_t prepared = 0;
  for (std::size_t index = 0; index < expected; ++index) {
    auto handle = std::make_shared<ResultHandle>(PQgetResult(connection));
    const auto status = PQresultStatus(handle->result);
    if (handle->result == nullptr || PQstatus(connection) == CONNECTION_BAD) lose();
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
      if (wanted[index])
        rows.emplace_back(std::move(handle));
      else
        prepared_.insert(preparing[prepared++]);
    } else if (status == PGRES_FATAL_ERROR && !error) {
      error = error_of(handle->result);
    }
    while (PGresult* rest = PQgetResult(connection))
      PQclear(rest);  // up to the null that ends this statement
  }
  const ResultHandle sync(PQgetResult(connection));
  if (PQresultStatus(sync.result) != PGRES_PIPELINE_SYNC || PQexitPipelineMode(connection) == 0) lose();
  if (error) throw *error;
  return rows;
}

Rows Connection::run(const Statement& statement) { return run(std::span(&statement, 1)).front(); }

bool Connection::in_failed_transaction() const {
  return !connection_ || PQtransactionStatus(connection_.get()) == PQTRANS_INERROR;
}

bool Connection::roll_back() noexcept {
  if (!connection_) return false;
  try {
    if (PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) run_script("ROLLBACK");
    return true;
  } catch (const std::exception&) {
    connection_.reset();
    return false;
  }
}

}  // namespace detail

// --- rows and parameters -----------------------------------------------------------------------------------------

std::size_t Rows::size() const noexcept {
  return result_ ? static_cast<std::size_t>(PQntuples(result_->result)) : 0;
}

std::size_t Rows::affected() const noexcept {
  if (!result_) return 0;
  const char* text = PQcmdTuples(result_->result);
  std::size_t count = 0;
  std::from_chars(text, text + std::strlen(text), count);
  return count;
}

bool Rows::is_null(std::size_t row, std::size_t column) const noexcept {
  return !result_ || row >= size() || column >= static_cast<std::size_t>(PQnfields(result_->result)) ||
         PQgetisnull(result_->result, static_cast<int>(row), static_cast<int>(column)) == 1;
}

std::string_view Rows::text(std::size_t row, std::size_t column) const noexcept {
  if (is_null(row, column)) return {};
  const int r = static_cast<int>(row);
  const int c = static_cast<int>(column);
  return {PQgetvalue(result_->result, r, c), static_cast<std::size_t>(PQgetlength(result_->result, r, c))};
}

std::int64_t Rows::integer(std::size_t row, std::size_t column) const noexcept {
  const auto digits = text(row, column);
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

namespace {

template <class Values, class Append>
std::string array_text(const Values& values, Append append) {
  std::string text = "{";
  for (const auto& value : values) {
    if (text.size() > 1) text += ',';
    append(text, value);
  }
  return text + "}";
}

}  // namespace

Parameter::Parameter(double value) {
  char text[40];
  text_ = std::string(text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "%.17g", value)));
}

Parameter::Parameter(std::span<const std::string> values)
    : text_(array_text(values, [](std::string& text, const std::string& value) {
        text += '"';
        for (const char c : value) {
          if (c == '"' || c == '\\') text += '\\';
          text += c;
        }
        text += '"';
      })) {}

Parameter::Parameter(std::span<const std::int64_t> values)
    : text_(
          array_text(values, [](std::string& text, std::int64_t value) { text += std::to_string(value); })) {}

// --- transaction -------------------------------------------------------------------------------------------------

void Transaction::begin_handler(std::string_view idempotency_key, std::string_view saga_id, int attempt,
                                std::string_view token) {
  token_ = token;
  completes_later_ = false;
  idempotency_key_ = idempotency_key;
  saga_id_ = saga_id;
  attempt_ = attempt;
  savepoint_ = Savepoint::kWanted;
}

void Transaction::complete_later() {
  if (token_.empty())
    throw std::logic_error("complete_later: there is no token by which it could be completed");
  completes_later_ = true;
}

Rows Transaction::run(std::string_view sql, std::vector<Parameter> parameters) {
  if (savepoint_ != Savepoint::kWanted) return connection_.run(detail::Statement{sql, std::move(parameters)});
  std::vector<detail::Statement> group;
  if (left_open_) group.push_back({"RELEASE SAVEPOINT handler"});
  group.push_back({"SAVEPOINT handler"});
  group.push_back({sql, std::move(parameters)});
  savepoint_ = Savepoint::kOpen;  // whatever happens to the last of them
  left_open_ = true;
  return connection_.run(group).back();
}

bool Transaction::end_handler() {
  savepoint_ = Savepoint::kNone;
  return !connection_.in_failed_transaction();
}

void Transaction::undo_handler() {
  if (savepoint_ == Savepoint::kOpen || connection_.in_failed_transaction())
    connection_.run(detail::Statement{"ROLLBACK TO SAVEPOINT handler"});
  savepoint_ = Savepoint::kNone;
}

}  // namespace skald::participant
