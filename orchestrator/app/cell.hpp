// Cell: one database and the Runtime that works on it, with the sagas of its slots, its reply topic and its consumer
// group. A process serves one or several; they share nothing but the process, its Kafka client settings and its log.
// Built and started by the main thread; runtime() and reason() are for any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "api/metrics.hpp"
#include "app/config.hpp"
#include "app/program.hpp"
#include "app/system.hpp"
#include "ports/bus.hpp"
#include "ports/logger.hpp"
#include "postgres/postgres_store.hpp"
#include "runtime/runtime.hpp"

namespace skald::app {

class Cell {
 public:
  struct Parts {
    const Program& program;
    const Config& config;
    const DatabaseConfig& database;
    Logger& logger;
    SystemClock& clock;
    SystemRandom& random;
    std::chrono::milliseconds session_timeout;  ///< of the Kafka client
    int cells = 1;                              ///< in this process: they divide its cache
    bool assign_all = false;
  };
  explicit Cell(const Parts& parts);
  ~Cell();

  [[nodiscard]] const DatabaseConfig& database() const { return parts_.database; }
  [[nodiscard]] Store& store() { return store_; }
  [[nodiscard]] api::Metrics& metrics() { return metrics_; }

  /// Is the database reached, does its schema fit, does it have the configured slots?
  Result<void> check_database();
  /// What there is to say while it is not; empty once it is.
  void set_reason(std::string reason);
  [[nodiscard]] std::string reason() const;

  /// Once both sides are reached. `bus` outlives it.
  void start(Bus& bus);
  /// Null before start().
  [[nodiscard]] runtime::Runtime* runtime() const { return running_; }

 private:
  const Parts parts_;
  std::unique_ptr<Logger> named_logger_;  ///< null: the only cell
  api::Metrics metrics_;
  postgres::PostgresStore store_;
  std::unique_ptr<runtime::Runtime> runtime_;
  std::atomic<runtime::Runtime*> running_{nullptr};  ///< runtime_ once started
  mutable std::mutex mutex_;                         ///< guards reason_
  std::string reason_ = "not asked yet";
};

}  // namespace skald::app
