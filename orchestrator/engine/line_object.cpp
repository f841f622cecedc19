// Reading a line where it stands, or else by the JSON parser. What is plain is less than what is acceptable: whatever the
// plain reader does not know, such as an escape, a sign or a name that stands twice, is left to the parser.
#include "engine/line_object.hpp"

#include <algorithm>
#include <charconv>

namespace skald::engine {
namespace {

constexpr std::size_t kUsualMembers = 12;
/// A number this long fits 64 bits whatever its digits.
constexpr std::size_t kPlainDigits = 18;

/// Takes a line as json::Writer gives it off its front; what is not plain is not taken.
class PlainReader {
 public:
  explicit PlainReader(std::string_view line) : rest_(line) {}

  [[nodiscard]] bool done() const { return rest_.empty(); }

  bool take(std::string_view expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  bool take_string(std::string_view& content) {
    if (!take("\"")) return false;
    std::size_t length = 0;
    while (length < rest_.size() && is_plain(rest_[length])) ++length;
    if (length == rest_.size() || rest_[length] != '"') return false;
    content = rest_.substr(0, length);
    rest_.remove_prefix(length + 1);
    return true;
  }

  bool take_value(LineMember& member) {
    member.kind = json::Kind::kString;
    if (take_string(member.text)) return true;
    member.kind = json::Kind::kBoolean;
    return take("true") || take_integer(member);
  }

 private:
  static bool is_plain(char c) { return c >= ' ' && c < '\x7f' && c != '"' && c != '\\'; }

  /// A positive integer: times, ordinals, lengths.
  bool take_integer(LineMember& member) {
    std::size_t length = 0;
    while (length < rest_.size() && rest_[length] >= '0' && rest_[length] <= '9') ++length;
    if (length == 0 || length > kPlainDigits || rest_.front() == '0') return false;
    member.kind = json::Kind::kInteger;
    member.text = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return true;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<std::int64_t> LineMember::number() const {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  if (kind != json::Kind::kInteger || std::from_chars(text.data(), end, value).ec != std::errc{})
    return std::nullopt;
  return value;
}

Result<void> LineObject::read(std::string_view line) {
  members_.reserve(kUsualMembers);
  if (read_plain(line)) return {};
  members_.clear();
  auto document = json::Document::parse(line);
  if (!document) return document.error();
  document_ = std::move(document).value();
  const json::Value root = document_->root();
  if (root.kind() != json::Kind::kObject) return Error{ErrorKind::kInvalid, "SKALD-423", "not an object"};
  for (std::size_t index = 0; index < root.size(); ++index) {
    const json::Value value = root.member_value(index);
    const bool string = value.kind() == json::Kind::kString;
    members_.push_back(
        {root.member_name(index), value.kind(), string ? value.as_string() : value.number_text()});
  }
  return {};
}

bool LineObject::read_plain(std::string_view line) {
  members_.clear();
  PlainReader reader(line);
  if (!reader.take("{")) return false;
  do {
    LineMember member;
    if (!reader.take_string(member.name) || holds(member.name) || !reader.take(":") ||
        !reader.take_value(member))
      return false;
    members_.push_back(member);
  } while (reader.take(","));
  return reader.take("}") && reader.done();
}

bool LineObject::holds(std::string_view name) const {
  return std::any_of(members_.begin(), members_.end(),
                     [name](const LineMember& member) { return member.name == name; });
}

}  // namespace skald::engine
