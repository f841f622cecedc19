// CRC-32C (Castagnoli, as in RFC 3720): the checksum recorded with a position and with an outbox row. Pure;
// any thread; the same on every machine.
#pragma once

#include <cstdint>
#include <string_view>

namespace skald::wire {

/// The checksum of `bytes`; given the checksum of what came before as `seed`, that of both joined.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0) noexcept;

/// The same by table, for machines without the instruction (and for the test that compares both).
[[nodiscard]] std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t seed = 0) noexcept;

}  // namespace skald::wire
