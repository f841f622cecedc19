// The databases of a namespace, one after another: for commands that read or write what stands in every one of them.
#pragma once

#include <functional>

#include "app/config.hpp"
#include "ports/store.hpp"

namespace skald::app {

/// Stops at the first error, which names the database if there are several.
[[nodiscard]] Result<void> in_each(const Config& config,
                                   const std::function<Result<void>(const DatabaseConfig&, Session&)>& work);

}  // namespace skald::app
