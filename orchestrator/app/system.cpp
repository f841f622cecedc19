// The system; see system.hpp.
#include "app/system.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fstream>
#include <random>

#include <link.h>
#include <sys/random.h>
#include <unistd.h>

extern char** environ;

namespace skald::app {
namespace {

constexpr std::size_t kMaximumFileBytes = 2 << 20;

/// The note of type NT_GNU_BUILD_ID among these notes, in hexadecimal.
std::string find_build_id(const char* notes, std::size_t size) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto padded = [](std::size_t length) { return (length + 3) & ~std::size_t{3}; };
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) header;
    std::memcpy(&header, notes, sizeof header);
    const std::size_t whole = sizeof header + padded(header.n_namesz) + padded(header.n_descsz);
    if (whole > size) break;
    if (header.n_type == NT_GNU_BUILD_ID) {
      std::string id;
      const char* bytes = notes + sizeof header + padded(header.n_namesz);
      for (std::size_t index = 0; index < header.n_descsz && index < 8; ++index) {
        const auto byte = static_cast<unsigned char>(bytes[index]);
        id += kHex[byte >> 4];
        id += kHex[byte & 15];
      }
      return id;
    }
    notes += whole;
    size -= whole;
  }
  return {};
}

int note_of_program(dl_phdr_info* info, std::size_t, void* result) {
  for (int index = 0; index < info->dlpi_phnum; ++index) {
    const auto& segment = info->dlpi_phdr[index];
    if (segment.p_type != PT_NOTE) continue;
    std::string id =
        find_build_id(  // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader gives addresses as numbers
            reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr), segment.p_memsz);
    if (!id.empty()) *static_cast<std::string*>(result) = std::move(id);
  }
  return 1;  // the first object is the program itself
}

/// Without a build id: FNV-1a over the program's file.
std::string hash_of_program() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  std::uint64_t hash = 14695981039346656037ULL;
  char bytes[65536];
  while (file.read(bytes, sizeof bytes), file.gcount() > 0)
    for (std::streamsize index = 0; index < file.gcount(); ++index)
      hash = (hash ^ static_cast<unsigned char>(bytes[index])) * 1099511628211ULL;
  return std::to_string(hash);
}

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

std::chrono::nanoseconds SystemClock::monotonic() const {
  return std::chrono::steady_clock::now().time_since_epoch();
}

Time SystemClock::wall() const {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::uint64_t SystemRandom::next() {
  thread_local std::mt19937_64 generator([] {
    std::uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) seed = static_cast<std::uint64_t>(getpid());
    return seed;
  }());
  return generator();
}

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) all.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return all;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaximumFileBytes, '\0');
  errno = 0;
  if (!file.is_open() || (file.read(text.data(), static_cast<std::streamsize>(text.size())), file.bad()) ||
      (file.gcount() == 0 && errno != 0))
    return Error{ErrorKind::kInvalid, "", std::strerror(errno == 0 ? ENOENT : errno)};
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::string host_name() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

std::string build_id() {
  std::string id;
  dl_iterate_phdr(note_of_program, &id);
  return id.empty() ? hash_of_program() : id;
}

Signals::Signals() {
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

std::optional<int> Signals::wait(std::chrono::milliseconds timeout) {
  const sigset_t set = ending_signals();
  const timespec limit{timeout.count() / 1000, timeout.count() % 1000 * 1'000'000};
  const int signal = sigtimedwait(&set, nullptr, &limit);
  return signal > 0 ? std::optional(signal) : std::nullopt;
}

void Signals::release() {
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace skald::app
