// CRC-32C with the instruction of SSE4.2 where the machine has it, else by table.
#include "wire/checksum.hpp"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace skald::wire {
namespace {

constexpr std::uint32_t kReversedPolynomial = 0x82f63b78U;

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t index = 0; index < table.size(); ++index) {
    std::uint32_t value = index;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1U) != 0 ? kReversedPolynomial : 0U);
    table[index] = value;
  }
  return table;
}

constexpr auto kTable = make_table();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::string_view bytes,
                                                                      std::uint32_t seed) noexcept {
  std::uint64_t state = ~seed;
  std::size_t at = 0;
  for (; bytes.size() - at >= 8; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    state = _mm_crc32_u64(state, word);
  }
  auto tail = static_cast<std::uint32_t>(state);
  for (; at < bytes.size(); ++at) tail = _mm_crc32_u8(tail, static_cast<unsigned char>(bytes[at]));
  return ~tail;
}
#endif

}  // namespace

std::uint32_t crc32c_by_table(std::string_view bytes, std::uint32_t seed) noexcept {
  std::uint32_t state = ~seed;
  for (const char byte : bytes)
    state = (state >> 8) ^ kTable[(state ^ static_cast<unsigned char>(byte)) & 0xffU];
  return ~state;
}

std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed) noexcept {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2");
  if (has_instruction) return crc32c_by_instruction(bytes, seed);
#endif
  return crc32c_by_table(bytes, seed);
}

}  // namespace skald::wire
