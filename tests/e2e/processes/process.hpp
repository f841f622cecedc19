// Process: a program a test started, in a session of its own, its output in a file. It is ended with the object, by its
// own pid, so a failing test leaves nothing behind. One thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace skald::e2e {

/// Asks again and again until the answer is yes; false when `limit` has passed.
bool eventually(std::chrono::milliseconds limit, const std::function<bool()>& question);

class Process {
 public:
  /// `environment` is added to ours; an empty value removes the name.
  Process(std::vector<std::string> command, std::string output_file,
          std::map<std::string, std::string> environment = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number) const;
  [[nodiscard]] bool is_running();
  /// The exit code, 128 + signal for one that was killed; nullopt if it still runs after `limit`.
  std::optional<int> wait(std::chrono::milliseconds limit);
  /// SIGKILL, and waits for the end.
  void kill();
  /// Everything it wrote so far.
  [[nodiscard]] std::string output() const;
  /// Waits until what it wrote has a match of this regular expression.
  [[nodiscard]] bool says(const std::string& pattern, std::chrono::milliseconds limit) const;

 private:
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
  std::string output_file_;
};

}  // namespace skald::e2e
