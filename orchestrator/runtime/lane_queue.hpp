// LaneQueue: what waits for one lane: urgent works (replies, results, wake-ups, decisions) before starts and
// dead letters, each in order. Any thread pushes, the lane takes; one mutex, taken once a hand-over. It never
// refuses: its size is bounded by pausing partitions (LaneQueue::load, Settings::queue_high).
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <vector>

#include "runtime/work.hpp"

namespace skald::runtime {

class LaneQueue {
 public:
  struct Load {
    std::size_t urgent = 0;
    std::size_t starts = 0;
    std::size_t bytes = 0;
  };

  void push(std::vector<Work> works);
  /// Appends to `works` until there are `maximum` or about `maximum_bytes` were taken; waits up to `wait` for
  /// the first. `held` counts what was taken, before it counts here no more.
  void take(std::vector<Work>& works, std::size_t maximum, std::size_t maximum_bytes,
            std::chrono::milliseconds wait, std::atomic<std::size_t>& held);
  /// Waits until wake(), at most `wait`, whatever is queued.
  void rest(std::chrono::milliseconds wait);
  /// Ends a wait early.
  void wake();
  [[nodiscard]] Load load() const noexcept;

 private:
  [[nodiscard]] bool empty() const { return urgent_.empty() && starts_.empty(); }

  std::mutex mutex_;  ///< guards the two queues and woken_
  std::condition_variable arrived_;
  std::deque<Work> urgent_;
  std::deque<Work> starts_;
  bool woken_ = false;
  std::atomic<std::size_t> urgent_count_{0};
  std::atomic<std::size_t> starts_count_{0};
  std::atomic<std::size_t> bytes_{0};
};

}  // namespace skald::runtime
