// A TCP proxy on 127.0.0.1 between a client and PostgreSQL that cuts a connection at a chosen moment: when the client
// has sent a statement that begins with a given word. One thread of its own; stops when it goes.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace skald::postgres {

class CuttingProxy {
 public:
  enum class Cut {
    kBefore,  ///< the statement never reaches the server
    kAfter,   ///< the server executes it, its answer is lost
    kHold,    ///< the statement waits until the server ends the connection by itself
  };

  CuttingProxy(const std::string& host, int port);
  ~CuttingProxy();
  [[nodiscard]] int port() const { return port_; }
  /// Cuts at the next simple query that begins with `statement`, or at the next execution of a prepared statement whose
  /// name does; connections made afterwards are not cut.
  void cut_at(const std::string& statement, Cut cut);
  [[nodiscard]] int cuts() const { return cuts_; }

 private:
  void serve();
  void relay(int client);
  bool forward(int from, int to, bool from_client);

  std::string host_;
  int target_port_;
  int port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<int> cuts_{0};
  std::mutex mutex_;  // guards statement_ and cut_
  std::string statement_;
  Cut cut_ = Cut::kBefore;
  std::thread acceptor_;
  std::vector<std::thread> relays_;  // touched by the acceptor only, until it has ended
};

}  // namespace skald::postgres
