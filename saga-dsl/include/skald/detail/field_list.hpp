// What SKALD_FIELDS and SKALD_ENUM leave behind: a function per type, found by argument-dependent lookup on a
// tag that only this type matches, so a type never takes over the fields of its base. Everything is known at
// compile time.
#pragma once

#include <cstddef>
#include <string_view>
#include <tuple>
#include <utility>

namespace skald::detail {

template <class T>
struct Tag {};

/// One field: its name and where it stands. Class is the type that declares it, a base perhaps.
template <class Class, class Type>
struct Field {
  using type = Type;
  std::string_view name;
  Type Class::*member;
};

template <class Class, class Type>
constexpr Field<Class, Type> field(std::string_view name, Type Class::*member) {
  return {name, member};
}

template <class... Fields>
struct FieldList {
  static_assert(sizeof...(Fields) <= 32,
                "SKALD_FIELDS: at most 32 fields; group some into a struct of their own");
  static constexpr std::size_t size = sizeof...(Fields);
  std::string_view type_name;
  std::tuple<Fields...> fields;
};

template <class... Fields>
constexpr FieldList<Fields...> field_list(std::string_view type_name, Fields... fields) {
  return {type_name, {fields...}};
}

template <class Enum>
struct Enumerator {
  std::string_view name;
  Enum value;
};

template <class Enum, std::size_t Size>
struct EnumList {
  std::string_view type_name;
  Enumerator<Enum> values[Size];
};

template <class Enum, class... Enumerators>
constexpr EnumList<Enum, sizeof...(Enumerators)> enum_list(std::string_view type_name,
                                                           Enumerators... values) {
  return {type_name, {values...}};
}

template <class T>
concept HasFields = requires { skald_describe_fields(Tag<T>{}); };
template <class T>
concept HasNames = requires { skald_describe_enum(Tag<T>{}); };

template <HasFields T>
inline constexpr auto kFields = skald_describe_fields(Tag<T>{});
template <HasNames T>
inline constexpr auto kNames = skald_describe_enum(Tag<T>{});

/// The types of the fields, as std::tuple_element of this.
template <class List>
struct FieldTypes;
template <class... Fields>
struct FieldTypes<const FieldList<Fields...>> {
  using type = std::tuple<typename Fields::type...>;
};
template <class T, std::size_t Index>
using FieldType = std::tuple_element_t<Index, typename FieldTypes<decltype(kFields<T>)>::type>;

/// Calls visit(field) for each field in order until one answers false; whether none did.
template <class T, class Visit>
constexpr bool every_field(Visit&& visit) {
  return std::apply([&](const auto&... fields) { return (visit(fields) && ...); }, kFields<T>.fields);
}

}  // namespace skald::detail

// Repeats a macro for each of up to 256 names, each preceded by a comma.
#define SKALD_DETAIL_PARENTHESES ()
#define SKALD_DETAIL_RESCAN_4(...) __VA_ARGS__
#define SKALD_DETAIL_RESCAN_3(...) \
  SKALD_DETAIL_RESCAN_4(SKALD_DETAIL_RESCAN_4(SKALD_DETAIL_RESCAN_4(SKALD_DETAIL_RESCAN_4(__VA_ARGS__))))
#define SKALD_DETAIL_RESCAN_2(...) \
  SKALD_DETAIL_RESCAN_3(SKALD_DETAIL_RESCAN_3(SKALD_DETAIL_RESCAN_3(SKALD_DETAIL_RESCAN_3(__VA_ARGS__))))
#define SKALD_DETAIL_RESCAN(...) \
  SKALD_DETAIL_RESCAN_2(SKALD_DETAIL_RESCAN_2(SKALD_DETAIL_RESCAN_2(SKALD_DETAIL_RESCAN_2(__VA_ARGS__))))
#define SKALD_DETAIL_EACH(macro, Type, ...) \
  __VA_OPT__(SKALD_DETAIL_RESCAN(SKALD_DETAIL_EACH_NEXT(macro, Type, __VA_ARGS__)))
#define SKALD_DETAIL_EACH_NEXT(macro, Type, name, ...) \
  , macro(Type, name) __VA_OPT__(SKALD_DETAIL_EACH_AGAIN SKALD_DETAIL_PARENTHESES(macro, Type, __VA_ARGS__))
#define SKALD_DETAIL_EACH_AGAIN() SKALD_DETAIL_EACH_NEXT

#define SKALD_DETAIL_FIELD(Type, name) ::skald::detail::field(#name, &Type::name)
#define SKALD_DETAIL_ENUMERATOR(Type, name) \
  ::skald::detail::Enumerator<Type> { #name, Type::name }
