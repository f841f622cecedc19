// fork and exec; what the child needs is prepared before the fork.
#include "process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>

extern char** environ;

namespace skald::e2e {
namespace {

constexpr int kPauseMs = 20;

std::vector<std::string> environment_with(const std::map<std::string, std::string>& additions) {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text{*entry};
    if (!additions.contains(text.substr(0, text.find('=')))) entries.push_back(text);
  }
  for (const auto& [name, value] : additions)
    if (!value.empty()) entries.push_back(name + "=" + value);
  return entries;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

bool eventually(std::chrono::milliseconds limit, const std::function<bool()>& question) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!question()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    poll(nullptr, 0, kPauseMs);
  }
  return true;
}

Process::Process(std::vector<std::string> command, std::string output_file,
                 std::map<std::string, std::string> environment)
    : output_file_(std::move(output_file)) {
  auto entries = environment_with(environment);
  const auto arguments = pointers(command);
  const auto variables = pointers(entries);
  const int output = open(output_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  pid_ = fork();
  if (pid_ < 0 || output < 0 || input < 0) throw std::runtime_error("cannot start " + command.front());
  if (pid_ == 0) {
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves nothing behind
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execve(arguments[0], arguments.data(), variables.data());
    _exit(127);
  }
  close(output);
  close(input);
}

Process::~Process() { kill(); }

void Process::signal(int number) const {
  if (!exit_code_) ::kill(pid_, number);
}

bool Process::is_running() { return !wait(std::chrono::milliseconds{0}); }

std::optional<int> Process::wait(std::chrono::milliseconds limit) {
  eventually(limit, [this] {
    int status = 0;
    if (!exit_code_ && waitpid(pid_, &status, WNOHANG) == pid_)
      exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return exit_code_.has_value();
  });
  return exit_code_;
}

void Process::kill() {
  signal(SIGKILL);
  wait(std::chrono::seconds{10});
}

std::string Process::output() const {
  std::ifstream file{output_file_};
  return {std::istreambuf_iterator<char>{file}, {}};
}

bool Process::says(const std::string& pattern, std::chrono::milliseconds limit) const {
  const std::regex expression{pattern};
  return eventually(limit, [&] { return std::regex_search(output(), expression); });
}

}  // namespace skald::e2e
