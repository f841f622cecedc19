// Path templates; see url.hpp.
#include "url.hpp"

#include "skald/detail/http_checks.hpp"
#include "skald/json.hpp"

namespace skald::http {
namespace {

[[noreturn]] void refuse(const std::string& why) { throw HttpFailed{{"http-request", why, Retry::never}}; }

std::string text_of(const json::Value& input, std::string_view field) {
  const auto value = input.find(field);
  const std::string name = "the URL needs the input's field `" + std::string(field) + "`";
  if (!value) refuse(name + ", which is absent");
  switch (value->kind()) {
    case json::Kind::kString: return std::string(value->as_string());
    case json::Kind::kInteger:
    case json::Kind::kNumber: return std::string(value->number_text());
    case json::Kind::kBoolean: return value->as_boolean() ? "true" : "false";
    default: refuse(name + ", which is neither a string, a number nor a boolean");
  }
}

}  // namespace

void append_percent_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kPlain.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
}

std::string fill_path(std::string_view path, std::string_view input_text, std::string_view idempotency_key) {
  const auto input = json::Document::parse(input_text);
  if (!input) refuse("the input cannot be read: " + input.error().message);
  std::string filled;
  bool query = false;
  detail::each_http_part(path, [&](std::string_view part, bool placeholder) {
    if (!placeholder) {
      filled += part;
      query = query || part.find('?') != std::string_view::npos;
      return true;
    }
    const std::string value =
        part == detail::kHttpKeyPlaceholder ? std::string(idempotency_key) : text_of(input->root(), part);
    // DELETE /orders/ is another request than DELETE /orders/7.
    if (value.empty() && !query)
      refuse("the input's field `" + std::string(part) +
             "` is empty and would leave its place in the URL's path empty");
    append_percent_encoded(filled, value);
    return true;
  });
  if (detail::has_dot_segment(filled)) refuse("the input would make a segment of the URL's path `.` or `..`");
  return filled;
}

}  // namespace skald::http
