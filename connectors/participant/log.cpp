// Writing log lines with one call each, so that lines of several threads do not mix.
#include "log.hpp"

#include <cstdio>
#include <utility>

#include "skald/json.hpp"

namespace skald::participant::detail {
namespace {

void write(std::string_view level, std::string_view sentence, LogFields fields) {
  json::Writer writer;
  writer.begin_object();
  writer.key("level");
  writer.string(level);
  writer.key("message");
  writer.string(sentence);
  for (const auto& [name, value] : fields) {
    writer.key(name);
    writer.string(value);
  }
  writer.end_object();
  const auto line = writer.take() + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

bool LogLimit::pass() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) {
    ++silent_;
    return false;
  }
  next_ = now + std::chrono::seconds(1);
  kept_back_ = std::exchange(silent_, 0);
  return true;
}

void log_info(std::string_view sentence, LogFields fields) { write("info", sentence, fields); }
void log_warning(std::string_view sentence, LogFields fields) { write("warning", sentence, fields); }
void log_error(std::string_view sentence, LogFields fields) { write("error", sentence, fields); }

}  // namespace skald::participant::detail
