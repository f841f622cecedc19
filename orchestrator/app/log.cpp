// The log by spdlog; see log.hpp.
#include "app/log.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "app/config_text.hpp"
#include "skald/json.hpp"
#include "wire/cloud_events.hpp"

namespace skald::app {
namespace {

constexpr std::size_t kQueuedLines = 8192;
constexpr std::size_t kMaximumFieldBytes = 2000;

const char* name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "error";
}

class SpdlogLogger final : public Logger {
 public:
  SpdlogLogger(LogLevel level, bool json, Clock& clock)
      : level_(level),
        json_(json),
        clock_(clock),
        pool_(std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1)),
        logger_(
            std::make_shared<spdlog::async_logger>("skald", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                                   pool_, spdlog::async_overflow_policy::overrun_oldest)) {
    logger_->set_pattern("%v");
    logger_->set_level(spdlog::level::trace);
  }

  void write(LogLevel level, std::string_view sentence, std::span<const LogField> fields) override {
    if (level < level_) return;
    const Time now = clock_.wall();
    const std::string line =
        json_ ? json_line(now, level, sentence, fields) : text_line(now, level, sentence, fields);
    logger_->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
    if (level >= LogLevel::kWarning) logger_->flush();
  }

 private:
  const LogLevel level_;
  const bool json_;
  Clock& clock_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;  ///< ends after what is queued was written
  std::shared_ptr<spdlog::async_logger> logger_;
};

}  // namespace

std::string json_line(Time time, LogLevel level, std::string_view sentence,
                      std::span<const LogField> fields) {
  json::Writer writer;
  writer.begin_object();
  const auto member = [&](std::string_view name, std::string_view value) {
    writer.key(name);
    writer.string(value.substr(0, kMaximumFieldBytes));
  };
  member("ts", wire::format_time(time));
  member("level", name_of(level));
  member("message", sentence);
  for (const LogField& field : fields) {
    // The line's own members cannot be given twice.
    const bool taken = field.name == "ts" || field.name == "level" || field.name == "message";
    member(taken ? "field_" + field.name : field.name, field.value);
  }
  writer.end_object();
  return writer.take();
}

std::string text_line(Time time, LogLevel level, std::string_view sentence,
                      std::span<const LogField> fields) {
  std::string line =
      wire::format_time(time) + " " + name_of(level) + " " + printable(sentence, kMaximumFieldBytes);
  for (const LogField& field : fields) {
    const std::string value = printable(field.value, kMaximumFieldBytes);
    const bool plain = !value.empty() && value.find_first_of(" \"=") == std::string::npos;
    line += " " + printable(field.name, 80) + "=" + (plain ? value : "\"" + value + "\"");
  }
  return line;
}

std::unique_ptr<Logger> make_logger(LogLevel level, bool json, Clock& clock) {
  return std::make_unique<SpdlogLogger>(level, json, clock);
}

}  // namespace skald::app
