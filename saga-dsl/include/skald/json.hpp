// JSON as Skald reads and writes it: a Document that holds a parsed text, Value as a view into it, and
// Writer. Whatever bytes arrive, parsing needs bounded memory and a bounded stack, and ends in a Document or
// in an Error that names the byte. What is accepted is RFC 8259 in UTF-8, and less: no byte order mark, no
// key twice in an object, no U+0000 (PostgreSQL cannot hold it), no number beyond the range of a double.
// Numbers keep their text, so nothing is rounded on the way through. Values may be read by several threads, a
// Writer has one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "skald/result.hpp"

namespace skald::json {

/// What a text may cost. Beyond one of them it is refused with SKALD-102.
struct Limits {
  std::size_t maximum_bytes = 1 << 20;    ///< of the text; at most 1 GiB counts
  int maximum_depth = 64;                 ///< of arrays and objects inside each other; at most 1000 counts
  std::size_t maximum_members = 100'000;  ///< values of every kind in the whole text
};

/// A number may have this many characters. The longest that a double or a 40-digit decimal needs is shorter.
inline constexpr std::size_t kMaximumNumberLength = 128;

namespace detail {
struct Node;
struct Tree;
}  // namespace detail

enum class Kind : std::uint8_t { kNull, kBoolean, kInteger, kNumber, kString, kArray, kObject };

/// A node of a Document, by reference: cheap to copy, valid as long as the Document (moving it is fine). A
/// value made by default is null. The accessors of a kind may be called on any other; they then answer false,
/// 0, "" or nothing.
class Value {
 public:
  using Kind = json::Kind;

  Value() = default;

  /// kInteger is a number without fraction and exponent that fits int64 or uint64; every other one is
  /// kNumber.
  [[nodiscard]] Kind kind() const noexcept;
  [[nodiscard]] bool is_null() const noexcept { return kind() == Kind::kNull; }

  [[nodiscard]] bool as_boolean() const noexcept;
  [[nodiscard]] std::optional<std::int64_t> as_int64() const noexcept;    ///< of a kInteger in range
  [[nodiscard]] std::optional<std::uint64_t> as_uint64() const noexcept;  ///< of a kInteger in range
  [[nodiscard]] double as_double() const noexcept;  ///< of any number: the nearest double
  [[nodiscard]] std::optional<double> as_exact_double()
      const noexcept;  ///< nothing for an integer that would be rounded
  [[nodiscard]] std::string_view as_string() const noexcept;
  [[nodiscard]] std::string_view number_text() const noexcept;  ///< the number as it was written

  /// Elements of an array or members of an object, in the order of the text; constant time each.
  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] Value element(std::size_t index) const noexcept;
  [[nodiscard]] std::string_view member_name(std::size_t index) const noexcept;
  [[nodiscard]] Value member_value(std::size_t index) const noexcept;

  /// The member of that name. The search starts at member `hint` and wraps round, so that reading members in
  /// the order of the text costs one comparison each.
  [[nodiscard]] std::optional<Value> find(std::string_view name, std::size_t hint = 0) const noexcept;

  /// The node an RFC 6901 pointer leads to; nothing when it leads nowhere or is not a pointer.
  [[nodiscard]] std::optional<Value> at_pointer(std::string_view pointer) const;

  /// Compact JSON of this node: members in the order of the text, numbers as they were written.
  [[nodiscard]] std::string text() const;

 private:
  friend class Document;
  Value(const detail::Tree* tree, const detail::Node* node) noexcept : tree_(tree), node_(node) {}

  const detail::Tree* tree_ = nullptr;
  const detail::Node* node_ = nullptr;
};

/// A parsed text. It owns its bytes; Values point into it.
class Document {
 public:
  /// SKALD-101 when the text is not JSON as described above, SKALD-102 when it exceeds a limit; both name the
  /// byte.
  static Result<Document> parse(std::string_view text, const Limits& limits = {});

  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;
  ~Document();

  [[nodiscard]] Value root() const noexcept;

 private:
  explicit Document(std::unique_ptr<const detail::Tree> tree) noexcept;

  std::unique_ptr<const detail::Tree> tree_;
};

/// Whether this is an RFC 6901 pointer: empty, or reference tokens that each follow a slash.
[[nodiscard]] bool valid_pointer(std::string_view pointer) noexcept;

/// The pointer to the value that begins at byte `offset` of a compact text that a Writer made.
[[nodiscard]] std::string pointer_at(std::string_view written, std::size_t offset);

/// One reference token with `~` and `/` escaped.
[[nodiscard]] std::string pointer_token(std::string_view name);

/// Appends compact JSON to a string. What it writes is always valid JSON that Document::parse accepts, as
/// long as begin and end match and raw() is given JSON. What JSON cannot hold is replaced and remembered:
/// bytes that are not UTF-8 and U+0000 by U+FFFD, a double that is not finite by null. It never throws but
/// for want of memory.
class Writer {
 public:
  struct Replacement {
    std::size_t offset;       ///< in the written text: where the replaced value begins
    std::string_view reason;  ///< part of a sentence: "a string that is not UTF-8"
  };

  Writer() { text_.reserve(240); }

  void begin_object() { open('{'); }
  void key(std::string_view name);
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }

  void string(std::string_view value);
  void integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  void number(double value);  ///< the shortest text that reads back as the same double
  void boolean(bool value);
  void null();
  void raw(std::string_view json);  ///< a value that is compact JSON already

  /// Writes null and remembers it as a replacement: for a value that has no JSON form.
  void unrepresentable(std::string_view reason);

  [[nodiscard]] const std::optional<Replacement>& first_replacement() const noexcept { return replacement_; }
  [[nodiscard]] int deepest() const noexcept { return deepest_; }  ///< arrays and objects inside each other
  [[nodiscard]] std::size_t values() const noexcept {
    return values_;
  }  ///< as Limits count them; raw() as one
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void separate() {
    if (comma_) text_ += ',';
    comma_ = true;
    ++values_;
  }
  void open(char bracket) {
    separate();
    text_ += bracket;
    comma_ = false;
    if (++depth_ > deepest_) deepest_ = depth_;
  }
  void close(char bracket) {
    text_ += bracket;
    comma_ = true;
    --depth_;
  }
  void quoted(std::string_view value);

  std::string text_;
  std::optional<Replacement> replacement_;
  std::size_t values_ = 0;
  int depth_ = 0;
  int deepest_ = 0;
  bool comma_ = false;
};

}  // namespace skald::json
