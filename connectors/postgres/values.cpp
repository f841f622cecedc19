// Hexadecimal both ways, by table.
#include "postgres/values.hpp"

#include <array>

namespace skald::postgres {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

constexpr std::array<int, 256> kDigitValues = [] {
  std::array<int, 256> values{};
  values.fill(-1);
  for (std::size_t digit = 0; digit < kDigits.size(); ++digit)
    values[static_cast<unsigned char>(kDigits[digit])] = digit;
  return values;
}();

}  // namespace

std::string bytea_literal(std::string_view bytes) {
  std::string literal(2 + bytes.size() * 2, '\\');
  literal[1] = 'x';
  char* out = literal.data() + 2;
  for (const char byte : bytes) {
    *out++ = kDigits[static_cast<unsigned char>(byte) >> 4];
    *out++ = kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return literal;
}

std::optional<std::string> bytes_of(std::string_view literal) {
  if (!literal.starts_with("\\x") || literal.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(literal.size() / 2 - 1);
  for (std::size_t place = 2; place < literal.size(); place += 2) {
    const int high = kDigitValues[static_cast<unsigned char>(literal[place])];
    const int low = kDigitValues[static_cast<unsigned char>(literal[place + 1])];
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return bytes;
}

}  // namespace skald::postgres
