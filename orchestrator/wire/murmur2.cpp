// Written from the description of MurmurHash2 (https://en.wikipedia.org/wiki/MurmurHash#MurmurHash2); the
// seed is the one Kafka documents for its default partitioner. Reads four bytes at a time, little-endian.
#include "wire/murmur2.hpp"

#include <cstddef>

namespace skald::wire {
namespace {

constexpr std::uint32_t kSeed = 0x9747b28cU;
constexpr std::uint32_t kMultiplier = 0x5bd1e995U;
constexpr int kShift = 24;

std::uint32_t byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<unsigned char>(bytes[index]);
}

}  // namespace

std::uint32_t murmur2(std::string_view bytes) noexcept {
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(bytes.size());
  std::size_t at = 0;
  for (; bytes.size() - at >= 4; at += 4) {
    std::uint32_t word = byte_at(bytes, at) | byte_at(bytes, at + 1) << 8 | byte_at(bytes, at + 2) << 16 |
                         byte_at(bytes, at + 3) << 24;
    word *= kMultiplier;
    word ^= word >> kShift;
    word *= kMultiplier;
    hash = (hash * kMultiplier) ^ word;
  }
  if (at < bytes.size()) {
    for (std::size_t tail = bytes.size(); tail > at; --tail)
      hash ^= byte_at(bytes, tail - 1) << (8 * (tail - 1 - at));
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  return hash ^ (hash >> 15);
}

std::int32_t route_of(std::string_view saga_id) noexcept {
  return static_cast<std::int32_t>(murmur2(saga_id) & 0x7fffffffU);
}

}  // namespace skald::wire
