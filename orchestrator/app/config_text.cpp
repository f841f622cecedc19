// Parsing of configuration values; see config_text.hpp. Nothing here throws on bad text.
#include "app/config_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

namespace skald::app {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr std::array<Unit, 5> kDurationUnits{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::array<Unit, 5> kByteUnits{
    {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"", 1}}};
constexpr std::int64_t kMaximumDurationMs = 3650LL * 86'400'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_token(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  for (const char c : text)
    if (c <= ' ' || c > '~') return false;
  return true;
}

/// Takes digits off the front; nullopt if there are none or too many.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  if (digits == 0 || digits > 15) return std::nullopt;
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + digits, value);
  text.remove_prefix(digits);
  return value;
}

/// RFC 6901, not empty: reference tokens that each follow a slash, `~` only as ~0 or ~1.
bool is_pointer(std::string_view text) {
  if (text.empty() || text.front() != '/' || text.size() > 512) return false;
  for (std::size_t index = 0; index < text.size(); ++index)
    if (text[index] == '~' &&
        (index + 1 == text.size() || (text[index + 1] != '0' && text[index + 1] != '1')))
      return false;
  return true;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_real(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::int64_t total = 0;
  std::int64_t smallest = std::numeric_limits<std::int64_t>::max();
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    std::size_t letters = 0;
    while (letters < text.size() && !is_digit(text[letters])) ++letters;
    const Unit* unit = nullptr;
    for (const Unit& known : kDurationUnits)
      if (known.name == text.substr(0, letters)) unit = &known;
    if (unit == nullptr || unit->factor >= smallest) return std::nullopt;
    if (*number > kMaximumDurationMs / unit->factor) return std::nullopt;
    smallest = unit->factor;
    total += *number * unit->factor;
    text.remove_prefix(letters);
  }
  if (total > kMaximumDurationMs) return std::nullopt;
  return std::chrono::milliseconds(total);
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  for (const Unit& unit : kByteUnits) {
    if (unit.name != text) continue;
    if (*number > std::numeric_limits<std::int64_t>::max() / unit.factor) return std::nullopt;
    return *number * unit.factor;
  }
  return std::nullopt;
}

std::optional<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return std::nullopt;
  const auto port = parse_integer(text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535 || !is_token(host)) return std::nullopt;
  return Address{std::string(host), static_cast<int>(*port)};
}

std::optional<Source> parse_source(std::string_view text) {
  Source source;
  if (text == "key") return source;
  if (text.starts_with("ce:")) {
    source.kind = Source::Kind::kAttribute;
    source.name = std::string(text.substr(3));
    for (const char c : source.name)
      if (!is_digit(c) && (c < 'a' || c > 'z')) return std::nullopt;
    if (source.name.empty() || source.name.size() > 64) return std::nullopt;
    return source;
  }
  if (text.starts_with("header:")) {
    source.kind = Source::Kind::kHeader;
    source.name = std::string(text.substr(7));
    if (!is_token(source.name)) return std::nullopt;
    return source;
  }
  if (text != "value" && !is_pointer(text)) return std::nullopt;
  source.kind = Source::Kind::kPointer;
  if (text != "value") source.name = std::string(text);
  return source;
}

std::optional<Filter> parse_filter(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  auto source = parse_source(trimmed(text.substr(0, equals)));
  const std::string_view value = trimmed(text.substr(equals + 1));
  if (!source || value.empty()) return std::nullopt;
  return Filter{std::move(*source), std::string(value)};
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (!trimmed(text).empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(item.size() < text.size() ? item.size() + 1 : item.size());
    items.emplace_back(trimmed(item));
  }
  return items;
}

namespace {

/// The bytes of the UTF-8 character with which the text begins, if it shows as itself: neither a control nor one of the
/// invisible ones that reorder or hide what stands beside them. 0: it does not.
std::size_t visible_character(std::string_view text) {
  const auto byte = [&text](std::size_t at) {
    return static_cast<unsigned char>(at < text.size() ? text[at] : '\0');
  };
  const unsigned char lead = byte(0);
  if (lead >= 0x20 && lead < 0x7f) return 1;
  const std::size_t length = lead >= 0xc2 && lead < 0xe0   ? 2
                             : lead >= 0xe0 && lead < 0xf0 ? 3
                             : lead >= 0xf0 && lead < 0xf5 ? 4
                                                           : 0;
  if (length == 0) return 0;
  std::uint32_t point = lead & (0xffU >> (length + 1));
  for (std::size_t at = 1; at < length; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return 0;
    point = point << 6 | (byte(at) & 0x3fU);
  }
  constexpr std::uint32_t kShortest[] = {0, 0, 0xa0, 0x800, 0x10000};
  const auto within = [point](std::uint32_t first, std::uint32_t last) {
    return point >= first && point <= last;
  };
  const bool hides = within(0x200b, 0x200f) || within(0x2028, 0x202e) || within(0x2060, 0x206f) ||
                     point == 0xad || point == 0xfeff || within(0xd800, 0xdfff) || within(0xe0000, 0xe0fff) ||
                     point > 0x10ffff;
  return point < kShortest[length] || hides ? 0 : length;
}

}  // namespace

std::string printable(std::string_view text, std::size_t maximum) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    if (out.size() >= maximum) return out + "…";
    const std::size_t length = visible_character(text);
    if (length > 0) {
      out += text.substr(0, length);
    } else {
      const auto byte = static_cast<unsigned char>(text.front());
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string format_duration(std::chrono::milliseconds duration) {
  const std::int64_t total = duration.count();
  for (auto unit = kDurationUnits.rbegin(); unit != kDurationUnits.rend(); ++unit)
    if (total != 0 && total % unit->factor == 0)
      return std::to_string(total / unit->factor) + std::string(unit->name);
  return std::to_string(total) + "ms";
}

}  // namespace skald::app
