// How each mapped type reads, writes and describes itself: one Mapping<T> a kind of type. Reading answers
// false and fills a Misfit when a value does not fit; the place is put together on the way out, so success
// pays nothing for it.
#pragma once

#include <cmath>
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "skald/decimal.hpp"
#include "skald/detail/field_list.hpp"
#include "skald/json.hpp"

namespace skald {

/// An input or output without content: JSON {} when written; null and any object are accepted.
struct Nothing {
  bool operator==(const Nothing&) const = default;
};

namespace detail {

/// Why a value does not fit, and where: reference tokens from the inside out.
class Misfit {
 public:
  bool expected(std::string_view what, json::Value found);  ///< "expected WHAT, found …"; always false
  bool missing(std::string_view name, std::string_view what);
  bool refuse(std::string what);
  bool under(std::string_view name);  ///< always false
  bool under(std::size_t index);
  [[nodiscard]] Error error() const;

 private:
  std::vector<std::string> tokens_;
  std::string what_;
};

/// Collects a JSON Schema: the place being written and the named types under $defs.
class Schema {
 public:
  using Write = void (*)(Schema&);
  json::Writer out;

  /// Refers to a named type and sees to it that it is defined. `id` tells types of one name apart.
  void refer(const void* id, std::string_view name, Write write);
  [[nodiscard]] static std::string of(const void* id, std::string_view name, Write write);

 private:
  struct Definition {
    const void* id;
    std::string name;
    std::string text;
  };
  const void* root_ = nullptr;
  std::vector<Definition> definitions_;
};

template <class T>
inline constexpr char kTypeId = 0;

template <class T>
struct Mapping;
template <class T>
concept HasMapping = requires { sizeof(Mapping<T>); };

template <class T>
concept FieldInteger =
    std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
    !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

bool read_signed(json::Value from, std::int64_t low, std::int64_t high, std::int64_t& into, Misfit& misfit);
bool read_unsigned(json::Value from, std::uint64_t high, std::uint64_t& into, Misfit& misfit);
void schema_integer(Schema& schema, std::int64_t low, std::uint64_t high);

template <FieldInteger T>
struct Mapping<T> {
  using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
  using Limits = std::numeric_limits<T>;
  static constexpr std::string_view kWhat = "an integer";
  static bool read(json::Value from, T& into, Misfit& misfit) {
    Wide wide = 0;
    if constexpr (std::is_signed_v<T>) {
      if (!read_signed(from, Limits::min(), Limits::max(), wide, misfit)) return false;
    } else {
      if (!read_unsigned(from, Limits::max(), wide, misfit)) return false;
    }
    into = static_cast<T>(wide);
    return true;
  }
  static void write(json::Writer& out, T value) {
    if constexpr (std::is_signed_v<T>)
      out.integer(value);
    else
      out.unsigned_integer(value);
  }
  static void schema(Schema& schema) { schema_integer(schema, Limits::min(), Limits::max()); }
};

#define SKALD_DETAIL_SIMPLE_MAPPING(Type, what)                     \
  template <>                                                       \
  struct Mapping<Type> {                                            \
    static constexpr std::string_view kWhat = what;                 \
    static bool read(json::Value from, Type& into, Misfit& misfit); \
    static void write(json::Writer& out, const Type& value);        \
    static void schema(Schema& schema);                             \
  }
SKALD_DETAIL_SIMPLE_MAPPING(bool, "a boolean");
SKALD_DETAIL_SIMPLE_MAPPING(double, "a number");
SKALD_DETAIL_SIMPLE_MAPPING(std::string, "a string");
SKALD_DETAIL_SIMPLE_MAPPING(Decimal, "a decimal number in a string");
SKALD_DETAIL_SIMPLE_MAPPING(Nothing, "an object or null");
#undef SKALD_DETAIL_SIMPLE_MAPPING

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

template <class T>
  requires(HasMapping<T> && !kIsOptional<T>)
struct Mapping<std::optional<T>> {
  static constexpr std::string_view kWhat = Mapping<T>::kWhat;
  static bool read(json::Value from, std::optional<T>& into, Misfit& misfit) {
    if (from.is_null()) {
      into.reset();
      return true;
    }
    return Mapping<T>::read(from, into.emplace(), misfit);
  }
  static void write(json::Writer& out, const std::optional<T>& value) {
    if (value)
      Mapping<T>::write(out, *value);
    else
      out.null();
  }
  static void schema(Schema& schema) {
    schema.out.begin_object();
    schema.out.key("anyOf");
    schema.out.begin_array();
    Mapping<T>::schema(schema);
    schema.out.raw(R"({"type":"null"})");
    schema.out.end_array();
    schema.out.end_object();
  }
};

template <HasMapping T>
struct Mapping<std::vector<T>> {
  static constexpr std::string_view kWhat = "an array";
  static bool read(json::Value from, std::vector<T>& into, Misfit& misfit) {
    if (from.kind() != json::Kind::kArray) return misfit.expected(kWhat, from);
    into.clear();
    into.reserve(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) {
      T element{};
      if (!Mapping<T>::read(from.element(i), element, misfit)) return misfit.under(i);
      into.push_back(std::move(element));
    }
    return true;
  }
  static void write(json::Writer& out, const std::vector<T>& value) {
    out.begin_array();
    for (const auto& element : value) Mapping<T>::write(out, element);
    out.end_array();
  }
  static void schema(Schema& schema) {
    schema.out.begin_object();
    schema.out.key("type");
    schema.out.string("array");
    schema.out.key("items");
    Mapping<T>::schema(schema);
    schema.out.end_object();
  }
};

template <HasMapping T>
struct Mapping<std::map<std::string, T>> {
  static constexpr std::string_view kWhat = "an object";
  static bool read(json::Value from, std::map<std::string, T>& into, Misfit& misfit) {
    if (from.kind() != json::Kind::kObject) return misfit.expected(kWhat, from);
    into.clear();
    for (std::size_t i = 0; i < from.size(); ++i) {
      T element{};
      if (!Mapping<T>::read(from.member_value(i), element, misfit)) return misfit.under(from.member_name(i));
      into.emplace(from.member_name(i), std::move(element));
    }
    return true;
  }
  static void write(json::Writer& out, const std::map<std::string, T>& value) {
    out.begin_object();
    for (const auto& [name, element] : value) {
      out.key(name);
      Mapping<T>::write(out, element);
    }
    out.end_object();
  }
  static void schema(Schema& schema) {
    schema.out.begin_object();
    schema.out.key("type");
    schema.out.string("object");
    schema.out.key("additionalProperties");
    Mapping<T>::schema(schema);
    schema.out.end_object();
  }
};

template <HasNames T>
struct Mapping<T> {
  static constexpr std::string_view kWhat = "a name";
  static bool read(json::Value from, T& into, Misfit& misfit) {
    if (from.kind() == json::Kind::kString)
      for (const auto& [name, value] : kNames<T>.values)
        if (name == from.as_string()) {
          into = value;
          return true;
        }
    std::string names;
    for (const auto& [name, value] : kNames<T>.values) (names += names.empty() ? "one of " : ", ") += name;
    return from.kind() == json::Kind::kString ? misfit.refuse("expected " + names + ", found another string")
                                              : misfit.expected(names, from);
  }
  static void write(json::Writer& out, T value) {
    for (const auto& [name, listed] : kNames<T>.values)
      if (listed == value) return out.string(name);
    out.unrepresentable("an enumerator that SKALD_ENUM does not list");
  }
  static void schema(Schema& schema) {
    schema.refer(&kTypeId<T>, kNames<T>.type_name, [](Schema& inner) {
      inner.out.begin_object();
      inner.out.key("type");
      inner.out.string("string");
      inner.out.key("enum");
      inner.out.begin_array();
      for (const auto& [name, value] : kNames<T>.values) inner.out.string(name);
      inner.out.end_array();
      inner.out.end_object();
    });
  }
};

template <HasFields T>
struct Mapping<T> {
  static constexpr std::string_view kWhat = "an object";
  static_assert(std::default_initializable<T>,
                "SKALD_FIELDS: reading makes the type by default first; give it a default constructor");

