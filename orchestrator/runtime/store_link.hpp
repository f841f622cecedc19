// StoreLink: one thread's way to the database: opens its Session when first needed, waits between attempts
// while the database is away (backoff with jitter, no sleeping: the caller asks again), and tells an outage
// once in the log when it begins and once when it ends. Used by one thread.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "ports/clock.hpp"
#include "ports/logger.hpp"
#include "ports/store.hpp"
#include "runtime/observer.hpp"
#include "runtime/settings.hpp"

namespace skald::runtime {

/// What nearly everything in the runtime needs. All outlive it.
struct Seams {
  Store& store;
  Bus& bus;
  Clock& clock;
  Random& random;
  Logger& logger;
  Observer& observer;
};

/// Doubling waits with up to half of it as jitter.
class Backoff {
 public:
  Backoff(const Settings& settings, Random& random)
      : initial_(settings.backoff_initial), maximum_(settings.backoff_maximum), random_(random) {}
  [[nodiscard]] std::chrono::nanoseconds next();
  void reset() noexcept { current_ = std::chrono::milliseconds(0); }
  /// Was next() asked once since the last reset?
  [[nodiscard]] bool first() const noexcept { return current_ == initial_; }

 private:
  std::chrono::milliseconds initial_;
  std::chrono::milliseconds maximum_;
  std::chrono::milliseconds current_{0};
  Random& random_;
};

class StoreLink {
 public:
  StoreLink(const Seams& seams, const Settings& settings, std::string user);

  /// The session, or null: away, ask again later.
  [[nodiscard]] Session* session();
  /// The session's last call failed for this reason: kUnavailable and kRefused begin or prolong an outage,
  /// kRetry waits as well.
  void failed(const Error& error);
  void succeeded();
  /// An outage, or a wait before trying again.
  [[nodiscard]] bool waiting() const { return seams_.clock.monotonic() < retry_at_; }
  [[nodiscard]] bool away() const noexcept { return away_.load(); }  ///< from any thread

 private:
  const Seams seams_;
  std::string user_;
  Backoff backoff_;
  std::unique_ptr<Session> session_;
  std::chrono::nanoseconds retry_at_{0};
  std::atomic<bool> away_{false};
};

}  // namespace skald::runtime
