// What can be known of an HTTP request while it is a constant: methods, headers, and the template of its path, which is
// read here both by the compiler's checks and when a URL is made. Pure.
#pragma once

#include <string_view>

#include "skald/http_client.hpp"

namespace skald::detail {

inline constexpr std::string_view kHttpKeyPlaceholder = "idempotency-key";

constexpr bool is_http_method(std::string_view method) {
  for (const std::string_view known : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
    if (method == known) return true;
  return false;
}

constexpr bool http_method_has_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

/// A request that only looks: whatever it is answered, it changed nothing.
constexpr bool http_method_is_safe(std::string_view method) { return method == "GET" || method == "HEAD"; }

/// Calls visit(part, placeholder) for each piece of text and each {placeholder} (without its brackets) in order, until
/// one answers false; whether none did. The brackets match.
template <class Visit>
constexpr bool each_http_part(std::string_view path, Visit&& visit) {
  while (!path.empty()) {
    const bool placeholder = path.front() == '{';
    const auto end = placeholder ? path.find('}') : path.find('{');
    if (!visit(placeholder ? path.substr(1, end - 1) : path.substr(0, end), placeholder)) return false;
    path = end == std::string_view::npos ? std::string_view() : path.substr(placeholder ? end + 1 : end);
  }
  return true;
}

constexpr bool http_brackets_match(std::string_view path) {
  bool inside = false;
  std::size_t length = 0;
  for (const char c : path) {
    if (c == '{' || c == '}') {
      if (inside == (c == '{') || (c == '}' && length == 0)) return false;
      inside = c == '{';
      length = 0;
    } else {
      ++length;
    }
  }
  return !inside;
}

/// Segments `.` and `..` lead elsewhere: proxies and servers take them out of the path.
constexpr bool has_dot_segment(std::string_view path) {
  path = path.substr(0, path.find('?'));
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(segment.size());
  }
  return false;
}

constexpr bool is_http_path(std::string_view path) {
  constexpr std::string_view kForbidden = "\"#<>\\^`|[]";
  if (!path.starts_with('/') || !http_brackets_match(path) || has_dot_segment(path)) return false;
  for (const char c : path)
    if (c <= ' ' || c > '~' || kForbidden.find(c) != std::string_view::npos) return false;
  return true;
}

constexpr bool is_http_token(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && kOthers.find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

/// No control characters: a line break in a value would begin another header.
constexpr bool is_http_header_value(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') return false;
  return true;
}

constexpr char http_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr bool same_http_name(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  for (std::size_t index = 0; index < left.size(); ++index)
    if (http_lower(left[index]) != http_lower(right[index])) return false;
  return true;
}

/// May an author set it? The framing of the message and the address are not theirs.
constexpr bool is_http_header(std::string_view name, std::string_view value) {
  for (const std::string_view own : {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect"})
    if (same_http_name(name, own)) return false;
  return is_http_token(name) && is_http_header_value(value);
}

constexpr bool are_http_headers(const HttpList<HttpHeader>& headers) {
  for (const HttpHeader& header : headers)
    if (!is_http_header(header.name, header.value)) return false;
  return true;
}

}  // namespace skald::detail
