// The JSON writer: one pass, no look back; see skald/json.hpp for what it promises. Numbers are std::to_chars.
// RapidJSON's writer cannot keep those promises: at the first byte that is not UTF-8 it stops inside the string
// and says only that it failed, where we replace the byte and remember its place; it writes 5 as 5.0 and one
// double in 1,200 longer than need be, where inputs and histories are compared as bytes; and its state, which
// no public header may show, would cost each message two allocations more.
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "json_tree.hpp"

namespace skald::json {
namespace {

constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

// 1 for the bytes that end a plain run inside a string: control characters, quote, backslash, anything not ASCII.
constexpr std::array<unsigned char, 256> kInterrupts = [] {
  std::array<unsigned char, 256> table{};
  for (std::size_t byte = 0; byte < 256; ++byte)
    table[byte] = byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x80 ? 1 : 0;
  return table;
}();

// How many bytes the UTF-8 sequence at `bytes` has, 0 when it is none (overlong, surrogate, beyond U+10FFFF,
// cut). Reads no further than the first byte that does not fit, so a terminating NUL bounds it.
std::size_t utf8_length(const char* bytes) {
  const auto byte = [bytes](int i) { return static_cast<unsigned char>(bytes[i]); };
  const auto follows = [&byte](int i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead == 0xE0) return follows(1, 0xA0) && follows(2) ? 3 : 0;
  if (lead == 0xED) return follows(1, 0x80, 0x9F) && follows(2) ? 3 : 0;
  if (lead >= 0xE1 && lead <= 0xEF) return follows(1) && follows(2) ? 3 : 0;
  if (lead == 0xF0) return follows(1, 0x90) && follows(2) && follows(3) ? 4 : 0;
  if (lead >= 0xF1 && lead <= 0xF3) return follows(1) && follows(2) && follows(3) ? 4 : 0;
  if (lead == 0xF4) return follows(1, 0x80, 0x8F) && follows(2) && follows(3) ? 4 : 0;
  return 0;
}

void put_escape(std::string& text, unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  switch (byte) {
    case '"': text += "\\\""; return;
    case '\\': text += "\\\\"; return;
    case '\b': text += "\\b"; return;
    case '\f': text += "\\f"; return;
    case '\n': text += "\\n"; return;
    case '\r': text += "\\r"; return;
    case '\t': text += "\\t"; return;
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
  return utf8_length(bytes.data());
}

}  // namespace

void Writer::quoted(std::string_view value) {
  const std::size_t begin = text_.size();
  text_ += '"';
  while (!value.empty()) {
    std::size_t plain = 0;
    while (plain < value.size() && kInterrupts[static_cast<unsigned char>(value[plain])] == 0) ++plain;
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
  if (comma_) text_ += ',';
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

namespace {

// The string that begins at the quote at `begin`: its text without quotes, escapes left as they are.
std::string_view string_at(std::string_view written, std::size_t begin) {
  std::size_t end = begin + 1;
  while (end < written.size() && written[end] != '"') end += written[end] == '\\' ? 2 : 1;
  return written.substr(begin + 1, end - begin - 1);
}

struct Level {
  bool object;
  bool named = false;  // the value of `name` is under way
  std::size_t index = 0;
  std::string_view name{};
};

}  // namespace

std::string pointer_at(std::string_view written, std::size_t offset) {
  std::vector<Level> levels;
  for (std::size_t at = 0; at < offset && at < written.size(); ++at) {
    const char byte = written[at];
    if (byte == '{' || byte == '[') {
      levels.push_back({.object = byte == '{'});
    } else if (levels.empty()) {
      continue;
    } else if (byte == '}' || byte == ']') {
      levels.pop_back();
    } else if (byte == ',') {
      ++levels.back().index;
      levels.back().named = false;
    } else if (byte == '"') {
      const std::string_view text = string_at(written, at);
      if (levels.back().object && !levels.back().named) {
        levels.back().name = text;
        levels.back().named = true;
      }
      at += text.size() + 1;
    }
  }
  std::string pointer;
  for (const Level& level : levels) {
    if (level.object && !level.named) break;  // a name itself is meant: the pointer leads to its object
    (pointer += '/') += level.object ? pointer_token(level.name) : std::to_string(level.index);
  }
  return pointer;
}

}  // namespace skald::json
