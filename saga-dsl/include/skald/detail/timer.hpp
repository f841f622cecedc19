// What Context::sleep is made of: a duration of any unit as a moment.
#pragma once

#include <chrono>

#include "skald/record.hpp"

namespace skald::detail {

/// When a sleep from `now` ends: rounded up to a millisecond, so that it is never too short; zero, negative and NaN
/// are now. What no Time can hold is Time::max(), which the engine refuses like any sleep beyond its limit.
template <class Number, class Period>
[[nodiscard]] constexpr Time end_of_sleep(Time now, std::chrono::duration<Number, Period> sleep) {
  using Seconds = std::chrono::duration<double>;
  const Seconds seconds(sleep);
  if (!(seconds > Seconds::zero())) return now;
  constexpr std::chrono::hours kBeyondAnyLimit{24 * 366 * 1000};
  if (seconds > Seconds(kBeyondAnyLimit)) return Time::max();
  return now + std::chrono::ceil<std::chrono::milliseconds>(sleep);
}

}  // namespace skald::detail
