// The migrations embedded in this binary, generated from migrations/*.sql at build time.
#pragma once

#include <string>
#include <vector>

namespace skald::postgres {

struct Migration {
  int version = 0;
  int oldest_binary = 0;  ///< the oldest binary (by the newest migration it knows) that works on this schema
  std::string description;
  std::string sql;
};

/// In order, from 1 without a gap.
[[nodiscard]] std::vector<Migration> migrations();

}  // namespace skald::postgres
