// From configuration to environment.
#include "app/environment.hpp"

#include <algorithm>

#include "app/system.hpp"

namespace skald::app {
namespace {

constexpr std::chrono::milliseconds kShortestWakeUp{30'000};

/// The shortest time any step may take; long enough that only sagas that last are woken for nothing, and once.
std::optional<std::chrono::milliseconds> first_wake_up(const Config& config) {
  std::optional<std::chrono::milliseconds> shortest;
  const auto consider = [&shortest](const std::optional<std::chrono::milliseconds>& timeout) {
    if (timeout && (!shortest || *timeout < *shortest)) shortest = std::max(*timeout, kShortestWakeUp);
  };
  for (const auto& [name, step] : config.steps) {
    consider(step.options.start_to_close);
    consider(step.options.schedule_to_close);
  }
  return shortest;
}

}  // namespace

engine::Environment environment_of(const Config& config, const DatabaseConfig& database, Random& random) {
  engine::Environment environment;
  environment.name_space = config.name_space;
  environment.reply_topic = database.replies;
  environment.lifecycle_topic = config.topics.lifecycle;
  environment.build = build_id();
  environment.steps = config.steps;
  environment.sagas = config.sagas;
  environment.random = &random;
  environment.first_wake_up = first_wake_up(config);
  return environment;
}

}  // namespace skald::app
