// make_input: builds a step's input inside the call, from the arguments the author gave. What would change a
// value on the way (a fraction into an integer, a sign lost, a pointer into a bool) is refused at compile
// time.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "skald/detail/field_list.hpp"
#include "skald/detail/mapping.hpp"
#include "skald/detail/mapping_containers.hpp"

namespace skald::detail {

template <class From, class To>
concept IntegerFits =
    FieldInteger<From> && FieldInteger<To> && std::in_range<To>(std::numeric_limits<From>::min()) &&
    std::in_range<To>(std::numeric_limits<From>::max());

template <class From>
concept FitsDouble =
    std::same_as<From, double> || std::same_as<From, float> ||
    (FieldInteger<From> && std::numeric_limits<From>::digits <= std::numeric_limits<double>::digits);

template <class T>
struct OptionalValue {
  using type = T;
};
template <class T>
struct OptionalValue<std::optional<T>> {
  using type = T;
};

/// Whether an argument of type From can fill a field of type To and keep its value.
template <class From, class To>
consteval bool keeps_value() {
  using Plain = std::remove_cvref_t<From>;
  if constexpr (std::same_as<Plain, To>)
    return std::is_constructible_v<To, From>;
  else if constexpr (kIsOptional<To>)
    return std::same_as<Plain, std::nullopt_t> ||
           keeps_value<typename OptionalValue<Plain>::type, typename OptionalValue<To>::type>();
  else if constexpr (FieldInteger<To>)
    return IntegerFits<Plain, To>;
  else if constexpr (std::same_as<To, double>)
    return FitsDouble<Plain>;
  else if constexpr (std::same_as<To, bool>)
    return false;
  else if constexpr (std::same_as<To, std::string>)
    return !std::same_as<Plain, std::nullptr_t> &&
           (std::is_convertible_v<From, std::string_view> || std::is_convertible_v<From, std::string>);
  else
    return std::is_convertible_v<From, To>;
}

template <class To, class From>
constexpr To convert(From&& from) {
  if constexpr (kIsOptional<To> && kIsOptional<std::remove_cvref_t<From>>) {
    if (!from) return std::nullopt;
    return convert<To>(*std::forward<From>(from));
  } else if constexpr (kIsOptional<To> && !std::same_as<std::remove_cvref_t<From>, std::nullopt_t>) {
    return To(convert<typename OptionalValue<To>::type>(std::forward<From>(from)));
  } else {
    return static_cast<To>(std::forward<From>(from));
  }
}

template <class Input, std::size_t Fields, std::size_t Arguments>
struct OneArgumentPerField {
  static_assert(
      Arguments == Fields,
      "a step takes one argument that is its Input, or exactly one argument for each field of the Input; the "
      "Input, its number of fields and the number of arguments given stand in the name of this template: "
      "OneArgumentPerField<Input, Fields, Arguments>");
  static constexpr bool value = Arguments == Fields;
};

template <class Input, std::size_t ArgumentNumber, class FieldTypeWanted, class Argument>
struct ArgumentFitsField {
  static_assert(
      keeps_value<Argument, FieldTypeWanted>(),
      "this argument cannot fill its field without changing: no fraction, sign or range may be lost and "
      "nothing "
      "becomes a bool; see ArgumentFitsField<Input, ArgumentNumber, field's type, argument's type>");
  static constexpr bool value = keeps_value<Argument, FieldTypeWanted>();
};

template <class To, class From>
constexpr To convert_checked(From&& from) {
  if constexpr (ArgumentFitsField<To, 1, To, From>::value)
    return convert<To>(std::forward<From>(from));
  else
    return To{};
}

template <class T, class Arguments, std::size_t... Index>
constexpr T fill(Arguments&& arguments, std::index_sequence<Index...>) {
  T input{};
  if constexpr ((ArgumentFitsField<T, Index + 1, FieldType<T, Index>,
                                   std::tuple_element_t<Index, std::remove_cvref_t<Arguments>>>::value &&
                 ...))
    ((input.*(std::get<Index>(kFields<T>.fields).member) =
          convert<FieldType<T, Index>>(std::get<Index>(std::move(arguments)))),
     ...);
  return input;
}

}  // namespace skald::detail
