// Service: one orchestrator process put together: HTTP port, Kafka, and a Cell for each database it serves. Built and
// run by the main thread (serve, dev); what Control promises is answered on the HTTP port's threads.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/api.hpp"
#include "api/control.hpp"
#include "api/http_server.hpp"
#include "app/cell.hpp"
#include "app/config.hpp"
#include "app/program.hpp"
#include "app/system.hpp"
#include "kafka/options.hpp"
#include "ports/logger.hpp"

namespace skald::app {

class Service final : private api::Control {
 public:
  struct Parts {
    const Program& program;
    const Config& config;
    kafka::Options kafka;
    Logger& logger;
    SystemClock& clock;
    SystemRandom& random;
    Signals& signals;
    std::vector<std::string> databases{};  ///< those it serves, by name; empty: all
    bool assign_all = false;               ///< one process that joins no group
    std::function<void()> ready{};         ///< called once, when the runtime works
    std::function<void()> attend{};        ///< called about every five seconds
  };
  explicit Service(Parts parts);
  ~Service() override;

  /// Starts everything in its order, waits for what is away, works until a signal, drains. An error: it cannot
  /// start, for good.
  Result<void> run();
  /// Where the HTTP port listens, once run() has begun.
  [[nodiscard]] std::string http_address() const;

 private:
  Health health() override;
  Readiness readiness() override;
  Result<Started> start(const SagaAddress& address, const std::string& input,
                        const std::string& origin) override;
  Result<Sent> send(const SagaAddress& address, const engine::Input& input) override;
  Result<std::string> query(const StoredSaga& saga, std::string_view name, std::string_view input) override;
  Result<std::vector<engine::ResetStep>> plan_reset(const StoredSaga& saga,
                                                    const engine::OperatorAction& action) override;
  bool knows(PauseKind kind, std::string_view name) override;
  Result<void> could_start(const std::string& definition, const std::string& input) override;
  Result<std::string> cluster_id() override;

  Result<void> make_cells();
  Result<void> listen();
  /// Asks until the answer is yes (true), a signal came (false), or it is no for good. `tell` hears every answer.
  Result<bool> await(const std::string& what, const std::function<Result<void>()>& ask,
                     const std::function<void(const Result<void>&)>& tell);
  Result<bool> await_both();
  Result<void> check_topics();
  void work_until_signal();
  [[nodiscard]] bool all_ready() const;
  void stop(int signal);
  /// The running cell that has the saga.
  Result<runtime::Runtime*> runtime_of(const SagaAddress& address);

  const Parts parts_;
  std::unique_ptr<Bus> bus_;
  std::vector<std::unique_ptr<Cell>> cells_;
  std::unique_ptr<api::Api> api_;
  std::unique_ptr<api::HttpServer> http_;
  std::mutex mutex_;  ///< guards kafka_reason_
  std::string kafka_reason_ = "not asked yet";
};

/// How to reach Kafka, by the configuration; librdkafka's lines go to `logger`.
[[nodiscard]] kafka::Options kafka_options(const Config& config, Logger& logger);

}  // namespace skald::app
