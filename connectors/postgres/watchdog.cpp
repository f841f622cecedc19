// The thread sleeps until the earliest deadline it has seen, also when that call has ended meanwhile. So a call that
// ends in time, as nearly all do, takes the mutex twice and wakes nobody: new deadlines are later ones.
#include "postgres/watchdog.hpp"

#include <pthread.h>
#include <sys/socket.h>

namespace skald::postgres {

Watchdog::Watchdog() : thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "skald-pg-watch");
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Watchdog::run() {
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    if (deadlines_.empty()) {
      sleeping_until_ = std::chrono::steady_clock::time_point::max();
      changed_.wait(lock);
      continue;
    }
    const auto first = deadlines_.begin();
    if (first->first > std::chrono::steady_clock::now()) {
      sleeping_until_ = first->first;
      changed_.wait_until(lock, std::chrono::steady_clock::time_point{first->first});
      continue;
    }
    ::shutdown(first->second, SHUT_RDWR);  // the call that waits on it finds the connection broken
    deadlines_.erase(first);
  }
}

Watchdog::Watch::Watch(Watchdog& watchdog, int socket, std::chrono::milliseconds limit)
    : watchdog_(watchdog), entry_(std::chrono::steady_clock::now() + limit, socket) {
  bool sooner = false;
  {
    const std::lock_guard lock{watchdog_.mutex_};
    sooner = entry_.first < watchdog_.sleeping_until_;
    watchdog_.deadlines_.insert(entry_);
  }
  if (sooner) watchdog_.changed_.notify_one();
}

Watchdog::Watch::~Watch() {
  const std::lock_guard lock{watchdog_.mutex_};
  auto [place, end] = watchdog_.deadlines_.equal_range(entry_.first);
  for (; place != end; ++place) {
    if (place->second == entry_.second) {
      watchdog_.deadlines_.erase(place);
      return;
    }
  }
}

}  // namespace skald::postgres
