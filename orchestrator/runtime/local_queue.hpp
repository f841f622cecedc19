// LocalQueue: attempts of local steps that wait for a thread, or for the limits of their step type. Steps take turns, so
// that one with many attempts, or one whose limits let none begin, does not hold up the others; the attempts of a step
// keep their order. Without a clock or a lock: the executor has both.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "limits/step_limiter.hpp"
#include "ports/step_executor.hpp"

namespace skald::runtime {

/// The step types that have limits, with them.
using StepLimitsByName = std::map<std::string, StepLimits, std::less<>>;

class LocalQueue {
 public:
  using Nanoseconds = std::chrono::nanoseconds;

  struct Started {
    LocalTask task;
    limits::StepLimiter::Ticket ticket;
  };
  struct Waiting {
    std::string_view step;  ///< lives as long as the queue
    std::size_t attempts = 0;
  };

  explicit LocalQueue(const StepLimitsByName& limits);
  LocalQueue(const LocalQueue&) = delete;
  LocalQueue& operator=(const LocalQueue&) = delete;

  void push(LocalTask task);
  /// The next attempt that may begin.
  [[nodiscard]] std::optional<Started> pop(Nanoseconds now);
  [[nodiscard]] bool can_pop(Nanoseconds now) const;
  /// When time alone lets an attempt begin that may not now; nullopt: never.
  [[nodiscard]] std::optional<Nanoseconds> next_pop(Nanoseconds now) const;
  /// A started attempt returned.
  limits::BreakerChange end(std::string_view step, limits::StepLimiter::Ticket ticket, bool failed,
                            Nanoseconds now);
  /// Takes out those whose deadline has passed and, if asked to, all of steps that have limits.
  [[nodiscard]] std::vector<LocalTask> take_overdue(Nanoseconds now, bool all_limited);
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Of the steps that have limits.
  [[nodiscard]] std::vector<Waiting> waiting() const;

 private:
  struct Step {
    std::deque<LocalTask> tasks;
    std::optional<limits::StepLimiter> limiter;
    [[nodiscard]] bool can_pop(Nanoseconds now) const {
      return !tasks.empty() && (!limiter || limiter->may_start(now));
    }
  };
  using Steps = std::map<std::string, Step, std::less<>>;

  Steps steps_;
  Steps::iterator turn_ = steps_.end();  ///< the step that was last served
  std::size_t size_ = 0;
};

}  // namespace skald::runtime
