// From a path template and a step's input to a URL. Pure.
#pragma once

#include <string>
#include <string_view>

namespace skald::http {

/// `path` as HttpRequest has it, filled from the JSON object `input`. Throws HttpFailed `http-request` where the input
/// gives no such URL.
[[nodiscard]] std::string fill_path(std::string_view path, std::string_view input,
                                    std::string_view idempotency_key);

/// Every byte but letters, digits and -._~ as %XX: for one segment of a path, or one value of a query.
void append_percent_encoded(std::string& out, std::string_view text);

}  // namespace skald::http
