// initdb and postgres as child processes; see private_postgres.hpp. PostgreSQL refuses to run as root, so root hands
// both to the user `postgres`.
#include "app/private_postgres.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace skald::app {
namespace {

namespace files = std::filesystem;
constexpr std::chrono::seconds kStartPatience{30};
constexpr std::chrono::seconds kStopPatience{10};
constexpr std::chrono::milliseconds kLookAgain{10};

Error unavailable(const std::string& message) { return {ErrorKind::kUnavailable, "SKALD-930", message}; }

/// The newest PostgreSQL in PATH or where Debian and Ubuntu keep it.
std::string find_programs(const std::map<std::string, std::string>& environment) {
  std::vector<std::string> folders;
  std::error_code ignored;
  int newest = 0;
  for (const auto& entry : files::directory_iterator("/usr/lib/postgresql", ignored)) {
    const int version = std::atoi(entry.path().filename().c_str());
    if (version <= newest) continue;
    newest = version;
    folders.assign(1, entry.path() / "bin");
  }
  std::string path = environment.contains("PATH") ? environment.at("PATH") : "";
  for (std::size_t end = 0; !path.empty(); path = end == std::string::npos ? "" : path.substr(end + 1)) {
    end = path.find(':');
    folders.insert(folders.begin(), path.substr(0, end));
  }
  for (const std::string& folder : folders)
    if (access((folder + "/initdb").c_str(), X_OK) == 0 && access((folder + "/postgres").c_str(), X_OK) == 0)
      return folder;
  return {};
}

/// Starts a program in `folder`, as the user `postgres` if we are root, its output in `log`. It ends with us.
pid_t spawn(const std::vector<std::string>& command, const std::string& folder, const std::string& log,
            const passwd* user) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  // Only calls that are safe between fork and exec.
  setpgid(0, 0);  // Ctrl-C at the terminal is for us; we end the server
  const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (output < 0 || nothing < 0 || dup2(nothing, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0)
    _exit(126);
  if (user != nullptr &&
      (setgroups(0, nullptr) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
    _exit(126);
  if (chdir(folder.c_str()) != 0) _exit(126);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGINT);
  if (getppid() != parent) _exit(126);
  execv(arguments[0], arguments.data());
  _exit(127);
}

const passwd* server_user() {
  if (getuid() != 0) return nullptr;
  return getpwnam("postgres");
}

int free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool found = bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                     getsockname(probe, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  close(probe);
  return found ? ntohs(address.sin_port) : 0;
}

std::string last_line(const std::string& path) {
  std::ifstream file(path);
  std::string line, last;
  while (std::getline(file, line))
    if (!line.empty()) last = line;
  return last;
}

/// The first line of postmaster.pid is whose it is, the eighth how the server says that it takes connections.
bool is_ready(const std::string& pid_file, pid_t process) {
  std::ifstream file(pid_file);
  std::string line;
  for (int number = 1; number <= 8; ++number)
    if (!std::getline(file, line) || (number == 1 && line != std::to_string(process))) return false;
  return line.starts_with("ready");
}

}  // namespace

Result<std::unique_ptr<PrivatePostgres>> PrivatePostgres::start(const std::string& folder, Signals& signals,
                                                                Clock& clock) {
  std::unique_ptr<PrivatePostgres> server(new PrivatePostgres);
  if (auto done = server->prepare(folder); !done) return done.error();
  if (!files::exists(server->folder_ + "/data/PG_VERSION"))
    if (auto done = server->initialise(); !done) return done.error();
  if (auto done = server->launch(signals, clock); !done) return done.error();
  return server;
}

Result<void> PrivatePostgres::prepare(const std::string& folder) {
  programs_ = find_programs(environment());
  if (programs_.empty())
    return unavailable(
        "dev needs PostgreSQL on this machine and found no initdb in PATH or /usr/lib/postgresql: apt "
        "install postgresql");
  if (getuid() == 0 && server_user() == nullptr)
    return unavailable(
        "PostgreSQL refuses to run as root, and there is no user postgres: run dev as another user");
  if (folder.empty()) {
    char name[] = "/tmp/skald-dev-XXXXXX";
    if (mkdtemp(name) == nullptr)
      return unavailable(std::string("no folder in /tmp: ") + std::strerror(errno));
    folder_ = name;
    temporary_ = true;
  } else {
    std::error_code error;
    files::create_directories(folder, error);
    if (error) return unavailable("--data " + folder + ": " + error.message());
    folder_ = files::absolute(folder).string();
  }
  const passwd* user = server_user();
  if (user != nullptr && chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0)
    return unavailable(folder_ + ": " + std::strerror(errno));
  return {};
}

Result<void> PrivatePostgres::initialise() {
  const std::string log = folder_ + "/initdb.log";
  const pid_t child = spawn(
      {programs_ + "/initdb", "--pgdata", folder_ + "/data", "--username", "skald", "--auth", "trust",
       "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions", "--wal-segsize", "1"},
      folder_, log, server_user());
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return unavailable(
        "initdb failed in " + folder_ + ": " + last_line(log) +
        (getuid() == 0 ? " (it runs as user postgres, who must be able to enter that folder)" : ""));
  return {};
}

Result<void> PrivatePostgres::launch(Signals& signals, Clock& clock) {
  const std::string log = folder_ + "/postgres.log";
  const std::string pid_file = folder_ + "/data/postmaster.pid";
  port_ = free_port();
  std::vector<std::string> command{programs_ + "/postgres", "-D", folder_ + "/data"};
  for (const char* setting :
       {"listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "synchronous_commit=off",
        "full_page_writes=off", "max_connections=100", "max_wal_size=512MB", "shared_buffers=64MB",
        "timezone=UTC", "log_timezone=UTC", "autovacuum_naptime=10s"}) {
    command.emplace_back("-c");
    command.push_back(setting);
  }
  command.insert(command.end(), {"-c", "port=" + std::to_string(port_)});
  process_ = spawn(command, folder_, log, server_user());
  if (process_ < 0) return unavailable(std::string("PostgreSQL cannot be started: ") + std::strerror(errno));
  const auto until = clock.monotonic() + kStartPatience;
  while (!is_ready(pid_file, process_)) {
    if (waitpid(process_, nullptr, WNOHANG) == process_) {
      process_ = -1;
      return unavailable("PostgreSQL did not start in " + folder_ + ": " + last_line(log));
    }
    if (signals.wait(kLookAgain)) return unavailable("stopped by a signal");
    if (clock.monotonic() > until) return unavailable("PostgreSQL did not start within 30 s; see " + log);
  }
  return {};
}

PrivatePostgres::~PrivatePostgres() {
  if (process_ > 0) {
    kill(process_, SIGINT);  // fast shutdown
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &child, nullptr);
    const timespec limit{kStopPatience.count(), 0};
    if (waitpid(process_, nullptr, WNOHANG) != process_) {
      sigtimedwait(&child, nullptr, &limit);
      if (waitpid(process_, nullptr, WNOHANG) != process_) {
        kill(process_, SIGQUIT);
        waitpid(process_, nullptr, 0);
      }
    }
  }
  std::error_code ignored;
  if (temporary_) files::remove_all(folder_, ignored);
}

std::string PrivatePostgres::uri() const {
  return "postgresql://skald@127.0.0.1:" + std::to_string(port_) + "/postgres";
}

}  // namespace skald::app
