// Logger: the port for log lines. A line is a sentence with fields, at the level an operator would want at
// 3 a.m.; never a payload, never a secret. Implementations are thread-safe and do not block for long.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace skald {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// One name with its value as text.
struct LogField {
  std::string name;
  std::string value;
  LogField(std::string field_name, std::string field_value)
      : name(std::move(field_name)), value(std::move(field_value)) {}
  template <std::integral Number>
  LogField(std::string field_name, Number number)
      : name(std::move(field_name)), value(std::to_string(number)) {}
};

class Logger {
 public:
  virtual ~Logger() = default;
  virtual void write(LogLevel level, std::string_view sentence, std::span<const LogField> fields) = 0;

  void debug(std::string_view sentence, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kDebug, sentence, {fields.begin(), fields.size()});
  }
  void info(std::string_view sentence, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kInfo, sentence, {fields.begin(), fields.size()});
  }
  void warning(std::string_view sentence, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kWarning, sentence, {fields.begin(), fields.size()});
  }
  void error(std::string_view sentence, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kError, sentence, {fields.begin(), fields.size()});
  }
};

/// Writes nothing.
class NullLogger final : public Logger {
 public:
  void write(LogLevel, std::string_view, std::span<const LogField>) override {}
};

}  // namespace skald
