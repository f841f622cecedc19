// The bytes of a parked input: enough of what was received to judge it again, in another process and by
// another build. Versioned by the first byte; stored, so a version once released stays readable. Pure.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "engine/input.hpp"
#include "skald/record.hpp"
#include "skald/result.hpp"

namespace skald::runtime {

/// A record as it came (decoded anew by whoever applies it), or an input that came from no topic. Wake and
/// Poison are never parked.
using StoredInput = std::variant<Record, engine::Input>;

/// Longer ones are unreadable.
inline constexpr std::size_t kMaximumStoredInputBytes = 8u << 20;

[[nodiscard]] std::string encode_input(const StoredInput& input);
/// kInvalid (SKALD-413): not what encode_input writes.
[[nodiscard]] Result<StoredInput> decode_input(std::string_view bytes);

}  // namespace skald::runtime
