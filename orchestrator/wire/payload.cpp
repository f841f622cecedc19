// The JSON inside records. Only the shape Skald itself writes is read until skald/json.hpp stands.
#include "wire/payload.hpp"

#include <cstdio>

namespace skald::wire {
namespace {

Error unreadable(std::string what) { return {ErrorKind::kInvalid, kCodePayload, std::move(what)}; }

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      out += escaped;
    } else {
      out += c;
    }
  }
  out += '"';
}

std::optional<std::string> string_member(std::string_view text, std::string_view name) {
  const auto start = text.find("\"" + std::string(name) + "\":\"");
  if (start == std::string_view::npos) return std::nullopt;
  std::string value;
  for (auto at = start + name.size() + 4; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
    if (at < text.size()) value += text[at];
  }
  return value;
}

}  // namespace

Result<void> check_payload(std::string_view text) {
  if (text.empty() || (text.front() != '{' && text.front() != '['))
    return unreadable("not a JSON object or array");
  return {};
}

std::string write_failure(const Failure& failure) {
  std::string text = "{\"code\":";
  append_quoted(text, failure.code);
  text += ",\"message\":";
  append_quoted(text, failure.message);
  text += failure.retryable ? ",\"retryable\":true}" : ",\"retryable\":false}";
  return text;
}

Result<Failure> read_failure(std::string_view text) {
  Failure failure;
  auto code = string_member(text, "code");
  if (!code || !is_valid_name(*code)) return unreadable("/code: missing or not a name");
  failure.code = std::move(*code);
  failure.message = string_member(text, "message").value_or("");
  failure.retryable = text.find("\"retryable\":true") != std::string_view::npos;
  return failure;
}

Result<Record> to_binary_mode(Record record) {
  const auto content_type = record.header("content-type");
  if (content_type && content_type->starts_with("application/cloudevents+json"))
    return Error{ErrorKind::kInvalid, kCodeStructured, "structured mode cannot be read here"};
  return record;
}

}  // namespace skald::wire
