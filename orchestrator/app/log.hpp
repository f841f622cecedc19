// The log: JSON lines or text on standard error, by spdlog. Thread-safe; a full pipe never blocks a caller: the
// oldest waiting lines are dropped instead. Whatever a field holds stays on its own line (B10).
#pragma once

#include <memory>
#include <string>

#include "ports/clock.hpp"
#include "ports/logger.hpp"

namespace skald::app {

/// `clock` outlives it.
[[nodiscard]] std::unique_ptr<Logger> make_logger(LogLevel level, bool json, Clock& clock);

/// One line without its end, as the logger writes it.
[[nodiscard]] std::string json_line(Time time, LogLevel level, std::string_view sentence,
                                    std::span<const LogField> fields);
[[nodiscard]] std::string text_line(Time time, LogLevel level, std::string_view sentence,
                                    std::span<const LogField> fields);

}  // namespace skald::app
