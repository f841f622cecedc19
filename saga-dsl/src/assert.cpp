// What a broken invariant does: one line on stderr, then abort, so that a core and a log tell the same story.
#include "skald/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace skald::detail {

void assertion_failed(const char* condition, const char* file, int line, const char* context) noexcept {
  std::fprintf(stderr, "skald: assertion failed: %s at %s:%d (%s)\n", condition, file, line, context);
  std::abort();
}

}  // namespace skald::detail
