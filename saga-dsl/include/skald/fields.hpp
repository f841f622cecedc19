// Fields named once: SKALD_FIELDS gives a struct its JSON reading, writing and schema, SKALD_ENUM an enum its
// names. Reading is exact or refused: integers to 64 bits, doubles only when they keep the value, a missing
// field never becomes a default; fields nobody named are ignored. All of it is pure and may be called from
// any thread.
//
//   struct Line  { std::string sku; std::int32_t quantity = 0; };              SKALD_FIELDS(Line, sku,
//   quantity) struct Order { std::string id; std::vector<Line> lines; std::optional<std::string> note; };
//   SKALD_FIELDS(Order, id, lines, note)
//
// A field may be bool, an integer of up to 64 bits, double, std::string, skald::Decimal, an enum with
// SKALD_ENUM, a struct with SKALD_FIELDS, skald::Nothing, and std::optional, std::vector or
// std::map<std::string, …> of these. docs/fields.md has examples; docs/errors.md the errors.
#pragma once

#include <concepts>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "skald/detail/field_list.hpp"
#include "skald/detail/make_input.hpp"
#include "skald/detail/mapping.hpp"
#include "skald/detail/mapping_containers.hpp"
#include "skald/detail/mapping_named.hpp"
#include "skald/json.hpp"
#include "skald/result.hpp"

namespace skald {

/// A type with a JSON form: one with SKALD_FIELDS or SKALD_ENUM, or a standard type of the list above.
template <class T>
concept JsonMapped = detail::HasMapping<std::remove_cv_t<T>>;

/// Thrown by to_json for a value that JSON cannot hold (SKALD-104); what() says which field.
class NotRepresentable : public std::domain_error {
 public:
  using std::domain_error::domain_error;
};

/// Reads a T. SKALD-103 when the value does not fit, naming the place by JSON pointer:
/// "at /lines/2/quantity: expected an integer, found a string".
template <class T>
Result<T> from_json(json::Value value) {
  static_assert(JsonMapped<T>,
                "from_json: this type has no JSON form; name its fields with SKALD_FIELDS or SKALD_ENUM");
  T result{};
  detail::Misfit misfit;
  if (!detail::Mapping<T>::read(value, result, misfit)) return misfit.error();
  return result;
}

/// Parses and reads; besides the above SKALD-101 for what is not JSON and SKALD-102 for what exceeds the
/// limits.
template <class T>
Result<T> from_json(std::string_view text, const json::Limits& limits = {}) {
  auto document = json::Document::parse(text, limits);
  if (!document) return document.error();
  return from_json<T>(document->root());
}

namespace detail {
Result<std::string> checked(json::Writer&& written, const json::Limits& limits);
}

/// Compact JSON: fields in the order SKALD_FIELDS names them, an empty optional field left out, maps by key; equal values
/// give equal text, and from_json with the same limits reads it back. SKALD-104, naming the place, where that cannot
/// be: a double that is not finite, a string that is not UTF-8 or has U+0000, an enumerator without a name, and
/// what is beyond the limits (text just below a limit may be longer when written anew: 1e9 becomes 1e+09).
template <class T>
Result<std::string> try_to_json(const T& value, const json::Limits& limits = {}) {
  static_assert(JsonMapped<T>,
                "to_json: this type has no JSON form; name its fields with SKALD_FIELDS or SKALD_ENUM");
  json::Writer out;
  detail::Mapping<T>::write(out, value);
  return detail::checked(std::move(out), limits);
}

/// The same for code where exceptions are at home, a saga or a step; throws NotRepresentable.
template <class T>
std::string to_json(const T& value, const json::Limits& limits = {}) {
  Result<std::string> text = try_to_json(value, limits);
  if (!text) throw NotRepresentable(text.error().code + ": " + text.error().message);
  return std::move(text).value();
}

/// The JSON Schema (draft 2020-12) of what from_json<T> accepts, nested types under $defs.
template <class T>
std::string json_schema() {
  static_assert(JsonMapped<T>,
                "json_schema: this type has no JSON form; name its fields with SKALD_FIELDS or SKALD_ENUM");
  if constexpr (detail::HasFields<T>)
    return detail::Schema::of(&detail::kTypeId<T>, detail::kFields<T>.type_name, &detail::Mapping<T>::define);
  else
    return detail::Schema::of(nullptr, {}, &detail::Mapping<T>::schema);
}

/// How many fields SKALD_FIELDS names.
template <class T>
constexpr std::size_t field_count() {
  static_assert(detail::HasFields<T>, "field_count: only a type with SKALD_FIELDS has fields");
  return decltype(detail::kFields<T>)::size;
}

/// Builds a step's input: from one argument that is a T, or from exactly one argument for each field of T.
/// Arguments that would lose range, sign or fraction on the way do not compile.
template <class T, class... Arguments>
constexpr T make_input(Arguments&&... arguments) {
  if constexpr (sizeof...(Arguments) == 1 && (std::same_as<std::remove_cvref_t<Arguments>, T> && ...)) {
    return T(std::forward<Arguments>(arguments)...);
  } else if constexpr (detail::HasFields<T>) {
    if constexpr (detail::OneArgumentPerField<T, field_count<T>(), sizeof...(Arguments)>::value)
      return detail::fill<T>(std::forward_as_tuple(std::forward<Arguments>(arguments)...),
                             std::index_sequence_for<Arguments...>());
    else
      return T{};
  } else if constexpr (std::same_as<T, Nothing>) {
    static_assert(sizeof...(Arguments) == 0, "this step's Input is skald::Nothing: give it no arguments");
    return {};
  } else {
    static_assert(detail::OneArgumentPerField<T, 1, sizeof...(Arguments)>::value);
    return detail::convert_checked<T>(std::forward<Arguments>(arguments)...);
  }
}

}  // namespace skald

/// Names the fields of a struct, at most 32, in the namespace the struct stands in, after it and before its
/// first use.
#define SKALD_FIELDS(Type, ...)                                                        \
  [[maybe_unused]] constexpr auto skald_describe_fields(::skald::detail::Tag<Type>) {  \
    return ::skald::detail::field_list(                                                \
        #Type SKALD_DETAIL_EACH(SKALD_DETAIL_FIELD, Type __VA_OPT__(, ) __VA_ARGS__)); \
  }                                                                                    \
  static_assert(::skald::detail::fields_are_mapped<Type>());

/// Names the enumerators of an enum that may appear in JSON, in the namespace the enum stands in.
#define SKALD_ENUM(Type, ...)                                                               \
  [[maybe_unused]] constexpr auto skald_describe_enum(::skald::detail::Tag<Type>) {         \
    return ::skald::detail::enum_list<Type>(                                                \
        #Type SKALD_DETAIL_EACH(SKALD_DETAIL_ENUMERATOR, Type __VA_OPT__(, ) __VA_ARGS__)); \
  }
