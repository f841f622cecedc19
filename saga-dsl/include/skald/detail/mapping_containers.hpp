// How std::optional, std::vector and std::map<std::string, T> of mapped types read, write and describe themselves.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "skald/detail/mapping.hpp"

namespace skald::detail {

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

}  // namespace skald::detail
