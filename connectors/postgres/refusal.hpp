// Whether PostgreSQL will never let us in, as far as libpq tells: it gives no SQLSTATE for a connection that fails,
// only the server's words. Pure; for both connectors that speak to PostgreSQL.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace skald::postgres {

/// `message`: libpq's, of a failed connection. False: worth trying again.
inline bool is_refusal(std::string_view message) {
  constexpr std::array<std::string_view, 7> kRefusals{
      "authentication failed",         "no pg_hba.conf entry", "no password supplied",
      "pg_hba.conf rejects",           "\" does not exist",    "is not permitted to log in",
      "permission denied for database"};
  return std::any_of(kRefusals.begin(), kRefusals.end(), [message](std::string_view refusal) {
    return message.find(refusal) != std::string_view::npos;
  });
}

}  // namespace skald::postgres
