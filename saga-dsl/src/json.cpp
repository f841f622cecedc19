// Values and pointers: reading a Tree that the parser has built.
#include "skald/json.hpp"

#include <array>
#include <charconv>

#include "json_tree.hpp"

namespace skald::json {
namespace detail {

std::string printable(std::string_view text) {
  constexpr std::size_t kMost = 200;
  const bool cut = text.size() > kMost;
  if (cut) {
    std::size_t end = kMost;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end);
  }
  std::string result(text);
  for (char& c : result)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  if (cut) result += "...";
  return result;
}

}  // namespace detail

Kind Value::kind() const noexcept { return node_ == nullptr ? Kind::kNull : node_->kind; }

bool Value::as_boolean() const noexcept { return kind() == Kind::kBoolean && node_->flag; }

std::string_view Value::number_text() const noexcept {
  return kind() == Kind::kInteger || kind() == Kind::kNumber ? tree_->view(*node_) : std::string_view();
}

std::string_view Value::as_string() const noexcept {
  return kind() == Kind::kString ? tree_->view(*node_) : std::string_view();
}

namespace {

template <class Integer>
std::optional<Integer> read_integer(std::string_view text) noexcept {
  if (text == "-0") text.remove_prefix(1);
  Integer value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::int64_t> Value::as_int64() const noexcept {
  if (kind() != Kind::kInteger) return std::nullopt;
  return read_integer<std::int64_t>(tree_->view(*node_));
}

std::optional<std::uint64_t> Value::as_uint64() const noexcept {
  if (kind() != Kind::kInteger) return std::nullopt;
  return read_integer<std::uint64_t>(tree_->view(*node_));
}

double Value::as_double() const noexcept {
  const std::string_view text = number_text();
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::optional<double> Value::as_exact_double() const noexcept {
  const std::string_view text = number_text();
  if (text.empty()) return std::nullopt;
  const double value = as_double();
  constexpr std::size_t kAlwaysExact = 15;  // digits
  if (!node_->flag || text.size() <= kAlwaysExact) return value;
  std::array<char, kMaximumNumberLength + 2> digits;
  const auto [end, failure] =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed, 0);
  const std::string_view written(digits.data(), static_cast<std::size_t>(end - digits.data()));
  if (failure != std::errc{} || written != text) return std::nullopt;
  return value;
}

std::size_t Value::size() const noexcept {
  return kind() == Kind::kArray || kind() == Kind::kObject ? node_->size : 0;
}

Value Value::element(std::size_t index) const noexcept {
  if (kind() != Kind::kArray || index >= node_->size) return {};
  return {tree_, &tree_->nodes[node_->first + index]};
}

std::string_view Value::member_name(std::size_t index) const noexcept {
  if (kind() != Kind::kObject || index >= node_->size) return {};
  return tree_->view(tree_->nodes[node_->first + 2 * index]);
}

Value Value::member_value(std::size_t index) const noexcept {
  if (kind() != Kind::kObject || index >= node_->size) return {};
  return {tree_, &tree_->nodes[node_->first + 2 * index + 1]};
}

std::optional<Value> Value::find(std::string_view name, std::size_t hint) const noexcept {
  if (kind() != Kind::kObject) return std::nullopt;
  const detail::Node* const members = tree_->nodes.data() + node_->first;
  const std::size_t count = node_->size;
  std::size_t member = hint < count ? hint : 0;
  for (std::size_t tried = 0; tried < count; ++tried) {
    if (tree_->view(members[2 * member]) == name) return Value(tree_, &members[2 * member + 1]);
    if (++member == count) member = 0;
  }
  return std::nullopt;
}

bool valid_pointer(std::string_view pointer) noexcept {
  if (pointer.empty()) return true;
  if (pointer.front() != '/') return false;
  for (std::size_t i = 0; i < pointer.size(); ++i)
    if (pointer[i] == '~' && (i + 1 == pointer.size() || (pointer[i + 1] != '0' && pointer[i + 1] != '1')))
      return false;
  return true;
}

std::string pointer_token(std::string_view name) {
  std::string token;
  token.reserve(name.size());
  for (const char c : name) {
    if (c == '~') {
      token += "~0";
    } else if (c == '/') {
      token += "~1";
    } else {
      token += c;
    }
  }
  return token;
}

namespace {

std::string unescaped_token(std::string_view token) {
  std::string name;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~') {
      name += token[++i] == '0' ? '~' : '/';
    } else {
      name += token[i];
    }
  }
  return name;
}

std::optional<Value> child(Value parent, std::string_view token) {
  if (parent.kind() == Kind::kObject) {
    if (token.find('~') == std::string_view::npos) return parent.find(token);
    return parent.find(unescaped_token(token));
  }
  if (parent.kind() != Kind::kArray || token.empty() || (token.front() == '0' && token.size() > 1))
    return std::nullopt;
  std::size_t index = 0;
  const auto [stop, failure] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (failure != std::errc{} || stop != token.data() + token.size() || index >= parent.size())
    return std::nullopt;
  return parent.element(index);
}

void write(Writer& writer, Value value) {
  switch (value.kind()) {
    case Kind::kNull: return writer.null();
    case Kind::kBoolean: return writer.boolean(value.as_boolean());
    case Kind::kInteger:
    case Kind::kNumber: return writer.raw(value.number_text());
    case Kind::kString: return writer.string(value.as_string());
    case Kind::kArray:
      writer.begin_array();
      for (std::size_t i = 0; i < value.size(); ++i) write(writer, value.element(i));
      return writer.end_array();
    case Kind::kObject:
      writer.begin_object();
      for (std::size_t i = 0; i < value.size(); ++i) {
        writer.key(value.member_name(i));
        write(writer, value.member_value(i));
      }
      return writer.end_object();
  }
}

}  // namespace

std::optional<Value> Value::at_pointer(std::string_view pointer) const {
  if (!valid_pointer(pointer)) return std::nullopt;
  std::optional<Value> value = *this;
  while (value && !pointer.empty()) {
    const std::size_t end = std::min(pointer.find('/', 1), pointer.size());
    value = child(*value, pointer.substr(1, end - 1));
    pointer.remove_prefix(end);
  }
  return value;
}

std::string Value::text() const {
  Writer writer;
  write(writer, *this);  // no deeper than detail::kMostDepth: the parser saw to it
  return writer.take();
}

Document::Document(std::unique_ptr<const detail::Tree> tree) noexcept : tree_(std::move(tree)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Value Document::root() const noexcept { return {tree_.get(), &tree_->nodes.back()}; }

}  // namespace skald::json
