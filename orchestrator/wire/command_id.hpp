// The name of one attempt of one command, and the whitelists for names that come from outside. A command id
// is derived, never random, so a command sent twice carries the same id and a reply says exactly what it
// answers. Pure functions, safe from any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace skald::wire {

enum class Phase { kAction, kCompensation };

/// "action" or "compensation".
[[nodiscard]] std::string_view to_string(Phase phase);
[[nodiscard]] std::optional<Phase> parse_phase(std::string_view text);

/// Written "<ns>/<definition>/<saga_id>/<ordinal>/<phase>/<attempt>". A saga id may contain '/': namespace
/// and definition are read from the left, the rest from the right.
struct CommandId {
  std::string ns;
  std::string definition;
  std::string saga_id;
  int ordinal = 0;  ///< of the step in its saga, from 0
  Phase phase = Phase::kAction;
  int attempt = 1;  ///< from 1
  bool operator==(const CommandId&) const = default;
};

[[nodiscard]] std::string format(const CommandId& id);
/// nullopt unless `text` is exactly what format() writes for valid parts.
[[nodiscard]] std::optional<CommandId> parse_command_id(std::string_view text);

inline constexpr std::size_t kMaximumNameBytes = 63;
inline constexpr std::size_t kMaximumSagaIdBytes = 255;
inline constexpr std::size_t kMaximumTopicBytes = 249;  ///< Kafka's own limit
/// Ids of messages and idempotency keys: a command id with the longest parts fits.
inline constexpr std::size_t kMaximumIdBytes = 512;

/// Namespaces, definitions, steps, failure codes: [A-Za-z0-9._-]{1,63}.
[[nodiscard]] bool is_valid_name(std::string_view name);
[[nodiscard]] bool is_valid_topic(std::string_view topic);
/// 1 to 255 visible ASCII characters (0x21 to 0x7e): one normal form, no line breaks, no look-alikes.
[[nodiscard]] bool is_valid_saga_id(std::string_view saga_id);
/// 1 to 512 visible ASCII characters: what is accepted as id of a message and as idempotency key.
[[nodiscard]] bool is_valid_id(std::string_view id);

}  // namespace skald::wire
