// Values as PostgreSQL's text format: what goes into a statement's parameters and what comes out of its rows. Times
// cross as milliseconds since 1970 and arrays as their literals, so that a statement takes a whole batch in a few
// parameters. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "postgres/pqxx_shim.hpp"
#include "skald/record.hpp"

namespace skald::postgres {

/// An array literal, built element by element.
class ArrayLiteral {
 public:
  /// `bytes`: about as many as it will have.
  explicit ArrayLiteral(std::size_t bytes = 0) {
    text_.reserve(bytes + 2);
    text_.push_back('{');
  }
  void add(std::int64_t number) {
    separate();
    text_ += std::to_string(number);
  }
  void add(Time time) { add(time.time_since_epoch().count()); }
  void add_text(std::string_view text) {
    separate();
    text_.push_back('"');
    for (const char byte : text) {
      if (byte == '"' || byte == '\\') text_.push_back('\\');
      text_.push_back(byte);
    }
    text_.push_back('"');
  }
  /// The literal; the builder is spent.
  [[nodiscard]] std::string finish() && {
    text_.push_back('}');
    return std::move(text_);
  }

 private:
  void separate() {
    if (text_.size() > 1) text_.push_back(',');
  }
  std::string text_;
};

[[nodiscard]] std::string bytea_literal(std::string_view bytes);
/// Of a bytea column in hexadecimal output; nullopt if it is not.
[[nodiscard]] std::optional<std::string> bytes_of(std::string_view literal);

template <class Field>
Time time_of(const Field& field) {
  return Time{std::chrono::milliseconds{field.template as<std::int64_t>()}};
}

template <class Field>
std::optional<Time> optional_time_of(const Field& field) {
  if (field.is_null()) return std::nullopt;
  return time_of(field);
}

template <class Field>
std::string text_of(const Field& field) {
  return field.is_null() ? std::string{} : std::string(field.c_str(), field.size());
}

}  // namespace skald::postgres

/// SQL: a timestamptz as milliseconds since 1970, rounded down, so that what is read is never in the future.
#define SKALD_SQL_MS(column) "floor(extract(epoch FROM " column ") * 1000)::bigint"
