// The JSON parser: one pass from bytes to a Tree, without recursion, so the stack it needs does not depend on
// the input; depth, bytes and number of values are checked as they are met, before memory is taken for them.
// It reads a copy of the text that ends in a NUL: no state accepts a NUL, so no state needs to look at the
// length.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "json_tree.hpp"

namespace skald::json {
namespace detail {
namespace {

struct Frame {
  std::uint32_t offset;   // of the opening bracket
  std::uint32_t pending;  // where its children begin among the pending nodes
  bool object;
};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char* put_utf8(char* out, std::uint32_t code) {
  if (code < 0x80) {
    *out++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *out++ = static_cast<char>(0xC0 | code >> 6);
    *out++ = static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    *out++ = static_cast<char>(0xE0 | code >> 12);
    *out++ = static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (code & 0x3F));
  } else {
    *out++ = static_cast<char>(0xF0 | code >> 18);
    *out++ = static_cast<char>(0x80 | (code >> 12 & 0x3F));
    *out++ = static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (code & 0x3F));
  }
  return out;
}

char short_escape(char c) {
  switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case '/': return '/';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
  }
}

}  // namespace

class Parser {
 public:
  Parser(Tree& tree, const Limits& limits)
      : tree_(tree),
        text_(tree.text.data()),
        at_(text_),
        end_(text_ + tree.text.size()),
        maximum_depth_(static_cast<std::size_t>(std::clamp(limits.maximum_depth, 0, kMostDepth))),
        maximum_values_(limits.maximum_members) {
    pending_.reserve(32);
    open_.reserve(8);
    tree_.nodes.reserve(32);
  }

  bool run() {
    if (end_ - at_ >= 3 && std::memcmp(at_, "\xEF\xBB\xBF", 3) == 0)
      return malformed(at_, "a byte order mark before the JSON");
    for (;;) {
      if (!value()) return false;
      while (!entered_ && !open_.empty()) {
        skip_space();
        if (*at_ == ',') {
          ++at_;
          if (open_.back().object && !name()) return false;
          break;
        }
        if (!close()) return false;
      }
      if (!entered_ && open_.empty()) break;
    }
    skip_space();
    if (at_ != end_) return malformed(at_, "bytes after the end of the JSON value");
    tree_.nodes.push_back(pending_.front());
    return true;
  }

  Error take_error() { return std::move(error_); }

 private:
  bool value();
  bool enter(bool object);
  bool close();
  bool literal(std::string_view word, Kind kind, bool flag);
  bool number();
  bool in_range(const Node& node);
  bool name();
  bool string();
  bool escape(char*& out);
  bool unicode_escape(char*& out);
  bool hex4(const char* from, std::uint32_t& code);
  bool unique_names(std::size_t first, std::uint32_t members);
  bool repeated(const Node& name);

