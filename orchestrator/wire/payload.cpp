// The JSON inside records, read through skald/json.hpp only, which bounds depth, size and members and refuses what
// PostgreSQL could not hold.
#include "wire/payload.hpp"

#include <algorithm>

#include "skald/json.hpp"

namespace skald::wire {
namespace {

using json::Document;
using json::Kind;
using json::Value;

constexpr std::string_view kStructuredType = "application/cloudevents+json";

Error unreadable(std::string what) { return {ErrorKind::kInvalid, kCodePayload, std::move(what)}; }
Error misfit(std::string what) { return {ErrorKind::kInvalid, kCodeStructured, std::move(what)}; }

Result<Document> parse_payload(std::string_view text) {
  auto document = Document::parse(text, {.maximum_bytes = kMaximumValueBytes});
  if (!document) return unreadable(document.error().message);
  const auto kind = document->root().kind();
  if (kind != Kind::kObject && kind != Kind::kArray) return unreadable("not a JSON object or array");
  return document;
}

/// At most kMaximumFailureMessageBytes, cut between characters.
std::string shortened(std::string_view message) {
  if (message.size() <= kMaximumFailureMessageBytes) return std::string(message);
  std::size_t end = kMaximumFailureMessageBytes;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0) == 0x80) --end;
  return std::string(message.substr(0, end));
}

bool is_attribute_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaximumNameBytes &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

/// An attribute's value as the text of a header.
Result<std::string> attribute_text(std::string_view name, Value value) {
  switch (value.kind()) {
    case Kind::kString: return std::string(value.as_string());
    case Kind::kInteger: return std::string(value.number_text());
    case Kind::kBoolean: return std::string(value.as_boolean() ? "true" : "false");
    default: return misfit("/" + std::string(name) + ": not a string, integer or boolean");
  }
}

}  // namespace

Result<void> check_payload(std::string_view text) {
  const auto document = parse_payload(text);
  if (!document) return document.error();
  return {};
}

std::string write_failure(const Failure& failure) {
  json::Writer writer;
  writer.begin_object();
  writer.key("code");
  writer.string(failure.code);
  writer.key("message");
  writer.string(shortened(failure.message));
  writer.key("retryable");
  writer.boolean(failure.retryable);
  if (failure.retry_after) {
    writer.key("retry_after_ms");
    writer.integer(failure.retry_after->count());
  }
  writer.end_object();
  return writer.take();
}

Result<Failure> read_failure(std::string_view text) {
  const auto document = parse_payload(text);
  if (!document) return document.error();
  const auto root = document->root();
  const auto code = root.find("code");
  const auto message = root.find("message");
  const auto retryable = root.find("retryable");
  if (!code || code->kind() != Kind::kString || !is_valid_name(code->as_string()))
    return unreadable("/code: missing or not a name");
  if (message && message->kind() != Kind::kString) return unreadable("/message: not a string");
  if (!retryable || retryable->kind() != Kind::kBoolean)
    return unreadable("/retryable: missing or not a boolean");
  Failure failure{std::string(code->as_string()), shortened(message ? message->as_string() : ""),
                  retryable->as_boolean()};
  if (const auto after = root.find("retry_after_ms"); after && !after->is_null()) {
    constexpr std::int64_t kYear_ms = 366LL * 24 * 3600 * 1000;
    const auto number = after->as_int64();
    if (!number || *number < 0 || *number > kYear_ms)
      return unreadable("/retry_after_ms: not a whole number of milliseconds up to a year");
    failure.retry_after = std::chrono::milliseconds{*number};
  }
  return failure;
}

Result<Record> to_binary_mode(Record record) {
  const auto content_type = record.header("content-type");
  if (!content_type || !content_type->starts_with(kStructuredType)) return record;
  if (!record.value) return misfit("the value is null");
  // One level more than a payload may have: the envelope itself.
  const auto document = Document::parse(*record.value, {.maximum_bytes = kMaximumValueBytes,
                                                        .maximum_depth = json::Limits{}.maximum_depth + 1});
  if (!document) return misfit(document.error().message);
  const auto root = document->root();
  if (root.kind() != Kind::kObject) return misfit("not a JSON object");
  std::erase_if(record.headers, [](const Header& header) {
    return header.name.starts_with("ce_") || header.name == "content-type";
  });
  std::optional<std::string> data;
  for (std::size_t index = 0; index < root.size(); ++index) {
    const auto name = root.member_name(index);
    const auto value = root.member_value(index);
    if (name == "data") {
      data = value.text();
    } else if (name == "data_base64") {
      return misfit("/data_base64: only JSON data is read");
    } else if (!is_attribute_name(name)) {
      return misfit("an attribute's name is not a-z and 0-9");
    } else if (!value.is_null()) {
      auto text = attribute_text(name, value);
      if (!text) return text.error();
      const bool is_type = name == "datacontenttype";
      record.headers.push_back(
          {is_type ? "content-type" : "ce_" + std::string(name), std::move(text).value()});
    }
  }
  record.value = std::move(data);
  if (auto limits = check_limits(record); !limits) return limits.error();
  return record;
}

}  // namespace skald::wire
