// Api: every route of the HTTP port. /healthz, /readyz and /metrics touch neither database nor Kafka; what
// reads sagas uses a few database sessions of its own, so many callers at once, and beyond them answers 503: a
// flood of requests leaves the lanes alone. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/control.hpp"
#include "api/http_server.hpp"
#include "api/metrics.hpp"
#include "ports/store.hpp"
#include "skald/json.hpp"
#include "wire/slots.hpp"

namespace skald::api {

struct ApiSettings {
  std::string name_space;
  std::string token;         ///< bearer token for /api/v1; empty: none asked
  bool local_only = true;    ///< listens on loopback without a token: take only requests for a loopback name
  std::size_t sessions = 2;  ///< database sessions at most
  std::size_t waiting = 4;   ///< callers that may wait for one of them
  int changes = 6;           ///< starts and actions that may be under way at once
};

class Api {
 public:
  /// One that this process serves; store and metrics outlive the Api.
  struct Database {
    std::string name;  ///< empty: the only one
    wire::SlotSet slots;
    Store* store = nullptr;
    const Metrics* metrics = nullptr;
  };
  Api(ApiSettings settings, Control& control, const std::vector<Database>& databases);
  ~Api();

  [[nodiscard]] HttpResponse handle(const HttpRequest& request);

 private:
  class Sessions;

  HttpResponse route(const HttpRequest& request);
  HttpResponse admitted(const HttpRequest& request);
  HttpResponse health();
  HttpResponse readiness();
  HttpResponse list(const HttpRequest& request);
  HttpResponse show(const SagaAddress& address);
  HttpResponse start(const HttpRequest& request, const std::string& definition);
  // Operators: api_actions.cpp.
  HttpResponse act(const HttpRequest& request, const SagaAddress& address);
  HttpResponse reset(const SagaAddress& address, const engine::OperatorAction& action, bool dry_run);
  // To a running saga: api_running.cpp.
  HttpResponse signal(const HttpRequest& request, const SagaAddress& address, const std::string& name);
  HttpResponse update(const HttpRequest& request, const SagaAddress& address, const std::string& name);
  HttpResponse query(const HttpRequest& request, const SagaAddress& address, const std::string& name);
  HttpResponse complete(const HttpRequest& request);
  HttpResponse pauses();
  HttpResponse change_pause(const HttpRequest& request);
  HttpResponse schedules();
  HttpResponse change_schedules(const HttpRequest& request);
  HttpResponse put_schedule(const json::Value& body);
  Result<StoredSaga> load(const SagaAddress& address, Runs runs = Runs::kAll);
  HttpResponse positions();
  /// Runs `change` unless too many run already: they wait for commits, and health needs threads.
  HttpResponse limited(const std::function<HttpResponse()>& change);

  const ApiSettings settings_;
  Control& control_;
  struct Served {
    std::string name;
    wire::SlotSet slots;
    std::unique_ptr<Sessions> sessions;
  };
  std::vector<Served> databases_;
  std::vector<const Metrics*> metrics_;
  std::atomic<int> changing_{0};
};

}  // namespace skald::api
