// The one place where what libpqxx throws becomes an Error of ours. Pure; any thread.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include "skald/result.hpp"

namespace skald::postgres {

/// Where in a call it happened.
enum class Stage {
  kConnecting,
  kWorking,     ///< anything before COMMIT was sent: nothing took effect
  kCommitting,  ///< COMMIT was sent: unless the server itself says no, the outcome is unknown
};

/// Thrown inside this folder for what must come out as this very error.
class Refusal : public std::runtime_error {
 public:
  explicit Refusal(Error error) : std::runtime_error(error.message), error_(std::move(error)) {}
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  Error error_;
};

/// The code of docs/errors.md for an error of that kind from PostgreSQL.
[[nodiscard]] const char* code_of(ErrorKind kind);
inline constexpr const char* kSchemaDoesNotFit = "SKALD-336";
inline constexpr const char* kMigrationEdited = "SKALD-337";
inline constexpr const char* kUnreadableRow = "SKALD-338";

/// What an exception of libpqxx 6.4 or 7.x, or of the standard library, means for the caller.
[[nodiscard]] Error translate(const std::exception_ptr& thrown, Stage stage);

/// What a SQLSTATE means; `stage` as above.
[[nodiscard]] ErrorKind kind_of(const std::string& sqlstate, Stage stage);

}  // namespace skald::postgres
