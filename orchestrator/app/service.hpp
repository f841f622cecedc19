// Service: one orchestrator process put together: HTTP port, PostgreSQL, Kafka, Runtime. Built and run by the main
// thread (serve, dev); what Control promises is answered on the HTTP port's threads.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "api/api.hpp"
#include "api/control.hpp"
#include "api/http_server.hpp"
#include "api/metrics.hpp"
#include "app/config.hpp"
#include "app/program.hpp"
#include "app/system.hpp"
#include "kafka/options.hpp"
#include "ports/logger.hpp"
#include "runtime/runtime.hpp"

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
    bool assign_all = false;         ///< one process that joins no group
    std::function<void()> ready{};   ///< called once, when the runtime works
    std::function<void()> attend{};  ///< called about every five seconds
  };
  explicit Service(Parts parts);
  ~Service() override;

  /// Starts everything in its order, waits for what is away, works until a signal, drains. An error: it cannot
  /// start, for good.
  Result<void> run();
  /// Where the HTTP port listens, once run() has begun.
  [[nodiscard]] std::string http_address() const;

 private:
  /// What there is to say about one of the two outside.
  struct Side {
    std::string name;
    const char* what;  ///< in metrics
    std::string reason = "not asked yet";
  };

  Health health() override;
  Readiness readiness() override;
  Result<Started> start(const SagaAddress& address, const std::string& input,
                        const std::string& origin) override;
  Result<void> act(const SagaAddress& address, const engine::OperatorAction& action) override;
  Result<std::string> cluster_id() override;

  Result<void> listen();
  /// Asks until the answer is yes (true), a signal came (false), or it is no for good.
  Result<bool> await(Side& side, const std::function<Result<void>()>& ask);
  Result<void> check_topics();
  void start_runtime();
  void work_until_signal();
  void stop(int signal);

  const Parts parts_;
  api::Metrics metrics_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Bus> bus_;
  std::unique_ptr<runtime::Runtime> runtime_;
  std::atomic<runtime::Runtime*> running_{nullptr};  ///< runtime_ once started
  std::unique_ptr<api::Api> api_;
  std::unique_ptr<api::HttpServer> http_;
  std::mutex mutex_;  ///< guards the reasons of both sides
  Side postgres_{"PostgreSQL", "store"};
  Side kafka_{"Kafka", "bus"};
};

/// How to reach Kafka, by the configuration; librdkafka's lines go to `logger`.
[[nodiscard]] kafka::Options kafka_options(const Config& config, Logger& logger);

}  // namespace skald::app
