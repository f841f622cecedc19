// Configuration values as text, gathered from the YAML file, the environment and secret files, each checked
// against the table and remembered with where it came from. Called once at start, before any thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/config_schema.hpp"
#include "skald/result.hpp"

namespace skald::app {

/// One leaf of the YAML file.
struct FileEntry {
  std::vector<std::string> path;
  std::string text;
  int line = 0;
  bool list = false;
  bool section = false;  ///< a map without keys, or nothing at all, stands there
};

/// Every leaf of a configuration file, in its order. Errors name file and line.
[[nodiscard]] Result<std::vector<FileEntry>> read_yaml(const std::string& file_name, const std::string& text);

struct Setting {
  std::string text;
  std::string origin;  ///< "skald.yaml:12", "SKALD_KAFKA_GROUP", …; empty for a default
};

/// What there is to read, injected so that tests need no files.
struct ConfigSources {
  std::string file;  ///< empty: none
  std::map<std::string, std::string> environment;
  std::function<Result<std::string>(const std::string& path)> read_file;
  /// Names the binary knows, by placeholder: "step", "saga", "trigger".
  std::map<std::string, std::vector<std::string>> names;
};

struct ConfigValues {
  std::map<KeyReference, Setting> settings;
  std::vector<std::string> notes;  ///< harmless oddities, for the log

  /// The setting of `key` (with `name` for its placeholder), null if not given.
  [[nodiscard]] const Setting* find(std::string_view key, const std::string& name = {}) const;
};

[[nodiscard]] Result<ConfigValues> gather(const ConfigSources& sources);

/// The error "ORIGIN: KEY: WHAT" with the code of a wrong value.
[[nodiscard]] Error wrong_value(const std::string& origin, const std::string& key, const std::string& what);

/// Codes of docs/errors.md.
inline constexpr const char* kCodeFile = "SKALD-901";      ///< the file cannot be read
inline constexpr const char* kCodeUnknown = "SKALD-902";   ///< no such key or name
inline constexpr const char* kCodeValue = "SKALD-903";     ///< a value the key does not take
inline constexpr const char* kCodeVariable = "SKALD-904";  ///< ${VAR} that is not set
inline constexpr const char* kCodeSecret = "SKALD-905";    ///< a secret in plain text
inline constexpr const char* kCodeMissing = "SKALD-906";   ///< a key this command needs
inline constexpr const char* kCodeUnsafe = "SKALD-907";    ///< would break a promise or open a door
inline constexpr const char* kCodeWiring = "SKALD-908";    ///< sagas, steps and triggers do not fit together
inline constexpr const char* kCodeUsage = "SKALD-909";     ///< wrong command line

}  // namespace skald::app
