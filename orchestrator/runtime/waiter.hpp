// Waiter: an interruptible pause for a thread's loop: waits until woken or until the time is over. One thread
// waits, any thread wakes; a wake that comes before the wait is not lost.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace skald::runtime {

class Waiter {
 public:
  void wait(std::chrono::milliseconds at_most) {
    std::unique_lock lock(mutex_);
    woken_cv_.wait_for(lock, at_most, [this] { return woken_; });
    woken_ = false;
  }
  void wake() {
    {
      const std::scoped_lock lock(mutex_);
      woken_ = true;
    }
    woken_cv_.notify_one();
  }

 private:
  std::mutex mutex_;  ///< guards woken_
  std::condition_variable woken_cv_;
  bool woken_ = false;
};

}  // namespace skald::runtime
