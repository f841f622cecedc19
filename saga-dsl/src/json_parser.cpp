// The JSON parser: RapidJSON's event reader, iterative and in situ, whose events build a Tree. Its stack is two
// words a level, on the heap beyond the first levels, and depth, bytes and number of values are checked as the events come,
// before memory is taken for them, so the input decides neither over stack nor over memory. RapidJSON 1.1 is given a
// copy it may write to (strings are unescaped where they stand), and what it is known to get wrong is fenced
// here: it reads up to three bytes beyond a text cut inside a UTF-8 character (the copy goes on with NULs), it
// takes a NUL for the end of the text, and it lets a low surrogate without its high one pass. One peculiarity
// stays: it refuses a zero with an exponent above 308 as too large.
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory_resource>

#include "json_tree.hpp"

namespace skald::json {
namespace detail {
namespace {

using rapidjson::SizeType;

constexpr std::size_t kPadding = 3;
constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag |
                            rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;

struct Frame {
  std::uint32_t offset;   // of the opening bracket
  std::uint32_t pending;  // where its children begin among the pending nodes
  bool object;
};

struct Refusal {
  std::size_t offset;
  std::string_view what;
};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

Error malformed(std::size_t offset, std::string_view what) {
  return {ErrorKind::kInvalid, "SKALD-101",
          "not acceptable JSON, at byte " + std::to_string(offset) + ": " + std::string(what)};
}

Error beyond(std::size_t offset, std::string_view what, std::size_t limit, std::string_view unit) {
  return {ErrorKind::kInvalid, "SKALD-102",
          "not acceptable JSON, at byte " + std::to_string(offset) + ": " + std::string(what) +
              std::to_string(limit) + std::string(unit) + ", which is the limit"};
}

Error number_too_long(std::size_t offset) {
  return beyond(offset, "a number of more than ", kMaximumNumberLength, " characters");
}

bool within_double(std::string_view number) {
  double value = 0;
  return std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc{};
}

bool within_64_bits(std::string_view number) {
  const char* const end = number.data() + number.size();
  std::uint64_t magnitude = 0;
  std::int64_t negative = 0;
  return number.front() == '-' ? std::from_chars(number.data(), end, negative).ec == std::errc{}
                               : std::from_chars(number.data(), end, magnitude).ec == std::errc{};
}

// Whether an unescaped string holds what RapidJSON only takes from an escape: U+0000 or half of a surrogate pair.
bool holds_bad_escape(std::string_view string) {
  if (string.find('\0') != std::string_view::npos) return true;
  for (std::size_t at = string.find('\xED'); at != std::string_view::npos; at = string.find('\xED', at + 1))
    if (static_cast<unsigned char>(string[at + 1]) >= 0xA0) return true;
  return false;
}

// The first such escape of the string whose content begins at `at`; its other escapes are known to be sound.
Refusal bad_escape(std::string_view source, std::size_t at) {
  while ((at = source.find('\\', at)) != std::string_view::npos) {
    if (source[at + 1] != 'u') {
      at += 2;
      continue;
    }
    unsigned code = 0;
    std::from_chars(source.data() + at + 2, source.data() + at + 6, code, 16);
    if (code == 0) return {at, "\\u0000, which PostgreSQL cannot hold"};
    if (code >= 0xDC00 && code <= 0xDFFF) break;
    at += code >= 0xD800 && code <= 0xDBFF ? 12 : 6;
  }
  return {at, "half of a surrogate pair"};
}

// What is wrong at the byte where RapidJSON stopped; it may lie a little further on or back.
Refusal explain(rapidjson::ParseErrorCode code, std::string_view source, std::size_t at) {
  const auto byte = [source](std::size_t place) { return place < source.size() ? source[place] : '\0'; };
  const char before = at == 0 ? '\0' : byte(at - 1);
  const bool zero_first = before == '0' && is_digit(byte(at));
  switch (code) {
    case rapidjson::kParseErrorDocumentEmpty:
      return {at, at == source.size() ? "there is no value" : "expected a value here"};
    case rapidjson::kParseErrorDocumentRootNotSingular:
      if (zero_first) return {at - 1, "a number begins with 0"};
      return {at, "bytes after the end of the JSON value"};
    case rapidjson::kParseErrorObjectMissName: return {at, "expected a name in quotes here"};
    case rapidjson::kParseErrorObjectMissColon: return {at, "expected a colon here"};
    case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket:
      if (zero_first) return {at - 1, "a number begins with 0"};
      return {at, "expected a comma or } here"};
    case rapidjson::kParseErrorArrayMissCommaOrSquareBracket:
      if (zero_first) return {at - 1, "a number begins with 0"};
      return {at, "expected a comma or ] here"};
    case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
      at += 2;
      for (int digits = 0; is_hex_digit(byte(at)); ++at)
        if (++digits == 4) at += 2;  // the high half was sound
      return {at, "expected four hexadecimal digits after \\u"};
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid: return {at, "half of a surrogate pair"};
    case rapidjson::kParseErrorStringEscapeInvalid:
      if (byte(at) != '\\') return {at, "a control character inside a string"};
      return {at + 1 == source.size() ? at + 1 : at, "an unknown escape inside a string"};
    case rapidjson::kParseErrorStringMissQuotationMark: return {at, "a control character inside a string"};
    case rapidjson::kParseErrorStringInvalidEncoding: return {at, "bytes that are not UTF-8"};
    case rapidjson::kParseErrorNumberTooBig: return {at, "a number beyond the range of a double"};
    case rapidjson::kParseErrorNumberMissFraction:
    case rapidjson::kParseErrorNumberMissExponent: return {at, "expected a digit here"};
    default:  // kParseErrorValueInvalid, at the first byte that does not fit
      if (before == '-') return {at, "expected a digit here"};
      return {at,
              before >= 'a' && before <= 'z' ? "expected true, false or null here" : "expected a value here"};
  }
}

// RapidJSON's error in our words. The text it read was unescaped meanwhile; `source` is the one that came.
Error translated(const rapidjson::ParseResult& result, std::string_view source) {
  if (result.Code() == rapidjson::kParseErrorNumberTooBig) {
    const std::size_t end = source.find_first_not_of("+-.0123456789Ee", result.Offset());
    if (std::min(end, source.size()) - result.Offset() > kMaximumNumberLength)
      return number_too_long(result.Offset());
  }
  Refusal refusal = explain(result.Code(), source, result.Offset());
  if (refusal.offset == source.size() && result.Code() != rapidjson::kParseErrorDocumentEmpty)
    refusal.what = "the text ends too early";
  return malformed(refusal.offset, refusal.what);
}

/// Takes the events; an event that answers false ends the reading, with the reason in error().
class TreeBuilder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, TreeBuilder> {
 public:
  TreeBuilder(Tree& tree, std::string_view source, rapidjson::InsituStringStream& stream,
              std::size_t maximum_depth, std::size_t maximum_values)
      : tree_(tree),
        source_(source),
        stream_(stream),
        maximum_depth_(maximum_depth),
        maximum_values_(maximum_values) {
    pending_.reserve(kUsualNodes);
    open_.reserve(kUsualDepth);
    tree_.nodes.reserve(std::min(kUsualNodes, source.size() / kBytesPerNode + 1));
  }

