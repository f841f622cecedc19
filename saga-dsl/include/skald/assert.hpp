// SKALD_ASSERT states what must hold in our own code. It stays on in production: going on with a broken
// invariant would move money wrongly, stopping does not. Never for input.
#pragma once

namespace skald::detail {
/// Prints the condition, the place and the context (saga id and sequence, if given) to stderr and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line,
                                   const char* context) noexcept;
}  // namespace skald::detail

#define SKALD_ASSERT(condition, context) \
  ((condition) ? (void)0 : ::skald::detail::assertion_failed(#condition, __FILE__, __LINE__, (context)))