  static bool read(json::Value from, T& into, Misfit& misfit) {
    if (from.kind() != json::Kind::kObject) return misfit.expected(kWhat, from);
    std::size_t position = 0;  // where the next field stands if the sender keeps our order
    return every_field<T>([&](const auto& field) {
      using Type = typename std::remove_cvref_t<decltype(field)>::type;
      const std::optional<json::Value> value = from.find(field.name, position++);
      if (value) return Mapping<Type>::read(*value, into.*(field.member), misfit) || misfit.under(field.name);
      if constexpr (kIsOptional<Type>) {
        (into.*(field.member)).reset();
        return true;
      } else {
        return misfit.missing(field.name, Mapping<Type>::kWhat);
      }
    });
  }
  static void write(json::Writer& out, const T& value) {
    out.begin_object();
    every_field<T>([&](const auto& field) {
      using Type = typename std::remove_cvref_t<decltype(field)>::type;
      if constexpr (kIsOptional<Type>)
        if (!(value.*(field.member)).has_value()) return true;
      out.key(field.name);
      Mapping<Type>::write(out, value.*(field.member));
      return true;
    });
    out.end_object();
  }
  static void schema(Schema& schema) { schema.refer(&kTypeId<T>, kFields<T>.type_name, &define); }
  static void define(Schema& schema) {
    schema.out.begin_object();
    schema.out.key("type");
    schema.out.string("object");
    schema.out.key("properties");
    schema.out.begin_object();
    every_field<T>([&](const auto& field) {
      schema.out.key(field.name);
      Mapping<typename std::remove_cvref_t<decltype(field)>::type>::schema(schema);
      return true;
    });
    schema.out.end_object();
    schema.out.key("required");
    schema.out.begin_array();
    every_field<T>([&](const auto& field) {
      if constexpr (!kIsOptional<typename std::remove_cvref_t<decltype(field)>::type>)
        schema.out.string(field.name);
      return true;
    });
    schema.out.end_array();
    schema.out.end_object();
  }
};

template <class Owner, class Type>
struct FieldIsMapped {
  static_assert(
      HasMapping<Type>,
      "SKALD_FIELDS: a field's type has no JSON form. It may be bool, an integer of up to 64 bits, double, "
      "std::string, skald::Decimal, skald::Nothing, an enum with SKALD_ENUM or a struct with SKALD_FIELDS "
      "named "
      "before this one, and std::optional, std::vector or std::map<std::string, ...> of these");
  static constexpr bool value = HasMapping<Type>;
};

template <class T, class... Fields>
consteval bool fields_are_mapped(const FieldList<Fields...>&) {
  return (FieldIsMapped<T, typename Fields::type>::value && ...);
}
template <class T>
consteval bool fields_are_mapped() {
  return fields_are_mapped<T>(kFields<T>);
}

}  // namespace detail
}  // namespace skald
