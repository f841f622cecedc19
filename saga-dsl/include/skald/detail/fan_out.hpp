// Context::fan_out: a helper coroutine of the saga's own, made of start and any.
#pragma once

#include "skald/context.hpp"

namespace skald {

template <class S>
Task<std::vector<Outcome<typename S::Output>>> Context::fan_out(std::vector<typename S::Input> inputs,
                                                                std::size_t at_once) {
  using Output = typename S::Output;
  at_once = at_once == 0 ? 1 : at_once;
  std::vector<Handle<Output>> all;  // in the order of the inputs
  std::vector<Handle<Output>> open;
  for (const auto& input : inputs) {
    while (open.size() >= at_once) {
      const std::size_t settled = co_await any(open);
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(settled));
    }
    open.push_back(start<S>(input));
    all.push_back(open.back());
  }
  while (!open.empty()) {
    const std::size_t settled = co_await any(open);
    open.erase(open.begin() + static_cast<std::ptrdiff_t>(settled));
  }
  std::vector<Outcome<Output>> outcomes;
  for (const auto& handle : all) outcomes.push_back(handle.outcome());
  co_return outcomes;
}

}  // namespace skald
