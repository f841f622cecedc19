// Making keys: one atomic number holds the last (millisecond, counter); adding one to it carries into the
// millisecond by itself.
#include "runtime/key_maker.hpp"

#include <algorithm>
#include <chrono>

namespace skald::runtime {

namespace {
constexpr std::chrono::sys_days kEpoch = std::chrono::year{2024} / std::chrono::January / std::chrono::day{1};
constexpr int kCounterBits = 12;
constexpr int kIncarnationBits = 10;
}  // namespace

std::int64_t KeyMaker::next() noexcept {
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.wall() - kEpoch).count();
  const std::int64_t now = std::max<std::int64_t>(elapsed, 1) << kCounterBits;
  std::int64_t last = last_.load();
  std::int64_t mine = 0;
  do {
    mine = std::max(now, last + 1);
  } while (!last_.compare_exchange_weak(last, mine));
  const std::int64_t milliseconds = mine >> kCounterBits;
  const std::int64_t counter = mine & ((1 << kCounterBits) - 1);
  return milliseconds << (kIncarnationBits + kCounterBits) | incarnation_.load() << kCounterBits | counter;
}

std::int64_t KeyMaker::first_of(Time time) noexcept {
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(time - kEpoch).count();
  return std::max<std::int64_t>(elapsed, 0) << (kIncarnationBits + kCounterBits);
}

}  // namespace skald::runtime
