// Putting a cell together; see cell.hpp.
#include "app/cell.hpp"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "app/environment.hpp"
#include "app/open_database.hpp"
#include "app/signals.hpp"
#include "app/triggers.hpp"
#include "app/version.hpp"
#include "postgres/migrator.hpp"
#include "wire/checksum.hpp"

namespace skald::app {
namespace {

constexpr std::chrono::milliseconds kRebalanceMargin{10'000};

postgres::StoreOptions store_options(const Cell::Parts& parts) {
  postgres::StoreOptions options = store_of(parts.config, parts.database);
  options.slots = parts.database.slots;
  // A process that stops in mid-transaction blocks those that take its partitions over no longer than this.
  const std::chrono::milliseconds half_session = parts.session_timeout / 2;
  options.lock_timeout = std::min(options.lock_timeout, half_session);
  options.idle_in_transaction_timeout = std::min(options.idle_in_transaction_timeout, half_session);
  return options;
}

/// Of every value that check-config prints, secrets hidden, but where the process listens: that is its own.
std::string checksum_of(const Config& config) {
  std::istringstream lines(describe(config));
  std::uint32_t checksum = 0;
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("http.listen:"))
      checksum = wire::crc32c(line.substr(0, line.rfind("  # ")), checksum);
  char text[9];
  std::snprintf(text, sizeof text, "%08x", checksum);
  return text;
}

/// Says in every line which database it is about.
class NamedLogger final : public Logger {
 public:
  NamedLogger(Logger& logger, const std::string& database)
      : logger_(logger), database_("database", database) {}
  void write(LogLevel level, std::string_view sentence, std::span<const LogField> fields) override {
    std::vector<LogField> all(fields.begin(), fields.end());
    all.push_back(database_);
    logger_.write(level, sentence, all);
  }

 private:
  Logger& logger_;
  const LogField database_;
};

runtime::Territory territory(const Config& config, const DatabaseConfig& own) {
  runtime::Territory territory{own.slots, {}};
  for (const DatabaseConfig& one : config.databases)
    if (one.name != own.name) territory.neighbours.push_back({one.slots, one.replies});
  return territory;
}

}  // namespace

Cell::Cell(const Parts& parts)
    : parts_(parts),
      named_logger_(parts.database.name.empty()
                        ? nullptr
                        : std::make_unique<NamedLogger>(parts.logger, parts.database.name)),
      metrics_({kVersion, build_id()}, parts.database.name,
               {parts.config.name_space, checksum_of(parts.config)}),
      store_(store_options(parts)) {
  for (const auto& [definition, objective] : parts.config.objectives)
    metrics_.definition(definition, objective);
  for (const auto& [step, settings] : parts.config.steps)
    if (parts.program.registry.executor(step) != nullptr) metrics_.local_step(step);
  metrics_.connections([this] { return store_.connections(); });
}

Cell::~Cell() = default;

Result<void> Cell::check_database() {
  const PostgresConfig& postgres = parts_.database.postgres;
  postgres::Migrator migrator(postgres.conninfo(), postgres.schema);
  auto checked = migrator.check(postgres::Migrator::binary_version());
  if (checked) checked = store_.claim_slots();
  if (checked) return checked;
  return of_database(parts_.database, checked.error());
}

void Cell::set_reason(std::string reason) {
  const std::lock_guard lock(mutex_);
  reason_ = std::move(reason);
}

std::string Cell::reason() const {
  const std::lock_guard lock(mutex_);
  return reason_;
}

void Cell::start(Bus& bus) {
  const Config& config = parts_.config;
  engine::Environment environment = environment_of(config, parts_.database, parts_.random);
  runtime::Settings settings = config.runtime;
  settings.host = host_name();
  settings.consumer_group = parts_.database.group;
  settings.assign_all_partitions = parts_.assign_all;
  settings.foreign_reply_wait = std::max(settings.reply_wait, parts_.session_timeout + kRebalanceMargin);
  settings.cache_bytes /= static_cast<std::size_t>(parts_.cells);
  Logger& logger = named_logger_ ? *named_logger_ : parts_.logger;
  runtime_ = std::make_unique<runtime::Runtime>(
      runtime::Runtime::Parts{{store_, bus, parts_.clock, parts_.random, logger, metrics_},
                              parts_.program.registry,
                              std::move(environment),
                              trigger_routes(config, parts_.program.registry),
                              settings,
                              nullptr,
                              territory(config, parts_.database),
                              signal_routes(config),
                              config.topics.children});
  runtime_->start();
  running_ = runtime_.get();
}

}  // namespace skald::app
