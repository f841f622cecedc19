// The system as the composition root sees it: the real clock and randomness, environment, files, signals, and
// what identifies this process. The only place in the orchestrator that asks the operating system for time.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "ports/clock.hpp"
#include "skald/result.hpp"

namespace skald::app {

class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::chrono::nanoseconds monotonic() const override;
  [[nodiscard]] Time wall() const override;
};

class SystemRandom final : public Random {
 public:
  [[nodiscard]] std::uint64_t next() override;
};

[[nodiscard]] std::map<std::string, std::string> environment();
/// At most 2 MiB of it; the error is the system's words.
[[nodiscard]] Result<std::string> read_file(const std::string& path);
[[nodiscard]] std::string host_name();
/// Of the program's code: the linker's build id, so that another build is told from this one in histories.
[[nodiscard]] std::string build_id();

/// SIGTERM and SIGINT, taken out of the program's flow: blocked in every thread started later, and waited for
/// here. Made once, in the main thread, before any other thread.
class Signals {
 public:
  Signals();
  /// The signal that arrived within `timeout`, if one did.
  std::optional<int> wait(std::chrono::milliseconds timeout);
  /// From here on a second signal ends the process at once.
  void release();
};

}  // namespace skald::app
