// What every Store demands of a batch before it looks at the database: its form (keys in order, dense histories)
// and that its texts can be stored. Both stores call it first, so that what one refuses the other refuses too.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "ports/store.hpp"

namespace skald::wire {

/// Longest saga id and definition name in bytes.
inline constexpr std::size_t kLongestName = 255;

/// Offset of the first byte that a text column refuses: U+0000, or what is not valid UTF-8.
[[nodiscard]] std::optional<std::size_t> first_unstorable_byte(std::string_view text);

/// kInvalid, naming the saga and what is wrong with its write.
[[nodiscard]] Result<void> check_batch(const Batch& batch);

}  // namespace skald::wire
