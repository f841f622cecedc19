// How each mapped type reads, writes and describes itself: one Mapping<T> a kind of type. Reading answers
// false and fills a Misfit when a value does not fit; the place is put together on the way out, so success
// pays nothing for it.
#pragma once

#include <concepts>
#include <limits>
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

}  // namespace detail
}  // namespace skald
