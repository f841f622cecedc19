// The engine's environment by the configuration: for a process that runs sagas and for tools that replay them.
#pragma once

#include "app/config.hpp"
#include "engine/environment.hpp"

namespace skald::app {

/// Of one database. `random` outlives it.
[[nodiscard]] engine::Environment environment_of(const Config& config, const DatabaseConfig& database,
                                                 Random& random);

}  // namespace skald::app
