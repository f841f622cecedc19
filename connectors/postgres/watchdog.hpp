// Bounds how long a call may wait for a server that says nothing: libpq's blocking calls have no limit of their own,
// and the server's timeouts do not help when the server is what hangs. One thread for all sessions of a store; at a
// call's deadline it shuts the socket down, and the call ends with a broken connection like after any other break.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace skald::postgres {

class Watchdog {
 public:
  Watchdog();
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Connections open now, of all that share this watchdog.
  std::atomic<int> connections{0};

  /// While it lives, `socket` is shut down once `limit` has passed. The socket must outlive it.
  class Watch {
   public:
    Watch(Watchdog& watchdog, int socket, std::chrono::milliseconds limit);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Watchdog& watchdog_;
    std::pair<std::chrono::steady_clock::time_point, int> entry_;
  };

 private:
  void run();

  std::mutex mutex_;  // guards all below but thread_
  std::condition_variable changed_;
  std::multimap<std::chrono::steady_clock::time_point, int> deadlines_;  // of calls under way: their sockets
  std::chrono::steady_clock::time_point sleeping_until_ = std::chrono::steady_clock::time_point::max();
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace skald::postgres
