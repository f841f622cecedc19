// The configuration as a table: every key with its type, default, bounds and one line of documentation. All
// else is derived from it: what is accepted, the environment variables, the error texts, `check-config`, and
// the reference in docs/configuration.md. Immutable; safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace skald::app {

enum class ValueType {
  kText,
  kName,        ///< [A-Za-z0-9._-]{1,63}
  kTopic,       ///< Kafka's own rule
  kIdentifier,  ///< a PostgreSQL schema name that needs no quoting
  kBoolean,     ///< true or false
  kInteger,     ///< within minimum..maximum
  kReal,        ///< within minimum..maximum
  kDuration,    ///< 250ms, 10s, 2m, 1h, 7d; bounds in milliseconds
  kBytes,       ///< 512KiB, 64MiB, 1GiB; bounds in bytes
  kAddress,     ///< HOST:PORT
  kChoice,      ///< one of `choices`
  kSource,      ///< where in a record a value comes from
  kFilter,      ///< SOURCE = VALUE
  kCodes,       ///< a list of failure codes
  kSlots,       ///< 0-511,600 or none
};

struct KeySchema {
  /// Segments joined by dots. `<step>` stands for any one name, a last `*` for the rest, dots included.
  std::string_view key{};
  ValueType type = ValueType::kText;
  std::string_view fallback{};  ///< the default as text; in parentheses where it is derived; empty: none
  std::string_view doc{};       ///< one sentence
  std::int64_t minimum = 0;
  std::int64_t maximum = 0;
  std::string_view choices{};  ///< of kChoice: "json text"
  /// Never printed, refused as plain text in the file, and also readable from the file that `<key>_file`
  /// names.
  bool secret = false;
};

[[nodiscard]] std::span<const KeySchema> config_schema();
/// Where a database is: never shown whole, since a password may stand in it.
[[nodiscard]] inline bool is_uri(const KeySchema& schema) { return schema.key.ends_with(".uri"); }

/// A key as it occurs: its row in the table, and what stands for its `<…>` or `*`.
struct KeyReference {
  const KeySchema* schema = nullptr;
  std::string name;
  bool operator<(const KeyReference& other) const {
    return schema != other.schema ? schema < other.schema : name < other.name;
  }
  /// "steps.reserve-stock.topic"
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool secret() const;
};

/// The key that this path names; nullopt if there is none.
[[nodiscard]] std::optional<KeyReference> find_key(std::span<const std::string> path);
/// "SKALD_STEPS_RESERVE_STOCK_TOPIC" for "steps.reserve-stock.topic".
[[nodiscard]] std::string environment_name(std::string_view key);
/// What a key takes, for error messages: "a whole number from 1 to 64".
[[nodiscard]] std::string what_it_takes(const KeySchema& schema);
/// Does this librdkafka property carry a secret?
[[nodiscard]] bool is_secret_property(std::string_view property);
/// The known key most like `key`, empty if none is near.
[[nodiscard]] std::string nearest(std::string_view key, std::span<const std::string> known);
/// Every key with `name` for its placeholder.
[[nodiscard]] std::vector<std::string> keys_with_name(std::string_view name);

/// The reference table of docs/configuration.md, in Markdown.
[[nodiscard]] std::string configuration_reference();

}  // namespace skald::app