  [[nodiscard]] std::uint32_t offset(const char* place) const {
    return static_cast<std::uint32_t>(place - text_);
  }
  void skip_space() {
    while (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t') ++at_;
  }
  bool fail(std::string_view code, const char* place, std::string_view what) {
    error_ = {ErrorKind::kInvalid, std::string(code),
              "not acceptable JSON, at byte " + std::to_string(offset(place)) + ": "};
    error_.message += what;
    return false;
  }
  bool malformed(const char* place, std::string_view what) {
    const bool blank = tree_.text.find_first_not_of(" \n\r\t") == std::string::npos;
    if (place == end_) what = blank ? "there is no value" : "the text ends too early";
    return fail("SKALD-101", place, what);
  }
  bool beyond(const char* place, std::string_view what) { return fail("SKALD-102", place, what); }

  Tree& tree_;
  char* const text_;
  char* at_;
  char* const end_;
  const std::size_t maximum_depth_;
  const std::size_t maximum_values_;
  std::size_t values_ = 0;
  bool entered_ = false;       // the value just read was an opening bracket with something behind it
  std::vector<Node> pending_;  // children of the containers that are still open
  std::vector<Frame> open_;
  Error error_;
};

bool Parser::value() {
  entered_ = false;
  skip_space();
  if (++values_ > maximum_values_)
    return beyond(at_, "more than " + std::to_string(maximum_values_) + " values, which is the limit");
  switch (*at_) {
    case '{': return enter(true);
    case '[': return enter(false);
    case '"': return string();
    case 't': return literal("true", Kind::kBoolean, true);
    case 'f': return literal("false", Kind::kBoolean, false);
    case 'n': return literal("null", Kind::kNull, false);
    default: return number();
  }
}

bool Parser::enter(bool object) {
  if (open_.size() >= maximum_depth_)
    return beyond(at_,
                  "nested deeper than " + std::to_string(maximum_depth_) + " levels, which is the limit");
  open_.push_back({offset(at_), static_cast<std::uint32_t>(pending_.size()), object});
  ++at_;
  skip_space();
  if (*at_ == (object ? '}' : ']')) return close();
  entered_ = true;
  return !object || name();
}

bool Parser::close() {
  const Frame frame = open_.back();
  if (*at_ != (frame.object ? '}' : ']'))
    return malformed(at_, frame.object ? "expected a comma or } here" : "expected a comma or ] here");
  const std::size_t count = pending_.size() - frame.pending;
  Node node{.offset = frame.offset,
            .size = static_cast<std::uint32_t>(frame.object ? count / 2 : count),
            .first = static_cast<std::uint32_t>(tree_.nodes.size()),
            .kind = frame.object ? Kind::kObject : Kind::kArray};
  if (frame.object && !unique_names(frame.pending, node.size)) return false;
  const auto begin = pending_.begin() + frame.pending;
  tree_.nodes.insert(tree_.nodes.end(), begin, pending_.end());
  pending_.erase(begin, pending_.end());
  pending_.push_back(node);
  open_.pop_back();
  ++at_;
  return true;
}

bool Parser::literal(std::string_view word, Kind kind, bool flag) {
  for (std::size_t i = 0; i < word.size(); ++i)
    if (at_[i] != word[i]) return malformed(at_ + i, "expected true, false or null here");
  pending_.push_back({.offset = offset(at_), .kind = kind, .flag = flag});
  at_ += word.size();
  return true;
}

bool Parser::number() {
  char* const begin = at_;
  if (*at_ == '-') ++at_;
  if (!is_digit(*at_))
    return malformed(at_, at_ == begin ? "expected a value here" : "expected a digit here");
  if (*at_ == '0' && is_digit(at_[1])) return malformed(at_, "a number begins with 0");
  while (is_digit(*at_)) ++at_;
  Node node{.offset = offset(begin), .kind = Kind::kInteger, .flag = true};
  bool exponent = false;
  if (*at_ == '.') {
    node.flag = false;
    if (!is_digit(*++at_)) return malformed(at_, "expected a digit here");
    while (is_digit(*at_)) ++at_;
  }
  if (*at_ == 'e' || *at_ == 'E') {
    node.flag = false;
    exponent = true;
    ++at_;
    if (*at_ == '+' || *at_ == '-') ++at_;
    if (!is_digit(*at_)) return malformed(at_, "expected a digit here");
    while (is_digit(*at_)) ++at_;
  }
  node.size = static_cast<std::uint32_t>(at_ - begin);
  if (node.size > kMaximumNumberLength)
    return beyond(begin, "a number of more than " + std::to_string(kMaximumNumberLength) +
                             " characters, which is the limit");
  if (exponent && !in_range(node)) return malformed(begin, "a number beyond the range of a double");
  if (!node.flag) {
    node.kind = Kind::kNumber;
  } else if (node.size > 18) {
    std::uint64_t magnitude = 0;
    std::int64_t negative = 0;
    const bool fits = *begin == '-' ? std::from_chars(begin, at_, negative).ec == std::errc{}
                                    : std::from_chars(begin, at_, magnitude).ec == std::errc{};
    if (!fits) node.kind = Kind::kNumber;
  }
  pending_.push_back(node);
  return true;
}

bool Parser::in_range(const Node& node) {
  double value = 0;
  const char* const begin = text_ + node.offset;
  return std::from_chars(begin, begin + node.size, value).ec == std::errc{};
}

bool Parser::name() {
  skip_space();
  if (*at_ != '"') return malformed(at_, "expected a name in quotes here");
  if (!string()) return false;
  skip_space();
  if (*at_ != ':') return malformed(at_, "expected a colon here");
  ++at_;
  return true;
}

bool Parser::string() {
  char* const begin = ++at_;
  char* out = begin;
  for (;;) {
    char* const run = at_;
    while (kInterrupts[static_cast<unsigned char>(*at_)] == 0) ++at_;
    const auto plain = static_cast<std::size_t>(at_ - run);
    if (out != run) std::memmove(out, run, plain);
    out += plain;
    const auto byte = static_cast<unsigned char>(*at_);
    if (byte == '"') break;
    if (byte == '\\') {
      if (!escape(out)) return false;
    } else if (byte < 0x20) {
      return malformed(at_, "a control character inside a string");
    } else {
      const std::size_t length = utf8_length(at_);
      if (length == 0) return malformed(at_, "bytes that are not UTF-8");
      if (out != at_) std::memmove(out, at_, length);
      out += length;
      at_ += length;
    }
  }
  ++at_;
  pending_.push_back(
      {.offset = offset(begin), .size = static_cast<std::uint32_t>(out - begin), .kind = Kind::kString});
  return true;
}

bool Parser::escape(char*& out) {
  if (at_[1] == 'u') return unicode_escape(out);
  const char plain = short_escape(at_[1]);
  if (plain == 0) return malformed(at_ + 1 == end_ ? end_ : at_, "an unknown escape inside a string");
  *out++ = plain;
  at_ += 2;
  return true;
}

bool Parser::unicode_escape(char*& out) {
  std::uint32_t code = 0;
  if (!hex4(at_ + 2, code)) return false;
  if (code == 0) return malformed(at_, "\\u0000, which PostgreSQL cannot hold");
  if (code >= 0xDC00 && code <= 0xDFFF) return malformed(at_, "half of a surrogate pair");
  if (code >= 0xD800 && code <= 0xDBFF) {
    std::uint32_t low = 0;
    if (at_[6] != '\\' || at_[7] != 'u') return malformed(at_, "half of a surrogate pair");
    if (!hex4(at_ + 8, low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) return malformed(at_, "half of a surrogate pair");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    at_ += 6;
  }
  at_ += 6;
  out = put_utf8(out, code);
  return true;
}

bool Parser::hex4(const char* from, std::uint32_t& code) {
  code = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(from[i]);
    if (digit < 0) return malformed(from + i, "expected four hexadecimal digits after \\u");
    code = code << 4 | static_cast<std::uint32_t>(digit);
  }
  return true;
}

bool Parser::unique_names(std::size_t first, std::uint32_t members) {
  const Node* const children = pending_.data() + first;
  const auto name = [&](std::size_t member) { return tree_.view(children[2 * member]); };
  constexpr std::uint32_t kFew = 16;
  if (members <= kFew) {
    for (std::uint32_t later = 1; later < members; ++later)
      for (std::uint32_t earlier = 0; earlier < later; ++earlier)
        if (name(earlier) == name(later)) return repeated(children[std::size_t{2} * later]);
    return true;
  }
  std::vector<std::uint32_t> order(members);
  for (std::uint32_t i = 0; i < members; ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const int comparison = name(a).compare(name(b));
    return comparison != 0 ? comparison < 0 : a < b;
  });
  for (std::uint32_t i = 1; i < members; ++i)
    if (name(order[i - 1]) == name(order[i])) return repeated(children[std::size_t{2} * order[i]]);
  return true;
}

