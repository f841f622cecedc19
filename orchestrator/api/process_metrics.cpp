// Process metrics from /proc/self; see process_metrics.hpp.
#include "api/process_metrics.hpp"

#include <charconv>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <vector>

#include <dirent.h>
#include <unistd.h>

namespace skald::api {
namespace {

std::string read_file(const char* path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Fields of /proc/self/stat from the third on (after the name in parentheses, which may hold anything).
std::vector<double> stat_fields() {
  const std::string text = read_file("/proc/self/stat");
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream rest(text.substr(end + 1));
  std::string state;
  rest >> state;
  std::vector<double> fields{0};
  for (double value = 0; rest >> value;) fields.push_back(value);
  return fields;
}

double boot_time_seconds() {
  const std::string text = read_file("/proc/stat");
  const std::size_t at = text.find("\nbtime ");
  double seconds = 0;
  if (at != std::string::npos) std::from_chars(text.data() + at + 7, text.data() + text.size(), seconds);
  return seconds;
}

int open_descriptors() {
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  int count = 0;
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count - 3;  // ".", ".." and the folder itself
}

void add(std::string& text, const char* name, const char* kind, const char* help, double value) {
  char number[64];
  std::snprintf(number, sizeof number, "%.17g", value);
  text += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + kind + "\n" + name + " " +
          number + "\n";
}

}  // namespace

std::string process_metrics() {
  constexpr std::size_t kUserTicks = 11, kSystemTicks = 12, kThreads = 17, kStartTicks = 19,
                        kVirtualBytes = 20, kResidentPages = 21;
  const std::vector<double> fields = stat_fields();
  std::string text;
  if (fields.size() <= kResidentPages) return text;
  const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  add(text, "process_cpu_seconds_total", "counter", "Processor time used.",
      (fields[kUserTicks] + fields[kSystemTicks]) / ticks);
  add(text, "process_resident_memory_bytes", "gauge", "Memory held.",
      fields[kResidentPages] * static_cast<double>(sysconf(_SC_PAGESIZE)));
  add(text, "process_virtual_memory_bytes", "gauge", "Address space.", fields[kVirtualBytes]);
  add(text, "process_threads", "gauge", "Threads.", fields[kThreads]);
  add(text, "process_open_fds", "gauge", "Open file descriptors.", open_descriptors());
  add(text, "process_max_fds", "gauge", "Limit of file descriptors.",
      static_cast<double>(sysconf(_SC_OPEN_MAX)));
  add(text, "process_start_time_seconds", "gauge", "When the process started, since 1970.",
      boot_time_seconds() + fields[kStartTicks] / ticks);
  return text;
}

}  // namespace skald::api
