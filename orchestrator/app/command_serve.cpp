// serve, migrate and check-config.
#include "app/commands.hpp"
#include "app/log.hpp"
#include "app/memory_bound.hpp"
#include "app/service.hpp"
#include "postgres/migrator.hpp"

namespace skald::app {

int run_serve(const Program& program, const ServeOptions& options) {
  const auto config = program.config({.database = true, .kafka = true, .wiring = true, .http = true});
  if (!config) return program.fail(config.error());
  Signals signals;
  SystemClock clock;
  SystemRandom random;
  const auto ended = [&] {
    const auto logger = make_logger(config->log_level, config->log_json, clock);
    return Service({program, *config, kafka_options(*config, *logger), *logger, clock, random, signals,
                    options.databases})
        .run();
  }();  // the log is written before the last word
  return ended ? kExitOk : program.fail(ended.error());
}

int run_migrate(const Program& program) {
  const auto config = program.config({.database = true});
  if (!config) return program.fail(config.error());
  for (const DatabaseConfig& one : config->databases) {
    auto report = postgres::Migrator(one.postgres.conninfo(), one.postgres.schema).migrate();
    const std::string schema = one.called() + " schema " + one.postgres.schema;
    if (!report) {
      Error error = report.error();
      if (!one.name.empty()) error.message = one.called() + ": " + error.message;
      return program.fail(error);
    }
    if (report->applied.empty()) {
      print(schema + " is at V" + std::to_string(report->to) + " already\n");
      continue;
    }
    std::string line = schema + ": applied";
    for (const int version : report->applied) line.append(" V").append(std::to_string(version));
    print(line.append("\n"));
  }
  return kExitOk;
}

int run_check_config(const Program& program, const CheckOptions& options) {
  if (options.reference) {
    print(configuration_reference());
    return kExitOk;
  }
  const auto config = program.config({.database = true, .kafka = true, .wiring = true, .http = true});
  if (!config) return program.fail(config.error());
  print(describe(*config));
  for (const std::string& note : config->values.notes) print("# " + note + "\n");
  kafka::Options kafka;
  kafka.properties = config->kafka.properties;
  print("# memory bound: " + describe(memory_bound(config->runtime, kafka, config->databases.size())) + "\n");
  return kExitOk;
}

}  // namespace skald::app
