// A log line for each dead letter, but no flood of them: of a topic full of nonsense some lines a second say enough. One
// thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ports/logger.hpp"
#include "skald/record.hpp"
#include "wire/place.hpp"

namespace skald::runtime {

class DeadLetterLog {
 public:
  static constexpr std::size_t kLinesASecond = 10;

  explicit DeadLetterLog(Logger& logger) : logger_(logger) {}

  /// `now`: monotonic.
  void tell(const Record& record, std::string_view code, const std::string& reason,
            std::chrono::nanoseconds now) {
    if (now - second_began_ >= std::chrono::seconds(1)) {
      second_began_ = now;
      lines_ = 0;
    }
    if (++lines_ > kLinesASecond) {
      ++left_out_;
      return;
    }
    std::vector<LogField> fields{
        {"record", wire::place_of(record)}, {"code", std::string(code)}, {"reason", reason}};
    if (left_out_ > 0) fields.emplace_back("left_out", std::exchange(left_out_, 0));
    logger_.write(LogLevel::kWarning, "A record is a dead letter.", fields);
  }

 private:
  Logger& logger_;
  std::chrono::nanoseconds second_began_{std::chrono::nanoseconds::min() / 2};
  std::size_t lines_ = 0;     ///< in this second
  std::size_t left_out_ = 0;  ///< since the last line
};

}  // namespace skald::runtime
