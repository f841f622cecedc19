// The one place where what libpqxx throws becomes an Error of ours. Pure; any thread.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>

#include "skald/result.hpp"

namespace skald::postgres {

/// Where in a call it happened.
enum class Stage {
  kConnecting,
  kWorking,     ///< anything before COMMIT was sent: nothing took effect
  kCommitting,  ///< COMMIT was sent: unless the server itself says no, the outcome is unknown
};

/// Thrown inside this folder for what must come out as kRefused.
class Refusal : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// What an exception of libpqxx 6.4 or 7.x, or of the standard library, means for the caller.
[[nodiscard]] Error translate(const std::exception_ptr& thrown, Stage stage);

/// What a SQLSTATE means; `stage` as above.
[[nodiscard]] ErrorKind kind_of(const std::string& sqlstate, Stage stage);

}  // namespace skald::postgres
