// What memory one `serve` process may take by its configuration. docs/memory.md explains the terms and how they were
// measured.
#pragma once

#include <cstddef>
#include <string>

#include "kafka/options.hpp"
#include "runtime/settings.hpp"

namespace skald::app {

/// Bytes.
struct MemoryBound {
  std::size_t base = 0;     ///< the program, its threads and connections, whatever the load
  std::size_t cache = 0;    ///< sagas at hand
  std::size_t queues = 0;   ///< inputs in the lanes, at the mark where nothing more is read
  std::size_t batches = 0;  ///< what transactions under way make of their inputs and load
  std::size_t outbox = 0;   ///< messages without acknowledgement, at the mark where lanes wait
  std::size_t local = 0;    ///< attempts of local steps, likewise
  std::size_t records = 0;  ///< positions of records read and not applied, likewise
  std::size_t kafka = 0;    ///< records fetched ahead, requests under way

  [[nodiscard]] std::size_t total() const {
    return base + cache + queues + batches + outbox + local + records + kafka;
  }
};

/// `databases`: how many it works on; they divide the cache, the rest each has of its own.
[[nodiscard]] MemoryBound memory_bound(const runtime::Settings& settings, const kafka::Options& kafka,
                                       std::size_t databases = 1);

/// One line: "853 MiB = 64 base + 256 cache + …".
[[nodiscard]] std::string describe(const MemoryBound& bound);

}  // namespace skald::app
