// CommandLimits: what this process may do of each step type at once, and of all together (the name `*`). Whoever takes
// a command off the backlog asks here; the answer is a ticket that goes with the command until it is over. One thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "limits/step_limiter.hpp"
#include "skald/participant.hpp"

namespace skald::participant::detail {

inline constexpr std::string_view kAllSteps = "*";

class CommandLimits {
 public:
  using Now = std::chrono::nanoseconds;
  using Limits = std::map<std::string, StepLimits, std::less<>>;

  /// Of one command; for a step without limits it means nothing.
  struct Ticket {
    limits::StepLimiter::Ticket own, all;
    bool executed = false;  ///< its handler was called
  };

  CommandLimits(const Limits& limits, Statistics& statistics);

  /// Is any step limited?
  [[nodiscard]] bool any() const { return all_ || !steps_.empty(); }
  /// nullopt: it has to wait.
  std::optional<Ticket> start(std::string_view step, Now now);
  /// False: the breaker opened since it was let through; it has to wait again.
  [[nodiscard]] bool still_lets_through(std::string_view step, const Ticket& ticket) const;
  /// Its handler was called.
  void tell(std::string_view step, Ticket& ticket, bool failed, Now now);
  void end(std::string_view step, const Ticket& ticket);
  /// When time alone lets a command of this step start; nullopt: not before another one is over.
  [[nodiscard]] std::optional<Now> next_start(std::string_view step, Now now) const;

 private:
  [[nodiscard]] const limits::StepLimiter* find(std::string_view step) const;
  [[nodiscard]] limits::StepLimiter* find(std::string_view step);
  void report(std::string_view step, limits::BreakerChange change);

  std::map<std::string, limits::StepLimiter, std::less<>> steps_;
  std::optional<limits::StepLimiter> all_;
  Statistics& statistics_;
};

/// The first limit that cannot be, as one line that names it; for those given by `--limit` and in code alike.
[[nodiscard]] std::optional<std::string> problem_of(std::string_view step, const StepLimits& limits);

/// Sets what `STEP.KEY=VALUE` says. What is wrong comes back as one line that names it.
[[nodiscard]] std::optional<std::string> set_limit(CommandLimits::Limits& limits, const std::string& setting);

}  // namespace skald::participant::detail
