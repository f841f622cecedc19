// From configuration text to values: durations, sizes, addresses, sources. Pure functions; each gives nullopt
// for what it does not take, and the caller names the key and what it takes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace skald::app {

[[nodiscard]] std::optional<bool> parse_boolean(std::string_view text);
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text);
[[nodiscard]] std::optional<double> parse_real(std::string_view text);
/// "250ms", "10s", "2m", "1h30m", "7d".
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
/// "900000", "512KiB", "64MiB", "1GiB".
[[nodiscard]] std::optional<std::int64_t> parse_bytes(std::string_view text);

struct Address {
  std::string host;
  int port = 0;
};
/// "127.0.0.1:8080", "[::1]:8080", "0.0.0.0:0" (any free port).
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

/// Where in a record a value comes from.
struct Source {
  enum class Kind { kKey, kAttribute, kHeader, kPointer } kind = Kind::kKey;
  std::string name;  ///< of the attribute or header, or the RFC 6901 pointer into the value ("": all of it)
};
/// "key", "value", "ce:subject", "header:x-order-id", "/order/id".
[[nodiscard]] std::optional<Source> parse_source(std::string_view text);

struct Filter {
  Source source;
  std::string value;
};
/// "/type = placed".
[[nodiscard]] std::optional<Filter> parse_filter(std::string_view text);

/// Comma-separated; surrounding blanks do not count.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// Foreign text made fit for one line of output: what is no visible character escaped, cut at about
/// `maximum` bytes.
[[nodiscard]] std::string printable(std::string_view text, std::size_t maximum = 80);

/// "250ms", "10s", "2m": the shortest exact form.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);

}  // namespace skald::app
