// What this binary asks of the allocator, by its own operator new.
#pragma once

#include <cstddef>

namespace skald::counting {

/// Blocks asked for since the start.
[[nodiscard]] std::size_t allocations();
/// Bytes of the blocks not given back, as large as the allocator made them.
[[nodiscard]] std::size_t live_bytes();

}  // namespace skald::counting
