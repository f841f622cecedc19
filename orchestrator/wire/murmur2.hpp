// MurmurHash2 (32 bits, Austin Appleby, public domain) with the seed of Kafka's JVM clients: what their
// default partitioner and librdkafka's "murmur2" compute. A key lands in partition (hash & 0x7fffffff) %
// partitions. Pure; any thread. The values are part of the wire: they never change.
#pragma once

#include <cstdint>
#include <string_view>

namespace skald::wire {

[[nodiscard]] std::uint32_t murmur2(std::string_view bytes) noexcept;

/// Where a saga belongs: `route_of(id) % partitions` is its partition on every topic keyed by saga id.
[[nodiscard]] std::int32_t route_of(std::string_view saga_id) noexcept;

}  // namespace skald::wire
