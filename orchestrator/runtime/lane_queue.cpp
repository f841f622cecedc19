// Handing works from any thread to a lane.
#include "runtime/lane_queue.hpp"

namespace skald::runtime {

void LaneQueue::push(std::vector<Work> works) {
  if (works.empty()) return;
  for (Work& work : works) work.bytes = measure(work);
  {
    const std::scoped_lock lock(mutex_);
    for (Work& work : works) {
      bytes_ += work.bytes;
      const bool start = work.is_start() || work.passes_through();
      ++(start ? starts_count_ : urgent_count_);
      (start ? starts_ : urgent_).push_back(std::move(work));
    }
  }
  arrived_.notify_one();
}

void LaneQueue::take(std::vector<Work>& works, std::size_t maximum, std::size_t maximum_bytes,
                     std::chrono::milliseconds wait, std::atomic<std::size_t>& held) {
  std::unique_lock lock(mutex_);
  if (empty() && wait.count() > 0) arrived_.wait_for(lock, wait, [this] { return !empty() || woken_; });
  woken_ = false;
  std::size_t bytes = 0;
  while (works.size() < maximum && bytes < maximum_bytes && !empty()) {
    std::deque<Work>& from = urgent_.empty() ? starts_ : urgent_;
    ++held;
    --(urgent_.empty() ? starts_count_ : urgent_count_);
    bytes += from.front().bytes;
    bytes_ -= from.front().bytes;
    works.push_back(std::move(from.front()));
    from.pop_front();
  }
}

void LaneQueue::rest(std::chrono::milliseconds wait) {
  if (wait.count() <= 0) return;
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, wait, [this] { return woken_; });
  woken_ = false;
}

void LaneQueue::wake() {
  {
    const std::scoped_lock lock(mutex_);
    woken_ = true;
  }
  arrived_.notify_one();
}

LaneQueue::Load LaneQueue::load() const noexcept { return {urgent_count_, starts_count_, bytes_}; }

}  // namespace skald::runtime