  bool Null() { return literal(Kind::kNull, false, 4); }
  bool Bool(bool value) { return literal(Kind::kBoolean, value, value ? 4 : 5); }
  bool RawNumber(const char* text, SizeType length, bool copy);
  bool String(const char* text, SizeType length, bool copy);
  bool Key(const char* text, SizeType length, bool copy);
  bool StartObject() { return enter(true); }
  bool EndObject(SizeType members);
  bool StartArray() { return enter(false); }
  bool EndArray(SizeType elements);

  void take_root() { tree_.nodes.push_back(pending_.front()); }
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  bool literal(Kind kind, bool flag, std::size_t length);
  bool enter(bool object);
  bool leave(std::uint32_t size);
  bool counted(std::size_t offset);
  bool unique_names(std::size_t first, std::uint32_t members);
  bool repeated(const Node& name);

  [[nodiscard]] std::uint32_t offset_of(const char* place) const {
    return static_cast<std::uint32_t>(place - tree_.text.data());
  }
  bool fail(Error error) {
    error_ = std::move(error);
    return false;
  }

  Tree& tree_;
  const std::string_view source_;
  rapidjson::InsituStringStream& stream_;
  const std::size_t maximum_depth_;
  const std::size_t maximum_values_;
  std::size_t values_ = 0;
  // What a usual text needs while it is read; beyond it the heap is asked.
  static constexpr std::size_t kUsualNodes = 32;
  static constexpr std::size_t kUsualDepth = 8;
  static constexpr std::size_t kBytesPerNode = 4;
  alignas(Node) std::array<std::byte, kUsualNodes * sizeof(Node) + kUsualDepth * sizeof(Frame)> first_memory_;
  std::pmr::monotonic_buffer_resource memory_{first_memory_.data(), first_memory_.size()};
  std::pmr::vector<Node> pending_{&memory_};  // children of the containers that are still open
  std::pmr::vector<Frame> open_{&memory_};
  Error error_;
};

bool TreeBuilder::counted(std::size_t offset) {
  if (++values_ <= maximum_values_) return true;
  return fail(beyond(offset, "more than ", maximum_values_, " values"));
}

bool TreeBuilder::literal(Kind kind, bool flag, std::size_t length) {
  const std::size_t offset = stream_.Tell() - length;
  if (!counted(offset)) return false;
  pending_.push_back({.offset = static_cast<std::uint32_t>(offset), .kind = kind, .flag = flag});
  return true;
}

bool TreeBuilder::RawNumber(const char* text, SizeType length, bool /*copy*/) {
  const std::string_view number(text, length);
  Node node{.offset = offset_of(text), .size = length, .kind = Kind::kInteger};
  if (!counted(node.offset)) return false;
  if (length > kMaximumNumberLength) return fail(number_too_long(node.offset));
  node.flag = number.find_first_of(".eE") == std::string_view::npos;
  if (!node.flag && number.find_first_of("eE") != std::string_view::npos && !within_double(number))
    return fail(malformed(node.offset, "a number beyond the range of a double"));
  constexpr SizeType kAlwaysFits = 18;  // characters
  if (!node.flag || (length > kAlwaysFits && !within_64_bits(number))) node.kind = Kind::kNumber;
  pending_.push_back(node);
  return true;
}

bool TreeBuilder::String(const char* text, SizeType length, bool copy) {
  return counted(offset_of(text) - 1) && Key(text, length, copy);
}

bool TreeBuilder::Key(const char* text, SizeType length, bool /*copy*/) {
  const std::uint32_t offset = offset_of(text);
  if (holds_bad_escape({text, length})) {
    const Refusal refusal = bad_escape(source_, offset);
    return fail(malformed(refusal.offset, refusal.what));
  }
  pending_.push_back({.offset = offset, .size = length, .kind = Kind::kString});
  return true;
}

bool TreeBuilder::enter(bool object) {
  const std::size_t offset = stream_.Tell();
  if (!counted(offset)) return false;
  if (open_.size() >= maximum_depth_)
    return fail(beyond(offset, "nested deeper than ", maximum_depth_, " levels"));
  open_.push_back({static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(pending_.size()), object});
  return true;
}

bool TreeBuilder::EndObject(SizeType members) {
  return unique_names(open_.back().pending, members) && leave(members);
}

bool TreeBuilder::EndArray(SizeType elements) { return leave(elements); }

bool TreeBuilder::leave(std::uint32_t size) {
  const Frame frame = open_.back();
  const Node node{.offset = frame.offset,
                  .size = size,
                  .first = static_cast<std::uint32_t>(tree_.nodes.size()),
                  .kind = frame.object ? Kind::kObject : Kind::kArray};
  const auto begin = pending_.begin() + frame.pending;
  tree_.nodes.insert(tree_.nodes.end(), begin, pending_.end());
  pending_.erase(begin, pending_.end());
  pending_.push_back(node);
  open_.pop_back();
  return true;
}

bool TreeBuilder::unique_names(std::size_t first, std::uint32_t members) {
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
bool TreeBuilder::repeated(const Node& name) {
  std::string pointer;
  for (std::size_t i = 0; i + 1 < open_.size(); ++i) {
    const std::size_t children = open_[i + 1].pending - open_[i].pending;
    pointer += '/';
    pointer += open_[i].object ? pointer_token(tree_.view(pending_[open_[i + 1].pending - 1]))
                               : std::to_string(children);
  }
  pointer += '/';
  pointer += pointer_token(tree_.view(name));
  return fail(malformed(name.offset, "the name at " + printable(pointer) + " stands twice in its object"));
}

}  // namespace
}  // namespace detail

Result<Document> Document::parse(std::string_view text, const Limits& limits) {
  const std::size_t maximum_bytes = std::min(limits.maximum_bytes, detail::kMostBytes);
  if (text.size() > maximum_bytes)
    return Error{ErrorKind::kInvalid, "SKALD-102",
                 "not acceptable JSON, at byte " + std::to_string(maximum_bytes) + ": a text of " +
                     std::to_string(text.size()) + " bytes; the limit is " + std::to_string(maximum_bytes)};
  if (text.substr(0, 3) == "\xEF\xBB\xBF") return detail::malformed(0, "a byte order mark before the JSON");
  const auto maximum_depth =
      static_cast<std::size_t>(std::clamp(limits.maximum_depth, 0, detail::kMostDepth));

  auto tree = std::make_unique<detail::Tree>();
  tree->text.reserve(text.size() + detail::kPadding);
  tree->text.append(text).append(detail::kPadding, '\0');
  rapidjson::InsituStringStream stream(tree->text.data());
  detail::TreeBuilder builder(*tree, text, stream, maximum_depth, limits.maximum_members);
  constexpr std::size_t kMoreMemory = 4096;
  alignas(std::max_align_t) std::array<char, 512> first_memory;
  rapidjson::MemoryPoolAllocator<> allocator(first_memory.data(), first_memory.size(), kMoreMemory);
  rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, rapidjson::MemoryPoolAllocator<>> reader(
      &allocator);
  const rapidjson::ParseResult result = reader.Parse<detail::kFlags>(stream, builder);
  if (result.Code() == rapidjson::kParseErrorTermination) return builder.error();
  if (result.IsError()) return detail::translated(result, text);
  if (stream.Tell() != text.size())  // it ended at a NUL
    return detail::malformed(stream.Tell(), "bytes after the end of the JSON value");
  builder.take_root();
  return Document(std::move(tree));
}

}  // namespace skald::json
