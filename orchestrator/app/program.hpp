// What every subcommand shares: the program's name, its registry, its configuration, and how it ends: exit codes
// and the one line on standard error. Used by the main thread only.
#pragma once

#include <string>

#include "app/config.hpp"
#include "app/system.hpp"
#include "skald/registry.hpp"

namespace skald::app {

/// Exit codes, as in sysexits.h; docs/errors.md.
enum ExitCode : int {
  kExitOk = 0,
  kExitNo = 1,            ///< asked and answered, the answer is no: no such saga, refused
  kExitUsage = 2,         ///< wrong command line or configuration; nothing was started
  kExitUnavailable = 69,  ///< PostgreSQL, Kafka, a topic or an address is not to be had
  kExitSoftware = 70,     ///< a defect of the program
  kExitCredentials = 77,  ///< PostgreSQL or Kafka refuses us
  kExitSchema = 78,       ///< the database's schema or slots do not fit this binary or its configuration
};

struct Program {
  std::string name;
  const Registry& registry;
  std::string config_file;

  [[nodiscard]] Result<Config> config(const Needs& needs) const;
  /// Could a saga of this definition start with this input? The error says why not.
  [[nodiscard]] Result<void> could_start(const std::string& definition, const std::string& input) const;
  /// Prints "NAME: MESSAGE (CODE)" on standard error.
  void complain(const Error& error) const;
  /// The same, and the exit code that fits.
  [[nodiscard]] int fail(const Error& error) const;
};

/// 77 or 78 for what PostgreSQL or Kafka refuses, 69 for what is away, 2 for what is wrong.
[[nodiscard]] int exit_code_of(const Error& error);

/// Writes all of `text` to standard output.
void print(const std::string& text);

}  // namespace skald::app
