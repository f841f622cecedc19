// Log lines of the SDK: one JSON object a line on stderr, a sentence with fields, never a payload. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace skald::participant::detail {

using LogFields = std::initializer_list<std::pair<std::string_view, std::string>>;

void log_info(std::string_view sentence, LogFields fields = {});
void log_warning(std::string_view sentence, LogFields fields = {});
void log_error(std::string_view sentence, LogFields fields = {});

/// For what may happen a thousand times a second: lets one line a second pass. One thread.
class LogLimit {
 public:
  /// False: keep silent.
  [[nodiscard]] bool pass();
  /// Lines kept back since the last one that passed, for that line's field.
  [[nodiscard]] std::string kept_back() const { return std::to_string(kept_back_); }

 private:
  std::chrono::steady_clock::time_point next_{};
  std::uint64_t silent_ = 0;
  std::uint64_t kept_back_ = 0;
};

}  // namespace skald::participant::detail
