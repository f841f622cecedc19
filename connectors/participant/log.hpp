// Log lines of the SDK: one JSON object a line on stderr, a sentence with fields, never a payload. Thread-safe.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace skald::participant::detail {

using LogFields = std::initializer_list<std::pair<std::string_view, std::string>>;

void log_info(std::string_view sentence, LogFields fields = {});
void log_warning(std::string_view sentence, LogFields fields = {});
void log_error(std::string_view sentence, LogFields fields = {});

}  // namespace skald::participant::detail
