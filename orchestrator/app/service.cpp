// The composition root's order of things; see service.hpp.
#include "app/service.hpp"

#include <algorithm>
#include <cstdlib>

#include "app/triggers.hpp"
#include "app/version.hpp"
#include "kafka/kafka_bus.hpp"
#include "postgres/migrator.hpp"
#include "postgres/postgres_store.hpp"

namespace skald::app {
namespace {

constexpr std::chrono::milliseconds kShortestWakeUp{30'000};
constexpr std::chrono::milliseconds kAskAgain{1'000};
constexpr std::chrono::milliseconds kKafkaPatience{5'000};
constexpr std::chrono::milliseconds kAttendInterval{5'000};
constexpr std::chrono::milliseconds kRebalanceMargin{10'000};
constexpr std::chrono::milliseconds kStartingInterval{10};
constexpr std::chrono::milliseconds kAnswerPatience{5'000};

LogLevel level_of(int syslog_severity) {
  if (syslog_severity <= 3) return LogLevel::kError;
  if (syslog_severity == 4) return LogLevel::kWarning;
  return syslog_severity == 7 ? LogLevel::kDebug : LogLevel::kInfo;
}

}  // namespace

kafka::Options kafka_options(const Config& config, Logger& logger) {
  kafka::Options options;
  options.bootstrap_servers = config.kafka.bootstrap_servers;
  options.properties = config.kafka.properties;
  options.log = [&logger](int severity, const std::string& line) {
    const LogField fields[] = {{"librdkafka", line}};
    logger.write(level_of(severity), "The Kafka client says something.", fields);
  };
  return options;
}

Service::Service(Parts parts) : parts_(std::move(parts)), metrics_({kVersion, build_id()}) {
  postgres::StoreOptions options;
  options.uri = parts_.config.postgres.conninfo();
  options.schema = parts_.config.postgres.schema;
  options.namespace_name = parts_.config.name_space;
  // A process that stops in mid-transaction blocks those that take its partitions over no longer than this.
  const std::chrono::milliseconds half_session{kafka::session_timeout_ms(parts_.kafka) / 2};
  options.lock_timeout = std::min(options.lock_timeout, half_session);
  options.idle_in_transaction_timeout = std::min(options.idle_in_transaction_timeout, half_session);
  store_ = std::make_unique<postgres::PostgresStore>(options);
}

Service::~Service() = default;

std::string Service::http_address() const {
  const std::string& host = parts_.config.http.listen.host;
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
         std::to_string(http_->port());
}

Result<void> Service::listen() {
  const HttpConfig& http = parts_.config.http;
  const bool loopback =
      http.listen.host == "localhost" || http.listen.host == "::1" || http.listen.host.starts_with("127.");
  api::Control& control = *this;
  api_ = std::make_unique<api::Api>(api::ApiSettings{http.token, http.token.empty() && loopback}, control,
                                    *store_, metrics_);
  api::HttpSettings settings;
  settings.host = http.listen.host;
  settings.port = http.listen.port;
  auto server = api::HttpServer::start(
      settings, parts_.clock, [this](const api::HttpRequest& request) { return api_->handle(request); });
  if (!server) return server.error();
  http_ = std::move(*server);
  parts_.logger.info("The HTTP port listens.", {{"address", http_address()}});
  return {};
}

Result<bool> Service::await(Side& side, const std::function<Result<void>()>& ask) {
  bool told = false;
  while (true) {
    const auto answer = ask();
    metrics_.reached(side.what, answer.ok());
    {
      const std::lock_guard lock(mutex_);
      side.reason = answer ? "" : answer.error().message;
    }
    if (answer) {
      if (told) parts_.logger.info(side.name + " is reached.");
      return true;
    }
    const Error& error = answer.error();
    if (error.kind != ErrorKind::kUnavailable && error.kind != ErrorKind::kRetry) return error;
    if (!told)
      parts_.logger.warning(side.name + " is not reached yet; asking again until it is.",
                            {{"code", error.code}, {"reason", error.message}});
    told = true;
    if (const auto signal = parts_.signals.wait(kAskAgain)) {
      stop(*signal);
      return false;
    }
  }
}

Result<void> Service::check_topics() {
  const bool create = parts_.config.topics.create;
  const auto topics = create ? parts_.config.topics_to_create() : parts_.config.needed_topics();
  const auto counts = bus_->partition_counts(topics, kKafkaPatience);
  if (!counts) return counts.error();
  std::vector<std::string> missing;
  for (const std::string& topic : topics)
    if (!counts->contains(topic)) missing.push_back(topic);
  if (missing.empty()) return {};
  std::string names;
  for (const std::string& topic : missing) names += (names.empty() ? "" : ", ") + topic;
  if (!create)
    return Error{ErrorKind::kRefused, "SKALD-960",
                 "Kafka has no topic " + names + ": create " + (missing.size() == 1 ? "it" : "them") +
                     ", or set topics.create: true"};
  auto created = bus_->create_topics(missing, parts_.config.topics.partitions);
  if (created)
    parts_.logger.info("Created topics that did not exist.",
                       {{"topics", names}, {"partitions", parts_.config.topics.partitions}});
  return created;
}

/// The shortest time any step may take; long enough that only sagas that last are woken for nothing, and once.
static std::optional<std::chrono::milliseconds> first_wake_up(const Config& config) {
  std::optional<std::chrono::milliseconds> shortest;
  const auto consider = [&shortest](const std::optional<std::chrono::milliseconds>& timeout) {
    if (timeout && (!shortest || *timeout < *shortest)) shortest = std::max(*timeout, kShortestWakeUp);
  };
  for (const auto& [name, step] : config.steps) {
    consider(step.options.start_to_close);
    consider(step.options.schedule_to_close);
  }
  return shortest;
}

void Service::start_runtime() {
  const Config& config = parts_.config;
  engine::Environment environment;
  environment.name_space = config.name_space;
  environment.reply_topic = config.topics.replies;
  environment.lifecycle_topic = config.topics.lifecycle;
  environment.build = build_id();
  environment.steps = config.steps;
  environment.sagas = config.sagas;
  environment.random = &parts_.random;
  environment.first_wake_up = first_wake_up(config);
  runtime::Settings settings = config.runtime;
  settings.host = host_name();
  settings.assign_all_partitions = parts_.assign_all;
  settings.foreign_reply_wait =
      std::max(settings.reply_wait,
               std::chrono::milliseconds{kafka::session_timeout_ms(parts_.kafka)} + kRebalanceMargin);
  runtime_ = std::make_unique<runtime::Runtime>(
      runtime::Runtime::Parts{{*store_, *bus_, parts_.clock, parts_.random, parts_.logger, metrics_},
                              parts_.program.registry,
                              std::move(environment),
                              trigger_routes(config, parts_.program.registry),
                              settings});
  runtime_->start();
  running_ = runtime_.get();
}

Result<void> Service::run() {
  const Config& config = parts_.config;
  parts_.logger.info(
      "Starting.",
      {{"version", std::string(kVersion)}, {"build", build_id()}, {"namespace", config.name_space}});
  for (const std::string& note : config.values.notes) parts_.logger.warning(note);
  auto bus = kafka::open(parts_.kafka);
  if (!bus) return bus.error();
  bus_ = std::move(*bus);
  if (auto listening = listen(); !listening) return listening;

  const auto ask_postgres = [&] {
    postgres::Migrator migrator(config.postgres.conninfo(), config.postgres.schema);
    return migrator.check(postgres::Migrator::binary_version());
  };
  auto reached = await(postgres_, ask_postgres);
  if (!reached) return reached.error();
  if (!*reached) return {};
  const auto ask_kafka = [&]() -> Result<void> {
    if (auto reached = kafka::check_reachable(parts_.kafka, kKafkaPatience); !reached) return reached;
    return check_topics();
  };
  reached = await(kafka_, ask_kafka);
  if (!reached) return reached.error();
  if (!*reached) return {};
  start_runtime();
  work_until_signal();
  return {};
}

void Service::work_until_signal() {
  bool ready = false;
  auto attend_at = parts_.clock.monotonic();
  while (true) {
    if (const auto signal = parts_.signals.wait(ready ? kAttendInterval : kStartingInterval))
      return stop(*signal);
    const auto health = runtime_->health();
    if (!ready && health.store && health.bus && health.assigned) {
      ready = true;
      parts_.logger.info("Ready.");
      if (parts_.ready) parts_.ready();
    }
    if (!parts_.attend || parts_.clock.monotonic() < attend_at) continue;
    attend_at = parts_.clock.monotonic() + kAttendInterval;
    parts_.attend();
  }
}

void Service::stop(int signal) {
  parts_.signals.release();
  if (!runtime_) return;
  parts_.logger.info("Stopping: finishing what is under way.",
                     {{"signal", signal}, {"grace", format_duration(parts_.config.runtime.shutdown_grace)}});
  const bool clean = runtime_->drain();
  if (clean)
    parts_.logger.info("Stopped.");
  else
    parts_.logger.warning(
        "Stopped before all was finished; other processes, or the next start, go on with it.");
  // Destroying the runtime would wait for a local step that does not heed its stop token, while others take it for
  // dead and run it again. `dev` has a database to end.
  if (!clean && runtime_->running_steps() > 0 && !parts_.attend) std::_Exit(kExitOk);
  http_.reset();
}

// --- what the HTTP port asks ---

api::Control::Health Service::health() {
  const runtime::Runtime* runtime = running_;
  if (runtime == nullptr) return {};
  const auto health = runtime->health();
  return {health.alive, health.alive ? "" : health.not_alive + " makes no progress"};
}

api::Control::Readiness Service::readiness() {
  Readiness readiness;
  {
    const std::lock_guard lock(mutex_);
    readiness.store_reason = postgres_.reason;
    readiness.bus_reason = kafka_.reason;
  }
  const runtime::Runtime* runtime = running_;
  if (runtime == nullptr) {
    readiness.store = readiness.store_reason.empty();
    readiness.bus = false;
    if (readiness.bus_reason.empty()) readiness.bus_reason = "starting";
    return readiness;
  }
  const auto health = runtime->health();
  readiness.store = health.store;
  readiness.bus = health.bus && health.assigned && !health.draining;
  if (!health.store) readiness.store_reason = "PostgreSQL is not reached";
  if (!readiness.bus)
    readiness.bus_reason = health.draining ? "stopping"
                           : health.bus    ? "no partitions yet"
                                           : "Kafka is not reached";
  return readiness;
}

Result<api::Control::Started> Service::start(const SagaAddress& address, const std::string& input,
                                             const std::string& origin) {
  runtime::Runtime* runtime = running_;
  if (runtime == nullptr) return Error{ErrorKind::kUnavailable, "SKALD-957", "starting; try again"};
  auto answer = runtime->start_saga(address.definition, address.saga_id, input, {}, origin, kAnswerPatience);
  if (!answer) return answer.error();
  using Kind = runtime::StartAnswer::Kind;
  if (answer->kind == Kind::kConflict) return Error{ErrorKind::kRefused, "SKALD-406", answer->reason};
  return Started{answer->kind == Kind::kDuplicate};
}

Result<void> Service::act(const SagaAddress& address, const engine::OperatorAction& action) {
  runtime::Runtime* runtime = running_;
  if (runtime == nullptr) return Error{ErrorKind::kUnavailable, "SKALD-957", "starting; try again"};
  auto answer = runtime->act(address, action, kAnswerPatience);
  if (!answer) return answer.error();
  using Kind = runtime::ActionAnswer::Kind;
  if (answer->kind == Kind::kRefused) return Error{ErrorKind::kRefused, "SKALD-922", answer->reason};
  if (answer->kind == Kind::kAccepted)
    return Error{ErrorKind::kUnknown, "SKALD-923", "the action is stored and will be applied in its turn"};
  return {};
}

Result<std::string> Service::cluster_id() {
  const runtime::Runtime* runtime = running_;
  std::string id = runtime == nullptr ? "" : runtime->cluster_id();
  if (id.empty()) return Error{ErrorKind::kUnavailable, "SKALD-957", "Kafka was not reached yet"};
  return id;
}

}  // namespace skald::app
