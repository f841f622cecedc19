// The composition root's order of things; see service.hpp.
#include "app/service.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <future>

#include "app/memory_bound.hpp"
#include "app/topic_plan.hpp"
#include "app/version.hpp"
#include "kafka/kafka_bus.hpp"

namespace skald::app {
namespace {

constexpr std::chrono::milliseconds kAskAgain{1'000};
constexpr std::chrono::milliseconds kKafkaPatience{5'000};
constexpr std::chrono::milliseconds kAttendInterval{5'000};
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
  options.instance_id = config.kafka.instance_id;
  options.log = [&logger](int severity, const std::string& line) {
    const LogField fields[] = {{"librdkafka", line}};
    logger.write(level_of(severity), "The Kafka client says something.", fields);
  };
  return options;
}

Service::Service(Parts parts) : parts_(std::move(parts)) {}

Service::~Service() = default;

std::string Service::http_address() const {
  const std::string& host = parts_.config.http.listen.host;
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
         std::to_string(http_->port());
}

Result<void> Service::make_cells() {
  const auto& all = parts_.config.databases;
  std::vector<const DatabaseConfig*> served;
  for (const DatabaseConfig& one : all) {
    const auto& names = parts_.databases;
    if (names.empty() || std::find(names.begin(), names.end(), one.name) != names.end())
      served.push_back(&one);
  }
  for (const std::string& name : parts_.databases)
    if (std::none_of(all.begin(), all.end(), [&name](const auto& one) { return one.name == name; }))
      return Error{ErrorKind::kInvalid, kCodeUsage,
                   "--database " + name + ": the configuration has no such database"};
  const std::chrono::milliseconds session_timeout{kafka::session_timeout_ms(parts_.kafka)};
  for (const DatabaseConfig* one : served)
    cells_.push_back(std::make_unique<Cell>(Cell::Parts{parts_.program, parts_.config, *one, parts_.logger,
                                                        parts_.clock, parts_.random, session_timeout,
                                                        static_cast<int>(served.size()), parts_.assign_all}));
  const std::size_t bound = memory_bound(parts_.config.runtime, parts_.kafka, cells_.size()).total();
  for (const auto& cell : cells_) cell->metrics().memory_bound(bound);
  return {};
}

Result<void> Service::listen() {
  const HttpConfig& http = parts_.config.http;
  const bool loopback =
      http.listen.host == "localhost" || http.listen.host == "::1" || http.listen.host.starts_with("127.");
  api::Control& control = *this;
  std::vector<api::Api::Database> databases;
  databases.reserve(cells_.size());
  for (const auto& cell : cells_)
    databases.push_back({cell->database().name, cell->database().slots, &cell->store(), &cell->metrics()});
  api_ = std::make_unique<api::Api>(
      api::ApiSettings{parts_.config.name_space, http.token, http.token.empty() && loopback}, control,
      std::move(databases));
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

Result<bool> Service::await(const std::string& what, const std::function<Result<void>()>& ask,
                            const std::function<void(const Result<void>&)>& tell) {
  bool told = false;
  while (true) {
    const auto answer = ask();
    tell(answer);
    if (answer) {
      if (told) parts_.logger.info(what + " is reached.");
      return true;
    }
    const Error& error = answer.error();
    if (error.kind != ErrorKind::kUnavailable && error.kind != ErrorKind::kRetry) return error;
    if (!told)
      parts_.logger.warning(what + " is not reached yet; asking again until it is.",
                            {{"code", error.code}, {"reason", error.message}});
    told = true;
    if (const auto signal = parts_.signals.wait(kAskAgain)) {
      stop(*signal);
      return false;
    }
  }
}

Result<bool> Service::await_both() {
  for (const auto& cell : cells_) {
    std::string what = cell->database().called();
    what.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(what.front())));
    auto reached = await(
        what, [&cell] { return cell->check_database(); },
        [&cell](const Result<void>& answer) {
          cell->metrics().reached("store", answer.ok());
          cell->set_reason(answer ? "" : answer.error().message);
        });
    if (!reached || !*reached) return reached;
  }
  const auto ask = [this]() -> Result<void> {
    if (auto reached = kafka::check_reachable(parts_.kafka, kKafkaPatience); !reached) return reached;
    return check_topics();
  };
  return await("Kafka", ask, [this](const Result<void>& answer) {
    for (const auto& cell : cells_) cell->metrics().reached("bus", answer.ok());
    const std::lock_guard lock(mutex_);
    kafka_reason_ = answer ? "" : answer.error().message;
  });
}

Result<void> Service::check_topics() {
  const bool create = parts_.config.topics.create;
  const auto topics = create ? parts_.config.topics_to_create() : parts_.config.needed_topics();
  const auto counts = bus_->partition_counts(topics, kKafkaPatience);
  if (!counts) return counts.error();
  auto there = app::check_topics(topics, *counts);
  if (there || !create || there.error().code != "SKALD-960") return there;
  const auto cluster = kafka::describe_topics(parts_.kafka, topics, kKafkaPatience);
  if (!cluster) return cluster.error();
  std::vector<kafka::NewTopic> wanted;
  std::string names;
  for (const PlannedTopic& topic : plan_topics(parts_.config, *cluster)) {
    if (topic.now) continue;
    names += (names.empty() ? "" : ", ") + topic.wanted.name;
    wanted.push_back(topic.wanted);
  }
  auto created = kafka::create_topics(parts_.kafka, wanted);
  if (created) parts_.logger.info("Created topics that did not exist.", {{"topics", names}});
  return created;
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
  if (auto made = make_cells(); !made) return made;
  if (auto listening = listen(); !listening) return listening;
  const auto reached = await_both();
  if (!reached) return reached.error();
  if (!*reached) return {};
  for (const auto& cell : cells_) cell->start(*bus_);
  work_until_signal();
  return {};
}

bool Service::all_ready() const {
  return std::all_of(cells_.begin(), cells_.end(), [](const auto& cell) {
    const auto health = cell->runtime()->health();
    return health.store && health.bus && health.assigned;
  });
}

void Service::work_until_signal() {
  bool ready = false;
  auto attend_at = parts_.clock.monotonic();
  while (true) {
    if (const auto signal = parts_.signals.wait(ready ? kAttendInterval : kStartingInterval))
      return stop(*signal);
    if (!ready && all_ready()) {
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
  if (cells_.empty() || cells_.back()->runtime() == nullptr) return;
  parts_.logger.info("Stopping: finishing what is under way.",
                     {{"signal", signal}, {"grace", format_duration(parts_.config.runtime.shutdown_grace)}});
  // All at once: each has the whole grace.
  std::vector<std::future<bool>> drained;
  drained.reserve(cells_.size());
  for (const auto& cell : cells_)
    drained.push_back(std::async(std::launch::async, [&cell] { return cell->runtime()->drain(); }));
  bool clean = true;
  std::size_t running_steps = 0;
  for (std::size_t index = 0; index < cells_.size(); ++index) {
    clean = drained[index].get() && clean;
    running_steps += cells_[index]->runtime()->running_steps();
  }
  if (clean)
    parts_.logger.info("Stopped.");
  else
    parts_.logger.warning(
        "Stopped before all was finished; other processes, or the next start, go on with it.");
  // Destroying the runtime would wait for a local step that does not heed its stop token, while others take it for
  // dead and run it again. `dev` has a database to end.
  if (!clean && running_steps > 0 && !parts_.attend) std::_Exit(kExitOk);
  http_.reset();
}

// --- what the HTTP port asks ---

api::Control::Health Service::health() {
  for (const auto& cell : cells_) {
    const runtime::Runtime* runtime = cell->runtime();
    if (runtime == nullptr) continue;
    const auto health = runtime->health();
    const std::string where = cells_.size() > 1 ? " of " + cell->database().called() : "";
    if (!health.alive) return {false, health.not_alive + where + " makes no progress"};
  }
  return {};
}

namespace {

/// Of one cell; `kafka_reason` as far as it is known without the cell.
api::Control::Readiness readiness_of(const Cell& cell, const std::string& kafka_reason) {
  const std::string reason = cell.reason();
  const runtime::Runtime* runtime = cell.runtime();
  if (runtime == nullptr)
    return {reason.empty(), false, reason, kafka_reason.empty() ? "starting" : kafka_reason};
  const auto health = runtime->health();
  const bool bus = health.bus && health.assigned && !health.draining;
  std::string why = health.draining ? "stopping" : health.bus ? "no partitions yet" : "Kafka is not reached";
  std::string store = cell.database().called();
  return {health.store, bus, health.store ? "" : store + " is not reached", bus ? "" : std::move(why)};
}

}  // namespace

api::Control::Readiness Service::readiness() {
  std::string kafka_reason;
  {
    const std::lock_guard lock(mutex_);
    kafka_reason = kafka_reason_;
  }
  Readiness all{true, true, "", ""};
  for (const auto& cell : cells_) {
    Readiness one = readiness_of(*cell, kafka_reason);
    if (all.store && !one.store) all.store_reason = std::move(one.store_reason);
    if (all.bus && !one.bus) all.bus_reason = std::move(one.bus_reason);
    all.store = all.store && one.store;
    all.bus = all.bus && one.bus;
  }
  return all;
}

Result<runtime::Runtime*> Service::runtime_of(const SagaAddress& address) {
  const DatabaseConfig& database = parts_.config.database_of(address.saga_id);
  for (const auto& cell : cells_) {
    if (cell->database().name != database.name) continue;
    runtime::Runtime* runtime = cell->runtime();
    if (runtime == nullptr) return Error{ErrorKind::kUnavailable, "SKALD-957", "starting; try again"};
    return runtime;
  }
  return Error{ErrorKind::kRefused, "SKALD-416",
               "the saga belongs to database " + database.name + ", which this process does not serve"};
}

Result<api::Control::Started> Service::start(const SagaAddress& address, const std::string& input,
                                             const std::string& origin) {
  const auto runtime = runtime_of(address);
  if (!runtime) return runtime.error();
  auto answer =
      (*runtime)->start_saga(address.definition, address.saga_id, input, {}, origin, kAnswerPatience);
  if (!answer) return answer.error();
  using Kind = runtime::StartAnswer::Kind;
  if (answer->kind == Kind::kConflict) return Error{ErrorKind::kRefused, "SKALD-406", answer->reason};
  return Started{answer->kind == Kind::kDuplicate};
}

Result<api::Control::Sent> Service::send(const SagaAddress& address, const engine::Input& input) {
  const auto runtime = runtime_of(address);
  if (!runtime) return runtime.error();
  auto answer = (*runtime)->send(address, input, kAnswerPatience);
  if (!answer) return answer.error();
  using Kind = runtime::InputAnswer::Kind;
  if (answer->kind == Kind::kRefused) return Error{ErrorKind::kRefused, "SKALD-922", answer->reason};
  if (answer->kind == Kind::kAccepted)
    return Error{ErrorKind::kUnknown, "SKALD-923", "it is stored and will be applied in its turn"};
  return Sent{answer->kind == Kind::kDuplicate, std::move(answer->answer)};
}

Result<std::string> Service::query(const StoredSaga& saga, std::string_view name, std::string_view input) {
  const auto runtime = runtime_of(saga.row.address);
  if (!runtime) return runtime.error();
  return (*runtime)->query(saga, name, input);
}

Result<std::vector<engine::ResetStep>> Service::plan_reset(const StoredSaga& saga,
                                                           const engine::OperatorAction& action) {
  const auto runtime = runtime_of(saga.row.address);
  if (!runtime) return runtime.error();
  return (*runtime)->plan_reset(saga, action);
}

bool Service::knows(PauseKind kind, std::string_view name) {
  if (kind == PauseKind::step) return parts_.config.steps.contains(name);
  return parts_.program.registry.saga(name) != nullptr;
}

Result<void> Service::could_start(const std::string& definition, const std::string& input) {
  return parts_.program.could_start(definition, input);
}

Result<std::string> Service::cluster_id() {
  for (const auto& cell : cells_)
    if (const runtime::Runtime* runtime = cell->runtime())
      if (std::string id = runtime->cluster_id(); !id.empty()) return id;
  return Error{ErrorKind::kUnavailable, "SKALD-957", "Kafka was not reached yet"};
}

}  // namespace skald::app