// Every frame but the innermost stands where its last pending child is: a name in an object, an index in an
// array.
bool Parser::repeated(const Node& name) {
  std::string pointer;
  for (std::size_t i = 0; i + 1 < open_.size(); ++i) {
    const std::size_t children = open_[i + 1].pending - open_[i].pending;
    pointer += '/';
    pointer += open_[i].object ? pointer_token(tree_.view(pending_[open_[i + 1].pending - 1]))
                               : std::to_string(children);
  }
  pointer += '/';
  pointer += pointer_token(tree_.view(name));
  return malformed(text_ + name.offset, "the name at " + printable(pointer) + " stands twice in its object");
}

}  // namespace detail

Result<Document> Document::parse(std::string_view text, const Limits& limits) {
  const std::size_t maximum_bytes = std::min(limits.maximum_bytes, detail::kMostBytes);
  if (text.size() > maximum_bytes)
    return Error{ErrorKind::kInvalid, "SKALD-102",
                 "not acceptable JSON, at byte " + std::to_string(maximum_bytes) + ": a text of " +
                     std::to_string(text.size()) + " bytes; the limit is " + std::to_string(maximum_bytes)};
  auto tree = std::make_unique<detail::Tree>();
  tree->text = text;
  detail::Parser parser(*tree, limits);
  if (!parser.run()) return parser.take_error();
  return Document(std::move(tree));
}

}  // namespace skald::json
