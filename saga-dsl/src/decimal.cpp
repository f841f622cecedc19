// Decimal: validation, and comparison digit by digit.
#include "skald/decimal.hpp"

namespace skald {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Parts {  // without what does not count: sign of zero, leading zeros, zeros at the end of the fraction
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
};

Parts parts_of(std::string_view text) {
  Parts parts;
  if (text.front() == '-' || text.front() == '+') {
    parts.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const std::size_t point = text.find('.');
  parts.whole = text.substr(0, point);
  if (point != std::string_view::npos) parts.fraction = text.substr(point + 1);
  while (!parts.whole.empty() && parts.whole.front() == '0') parts.whole.remove_prefix(1);
  while (!parts.fraction.empty() && parts.fraction.back() == '0') parts.fraction.remove_suffix(1);
  if (parts.whole.empty() && parts.fraction.empty()) parts.negative = false;
  return parts;
}

std::weak_ordering magnitude(const Parts& left, const Parts& right) {
  if (left.whole.size() != right.whole.size()) return left.whole.size() <=> right.whole.size();
  if (const int order = left.whole.compare(right.whole); order != 0) return order <=> 0;
  return left.fraction.compare(right.fraction) <=> 0;
}

}  // namespace

Result<Decimal> Decimal::parse(std::string_view text) {
  const auto refuse = [](std::string_view why) {
    return Error{ErrorKind::kInvalid, "SKALD-103", "not a decimal number: " + std::string(why)};
  };
  std::string_view rest = text;
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
  const std::size_t point = rest.find('.');
  std::size_t digits = 0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (i == point) continue;
    if (!is_digit(rest[i])) return refuse("it takes digits, with a sign before and a point inside at most");
    ++digits;
  }
  if (digits == 0) return refuse("there is no digit");
  if (point == 0 || (point != std::string_view::npos && point + 1 == rest.size()))
    return refuse("the point needs a digit on each side");
  if (digits > kMaximumDigits) return refuse("it has more than 40 digits");
  return Decimal(std::string(text));
}

std::weak_ordering operator<=>(const Decimal& left, const Decimal& right) noexcept {
  const Parts a = parts_of(left.text_);
  const Parts b = parts_of(right.text_);
  if (a.negative != b.negative) return a.negative ? std::weak_ordering::less : std::weak_ordering::greater;
  return a.negative ? magnitude(b, a) : magnitude(a, b);
}

}  // namespace skald
