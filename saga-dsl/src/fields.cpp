// The part of the field mapping that is the same for every type: sentences for what does not fit, the simple
// types, and the frame of a JSON Schema.
#include "skald/fields.hpp"

#include <algorithm>
#include <iterator>

#include "json_tree.hpp"

namespace skald::detail {
namespace {

std::string_view found(json::Value value) {
  switch (value.kind()) {
    case json::Kind::kNull: return "null";
    case json::Kind::kBoolean: return "a boolean";
    case json::Kind::kInteger: return "an integer";
    case json::Kind::kNumber:
      return value.number_text().find_first_of(".eE") == std::string_view::npos
                 ? "an integer beyond 64 bits"
                 : "a number with a fraction or an exponent";
    case json::Kind::kString: return "a string";
    case json::Kind::kArray: return "an array";
    case json::Kind::kObject: return "an object";
  }
  return "something else";
}

}  // namespace

bool Misfit::expected(std::string_view what, json::Value value) {
  what_ = "expected " + std::string(what) + ", found " + std::string(found(value));
  return false;
}

bool Misfit::missing(std::string_view name, std::string_view what) {
  what_ = "expected " + std::string(what) + ", but the field is missing";
  return under(name);
}

bool Misfit::refuse(std::string what) {
  what_ = std::move(what);
  return false;
}

bool Misfit::under(std::string_view name) {
  tokens_.push_back(json::pointer_token(name));
  return false;
}

bool Misfit::under(std::size_t index) {
  tokens_.push_back(std::to_string(index));
  return false;
}

Error Misfit::error() const {
  std::string pointer;
  for (auto token = tokens_.rbegin(); token != tokens_.rend(); ++token) (pointer += '/') += *token;
  return {
      ErrorKind::kInvalid, "SKALD-103",
      "at " + (pointer.empty() ? std::string("the root") : json::detail::printable(pointer)) + ": " + what_};
}

bool read_signed(json::Value from, std::int64_t low, std::int64_t high, std::int64_t& into, Misfit& misfit) {
  if (from.kind() != json::Kind::kInteger) return misfit.expected("an integer", from);
  const std::optional<std::int64_t> value = from.as_int64();
  if (!value || *value < low || *value > high)
    return misfit.refuse("expected an integer from " + std::to_string(low) + " to " + std::to_string(high) +
                         ", found one outside");
  into = *value;
  return true;
}

bool read_unsigned(json::Value from, std::uint64_t high, std::uint64_t& into, Misfit& misfit) {
  if (from.kind() != json::Kind::kInteger) return misfit.expected("an integer", from);
  const std::optional<std::uint64_t> value = from.as_uint64();
  if (!value || *value > high)
    return misfit.refuse("expected an integer from 0 to " + std::to_string(high) + ", found one outside");
  into = *value;
  return true;
}

void schema_integer(Schema& schema, std::int64_t low, std::uint64_t high) {
  schema.out.begin_object();
  schema.out.key("type");
  schema.out.string("integer");
  schema.out.key("minimum");
  schema.out.integer(low);
  schema.out.key("maximum");
  schema.out.unsigned_integer(high);
  schema.out.end_object();
}

bool Mapping<bool>::read(json::Value from, bool& into, Misfit& misfit) {
  if (from.kind() != json::Kind::kBoolean) return misfit.expected(kWhat, from);
  into = from.as_boolean();
  return true;
}
void Mapping<bool>::write(json::Writer& out, const bool& value) { out.boolean(value); }
void Mapping<bool>::schema(Schema& schema) { schema.out.raw(R"({"type":"boolean"})"); }

bool Mapping<double>::read(json::Value from, double& into, Misfit& misfit) {
  if (from.kind() != json::Kind::kInteger && from.kind() != json::Kind::kNumber)
    return misfit.expected(kWhat, from);
  const std::optional<double> value = from.as_exact_double();
  if (!value) return misfit.refuse("expected a number, found an integer that a double would round");
  into = *value;
  return true;
}
void Mapping<double>::write(json::Writer& out, const double& value) { out.number(value); }
void Mapping<double>::schema(Schema& schema) { schema.out.raw(R"({"type":"number"})"); }

bool Mapping<std::string>::read(json::Value from, std::string& into, Misfit& misfit) {
  if (from.kind() != json::Kind::kString) return misfit.expected(kWhat, from);
  into = from.as_string();
  return true;
}
void Mapping<std::string>::write(json::Writer& out, const std::string& value) { out.string(value); }
void Mapping<std::string>::schema(Schema& schema) { schema.out.raw(R"({"type":"string"})"); }

bool Mapping<Decimal>::read(json::Value from, Decimal& into, Misfit& misfit) {
  if (from.kind() != json::Kind::kString) return misfit.expected(kWhat, from);
  Result<Decimal> value = Decimal::parse(from.as_string());
  if (!value)
    return misfit.refuse("expected a decimal number in a string, found a string that is " +
                         value.error().message);
  into = std::move(*value);
  return true;
}
void Mapping<Decimal>::write(json::Writer& out, const Decimal& value) { out.string(value.text()); }
void Mapping<Decimal>::schema(Schema& schema) {
  schema.out.raw(R"({"type":"string","pattern":"^[-+]?[0-9]+(\\.[0-9]+)?$","maxLength":42})");
}

bool Mapping<Nothing>::read(json::Value from, Nothing&, Misfit& misfit) {
  if (from.kind() != json::Kind::kNull && from.kind() != json::Kind::kObject)
    return misfit.expected(kWhat, from);
  return true;
}
void Mapping<Nothing>::write(json::Writer& out, const Nothing&) {
  out.begin_object();
  out.end_object();
}
void Mapping<Nothing>::schema(Schema& schema) { schema.out.raw(R"({"type":["object","null"]})"); }

void Schema::refer(const void* id, std::string_view name, Write write) {
  out.begin_object();
  out.key("$ref");
  if (id == root_) {
    out.string("#");
  } else {
    const auto same_type = [id](const Definition& definition) { return definition.id == id; };
    auto known = std::find_if(definitions_.begin(), definitions_.end(), same_type);
    std::size_t index = static_cast<std::size_t>(known - definitions_.begin());
    if (known == definitions_.end()) {
      std::string unique(name);
      const auto taken = [&unique](const Definition& definition) { return definition.name == unique; };
      for (int number = 2; std::any_of(definitions_.begin(), definitions_.end(), taken); ++number)
        unique = std::string(name) + "_" + std::to_string(number);
      definitions_.push_back({id, unique, {}});
      json::Writer outer = std::exchange(out, json::Writer());
      write(*this);  // may add definitions and refer to this one
      definitions_[index].text = std::exchange(out, std::move(outer)).take();
    }
    out.string("#/$defs/" + definitions_[index].name);
  }
  out.end_object();
}

std::string Schema::of(const void* id, std::string_view name, Write write) {
  Schema schema;
  schema.root_ = id;
  write(schema);
  const std::string body = schema.out.take();  // an object
  json::Writer result;
  result.begin_object();
  result.key("$schema");
  result.string("https://json-schema.org/draft/2020-12/schema");
  if (!name.empty()) {
    result.key("title");
    result.string(name);
  }
  std::string text = result.take();
  (text += ',') += std::string_view(body).substr(1, body.size() - 2);
  if (!schema.definitions_.empty()) {
    json::Writer definitions;
    definitions.begin_object();
    for (const Definition& definition : schema.definitions_) {
      definitions.key(definition.name);
      definitions.raw(definition.text);
    }
    definitions.end_object();
    (text += ",\"$defs\":") += definitions.text();
  }
  return text += '}';
}

Result<std::string> checked(json::Writer&& written, const json::Limits& limits) {
  const auto refuse = [](std::string what) {
    return Error{ErrorKind::kInvalid, "SKALD-104", std::move(what)};
  };
  if (const auto& replacement = written.first_replacement()) {
    const std::string pointer = json::pointer_at(written.text(), replacement->offset);
    return refuse("at " + (pointer.empty() ? std::string("the root") : json::detail::printable(pointer)) +
                  ": JSON as we read it cannot hold " + std::string(replacement->reason));
  }
  struct Cost {
    std::string_view unit;
    std::size_t size;
    std::size_t limit;
  };
  for (const auto& [unit, size, limit] : {Cost{"bytes", written.text().size(), limits.maximum_bytes},
                                          Cost{"values", written.values(), limits.maximum_members},
                                          Cost{"levels", static_cast<std::size_t>(written.deepest()),
                                               static_cast<std::size_t>(limits.maximum_depth)}})
    if (size > limit)
      return refuse("the JSON would have " + std::to_string(size) + " " + std::string(unit) +
                    "; the limit is " + std::to_string(limit));
  return written.take();
}

}  // namespace skald::detail
