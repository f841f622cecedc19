// One table by SQLSTATE, then the exceptions that carry none. Where nothing is known the answer is kUnavailable
// (wait, try again), never kInvalid: a mistake here must not turn good input into dead letters.
#include "postgres/errors.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <string_view>

#include "postgres/pqxx_shim.hpp"
#include "postgres/refusal.hpp"

namespace skald::postgres {
namespace {

struct Rule {
  std::string_view prefix;  // of the SQLSTATE; the first that fits counts
  ErrorKind kind;
};

constexpr std::array kRules{
    Rule{"0A", ErrorKind::kRetry},           // cached plan no longer fits: the session prepares anew
    Rule{"21", ErrorKind::kInvalid},         // one row twice in a batch
    Rule{"22", ErrorKind::kInvalid},         // data exception
    Rule{"23", ErrorKind::kInvalid},         // constraint
    Rule{"25006", ErrorKind::kUnavailable},  // read-only: a standby, or a primary being demoted
    Rule{"25", ErrorKind::kUnavailable},     // idle in transaction too long: the server hung up
    Rule{"26", ErrorKind::kRetry},           // prepared statement gone: the session prepares anew
    Rule{"28", ErrorKind::kRefused},         // credentials
    Rule{"3D", ErrorKind::kRefused},         // no such database
    Rule{"3F", ErrorKind::kRefused},         // no such schema
    Rule{"40003", ErrorKind::kUnknown},      // statement completion unknown
    Rule{"40", ErrorKind::kRetry},           // serialization failure, deadlock
    Rule{"42", ErrorKind::kRefused},         // no such table, no permission
    Rule{"53", ErrorKind::kUnavailable},     // disk full, out of memory, too many connections
    Rule{"54", ErrorKind::kInvalid},         // program limit exceeded: too large
    Rule{"55P03", ErrorKind::kRetry},        // lock timeout
    Rule{"57014", ErrorKind::kRetry},        // statement timeout, cancelled
};

std::string first_line(const char* what) {
  const std::string_view text{what};
  return std::string{text.substr(0, std::min(text.find('\n'), std::size_t{500}))};
}

Error make(ErrorKind kind, Stage stage, const std::string& sqlstate, const char* what) {
  std::string message = stage != Stage::kConnecting   ? "PostgreSQL: "
                        : kind == ErrorKind::kRefused ? "PostgreSQL does not let us in: "
                                                      : "PostgreSQL is not reached: ";
  message += first_line(what);
  if (!sqlstate.empty()) message += " (SQLSTATE " + sqlstate + ")";
  return {kind, code_of(kind), std::move(message)};
}

Error lost(Stage stage, const char* what) {
  if (stage == Stage::kConnecting)
    return make(is_refusal(what) ? ErrorKind::kRefused : ErrorKind::kUnavailable, stage, "", what);
  return make(stage == Stage::kCommitting ? ErrorKind::kUnknown : ErrorKind::kUnavailable, stage, "", what);
}

}  // namespace

const char* code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUnavailable: return "SKALD-331";
    case ErrorKind::kUnknown: return "SKALD-332";
    case ErrorKind::kInvalid: return "SKALD-333";
    case ErrorKind::kRetry: return "SKALD-334";
    case ErrorKind::kRefused: return "SKALD-335";
  }
  return "";
}

ErrorKind kind_of(const std::string& sqlstate, Stage stage) {
  for (const Rule& rule : kRules)
    if (sqlstate.starts_with(rule.prefix)) return rule.kind;
  // A shutdown (57P01) or an internal error at COMMIT may come after the commit record was written.
  return stage == Stage::kCommitting ? ErrorKind::kUnknown : ErrorKind::kUnavailable;
}

Error translate(const std::exception_ptr& thrown, Stage stage) {
  try {
    std::rethrow_exception(thrown);
  } catch (const pqxx::in_doubt_error& error) {
    return make(ErrorKind::kUnknown, stage, "", error.what());
  } catch (const pqxx::statement_completion_unknown& error) {
    return make(ErrorKind::kUnknown, stage, "40003", error.what());
  } catch (const pqxx::deadlock_detected& error) {
    return make(ErrorKind::kRetry, stage, "40P01", error.what());
  } catch (const pqxx::serialization_failure& error) {
    return make(ErrorKind::kRetry, stage, "40001", error.what());
  } catch (const pqxx::transaction_rollback& error) {
    return make(ErrorKind::kRetry, stage, "40", error.what());
  } catch (const pqxx::too_many_connections& error) {
    return make(ErrorKind::kUnavailable, stage, "53300", error.what());
  } catch (const pqxx::broken_connection& error) {
    return lost(stage, error.what());
  } catch (const pqxx::sql_error& error) {
    if (error.sqlstate().empty() || error.sqlstate().starts_with("08")) return lost(stage, error.what());
    return make(kind_of(error.sqlstate(), stage), stage, error.sqlstate(), error.what());
  } catch (const pqxx::conversion_error& error) {
    return make(ErrorKind::kRefused, stage, "", error.what());  // a column is not what this binary expects
  } catch (const Refusal& refusal) {
    return refusal.error();
  } catch (const std::bad_alloc&) {
    return lost(stage, "out of memory in this process");
  } catch (const std::exception& error) {
    return lost(stage, error.what());
  }
}

}  // namespace skald::postgres
