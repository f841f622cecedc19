// Brings the schema up to what this binary needs, and says whether a schema fits it. A binary's version is the
// number of the newest migration it embeds. Used by `migrate` (which needs DDL rights) and by whoever opens a store
// (which does not). One thread a Migrator; any number of processes at once.
#pragma once

#include <string>
#include <vector>

#include "skald/result.hpp"

namespace skald::postgres {

struct MigrationReport {
  int from = 0;              ///< the schema's version before, 0: there was none
  int to = 0;                ///< and now
  std::vector<int> applied;  ///< by this call
};

class Migrator {
 public:
  explicit Migrator(std::string uri, std::string schema = "skald");

  /// The newest migration embedded in this binary.
  [[nodiscard]] static int binary_version();

  /// Creates the schema if it is missing and applies what is missing in it, each migration in a transaction of its
  /// own, under an advisory lock: several at once converge, and one that was interrupted is run again. A schema that
  /// is newer already is left as it is. kRefused: not allowed, or an applied migration differs from the embedded one.
  Result<MigrationReport> migrate();

  /// kRefused with one line on what to do if a binary of that version cannot work on the schema as it is: absent,
  /// older than the binary needs, or so new that the binary is no longer served.
  Result<void> check(int binary_version);

 private:
  std::string uri_;
  std::string schema_;
};

}  // namespace skald::postgres
