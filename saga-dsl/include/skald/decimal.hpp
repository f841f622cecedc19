// Decimal: a number that is exact as written, for money and the like. It holds the digits, never a double; in
// JSON it is a string ("12.30"). It compares by value (12.3 equals 12.30) and does no arithmetic. An ordinary
// value type.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "skald/result.hpp"

namespace skald {

class Decimal {
 public:
  static constexpr std::size_t kMaximumDigits = 40;

  Decimal() : text_("0") {}
  explicit Decimal(std::int64_t value) : text_(std::to_string(value)) {}

  /// An optional sign, digits, and optionally a point and more digits; at most kMaximumDigits of them. No
  /// exponent.
  static Result<Decimal> parse(std::string_view text);

  /// As it was written.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  friend std::weak_ordering operator<=>(const Decimal& left, const Decimal& right) noexcept;
  friend bool operator==(const Decimal& left, const Decimal& right) noexcept { return (left <=> right) == 0; }

 private:
  explicit Decimal(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace skald
