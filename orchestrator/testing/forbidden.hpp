// Forbidden: notices a saga's code that asks the wall clock or the machine's random numbers, which replay could not give
// it again. Works wherever the calls come from (std::chrono, time(), std::random_device), by standing in front of the C
// library's functions in the test binary; outside a Watch they do as always. By thread.
#pragma once

#include <string>

namespace skald::testing::detail {

class Watch {
 public:
  Watch();
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  /// What was called first, as a sentence that says what to take instead; empty: nothing.
  [[nodiscard]] static std::string offence();
};

}  // namespace skald::testing::detail
