// How the types of SKALD_FIELDS and SKALD_ENUM read, write and describe themselves.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "skald/detail/field_list.hpp"
#include "skald/detail/mapping.hpp"
#include "skald/detail/mapping_containers.hpp"

namespace skald::detail {

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
      const std::optional<json::Value> value = from.find(field.name, position);
      if (value) ++position;
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

}  // namespace skald::detail
