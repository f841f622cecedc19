// The JSON writer: one pass, no look back; see skald/json.hpp for what it promises.
#include <array>
#include <charconv>
#include <cmath>

#include "json_tree.hpp"

namespace skald::json {
namespace detail {

constexpr std::array<unsigned char, 256> interrupts() {
  std::array<unsigned char, 256> table{};
  for (std::size_t byte = 0; byte < 256; ++byte)
    table[byte] = byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x80 ? 1 : 0;
  return table;
}

const std::array<unsigned char, 256> kInterrupts = interrupts();

}  // namespace detail

namespace {

constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

void put_escape(std::string& text, unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (byte) {
    case '"':
      text += "\\\"";
      return;
    case '\\':
      text += "\\\\";
      return;
    case '\b':
      text += "\\b";
      return;
    case '\f':
      text += "\\f";
      return;
    case '\n':
      text += "\\n";
      return;
    case '\r':
      text += "\\r";
      return;
    case '\t':
      text += "\\t";
      return;
    default:
      text += "\\u00";
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
  }
}

// The sequence at the front of `rest`, which need not end in a NUL.
std::size_t sequence_length(std::string_view rest) {
  std::array<char, 5> bytes{};
  rest.copy(bytes.data(), 4);
  return detail::utf8_length(bytes.data());
}

}  // namespace

void Writer::quoted(std::string_view value) {
  const std::size_t begin = text_.size();
  text_ += '"';
  while (!value.empty()) {
    std::size_t plain = 0;
    while (plain < value.size() && detail::kInterrupts[static_cast<unsigned char>(value[plain])] == 0)
      ++plain;
    text_.append(value.data(), plain);
    value.remove_prefix(plain);
    if (value.empty()) break;
    const auto byte = static_cast<unsigned char>(value.front());
    std::size_t length = 1;
    if (byte >= 0x80 && (length = sequence_length(value)) != 0) {
      text_.append(value.data(), length);
    } else if (byte >= 0x80 || byte == 0) {
      text_ += kReplacementCharacter;
      if (!replacement_)
        replacement_ = {begin, byte == 0 ? "a string with U+0000" : "a string that is not UTF-8"};
      length = 1;
    } else {
      put_escape(text_, byte);
    }
    value.remove_prefix(length);
  }
  text_ += '"';
}

void Writer::key(std::string_view name) {
  separate();
  quoted(name);
  text_ += ':';
  comma_ = false;
}

void Writer::string(std::string_view value) {
  separate();
  quoted(value);
}

namespace {

template <class Number>
void append_number(std::string& text, Number value) {
  std::array<char, 32> digits;
  const auto result = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  text.append(digits.data(), result.ptr);
}

}  // namespace

void Writer::integer(std::int64_t value) {
  separate();
  append_number(text_, value);
}

void Writer::unsigned_integer(std::uint64_t value) {
  separate();
  append_number(text_, value);
}

void Writer::number(double value) {
  if (!std::isfinite(value)) return unrepresentable("a double that is not finite");
  separate();
  append_number(text_, value);
}

void Writer::boolean(bool value) {
  separate();
  text_ += value ? "true" : "false";
}

void Writer::null() {
  separate();
  text_ += "null";
}

void Writer::raw(std::string_view json) {
  separate();
  text_ += json;
}

void Writer::unrepresentable(std::string_view reason) {
  separate();
  if (!replacement_) replacement_ = {text_.size(), reason};
  text_ += "null";
}

}  // namespace skald::json
