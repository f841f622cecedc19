// The Bus on a Kafka cluster, by librdkafka 2.0.2 or later. Opening it touches no network: a cluster that is away
// shows as kUnavailable where something is asked of it. Thread-safe; consumers and producers outlive the bus.
#pragma once

#include <chrono>
#include <memory>

#include "kafka/options.hpp"
#include "ports/bus.hpp"

namespace skald::kafka {

/// kRefused with the property's name when the options cannot work.
Result<std::unique_ptr<Bus>> open(const Options& options);

/// Asks the cluster once. kRefused: it answered and will not have us (credentials, certificate); kUnavailable: it
/// did not answer within `timeout`. The message is one line that says which and why.
Result<void> check_reachable(const Options& options, std::chrono::milliseconds timeout);

// --- for tests: what librdkafka raises when it cannot go on ---

void raise_fatal_error(Consumer& consumer);
void raise_fatal_error(Producer& producer);

}  // namespace skald::kafka
