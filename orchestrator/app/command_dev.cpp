// dev: the everyday loop of a saga author. A broker in this process, a private PostgreSQL, all topics, the schema, and
// the same Service as in production, in under three seconds.
#include <cstdio>
#include <fstream>

#include "app/commands.hpp"
#include "app/log.hpp"
#include "app/private_postgres.hpp"
#include "app/service.hpp"
#include "kafka/dev_broker.hpp"
#include "postgres/migrator.hpp"

namespace skald::app {
namespace {

constexpr int kPartitions = 4;

std::string megabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", static_cast<double>(bytes) / (1 << 20));
  return text;
}

std::string banner(const Program& program, const Config& config, const std::string& http,
                   const std::string& kept) {
  const std::string topic = config.triggers.empty() ? "" : config.triggers.front().topic;
  std::string text = "\n" + program.name + " dev is ready\n\n";
  text += "  Kafka       " + config.kafka.bootstrap_servers + "\n";
  text += "  PostgreSQL  " + config.postgres.uri + "\n";
  text += "  HTTP        http://" + http + "\n\n";
  for (const TriggerConfig& trigger : config.triggers)
    text += "  topic " + trigger.topic + " starts " + trigger.saga + " (trigger " + trigger.name + ")\n";
  if (!topic.empty())
    text += "\n  echo '{\"id\":\"o-1\", …}' | kcat -b " + config.kafka.bootstrap_servers + " -P -t " + topic +
            "\n";
  text += "  kcat -b " + config.kafka.bootstrap_servers + " -C -t " + config.topics.replies + "\n\n";
  text += "The broker is in this process and forgets everything at exit; it keeps about 5 MB a partition.\n";
  text += kept.empty() ? "The database goes at exit as well; --data DIR keeps it.\n"
                       : "The database stays in " + kept + " (without fsync: a power cut may lose it).\n";
  return text + "Ctrl-C ends it.\n\n";
}

/// Addresses as environment variables that every other subcommand, and a shell, takes.
Result<void> write_addresses(const std::string& file, const Config& config, const std::string& http) {
  std::ofstream out(file, std::ios::trunc);
  out << "SKALD_KAFKA_BOOTSTRAP_SERVERS=" << config.kafka.bootstrap_servers << "\n"
      << "SKALD_POSTGRES_URI=" << config.postgres.uri << "\n"
      << "SKALD_HTTP_LISTEN=" << http << "\n";
  out.close();
  if (!out) return Error{ErrorKind::kInvalid, kCodeUsage, "--address-file " + file + " cannot be written"};
  return {};
}

void warn_of_full_partitions(kafka::DevBroker& broker, Logger& logger) {
  for (const auto& usage : broker.nearly_full())
    logger.warning(
        usage.forgotten > 0
            ? "The broker forgot the oldest records of a partition: it keeps 5 MB of each."
            : "A partition is nearly full: the broker keeps 5 MB of each and then forgets the oldest.",
        {{"topic", usage.partition.topic},
         {"partition", usage.partition.partition},
         {"megabytes", megabytes(usage.bytes)},
         {"forgotten", usage.forgotten}});
}

}  // namespace

int run_dev(const Program& program, const DevOptions& options) {
  auto config = program.config({.wiring = true, .made_up_topics = true});
  if (!config) return program.fail(config.error());
  if (config->values.find("log.format") == nullptr) config->log_json = false;
  if (config->values.find("log.level") == nullptr) config->log_level = LogLevel::kWarning;

  Signals signals;
  SystemClock clock;
  SystemRandom random;
  auto postgres = PrivatePostgres::start(options.data, signals, clock);
  if (!postgres) return program.fail(postgres.error());
  const auto logger = make_logger(config->log_level, config->log_json, clock);
  auto broker = kafka::DevBroker::start();
  if (!broker) return program.fail(broker.error());
  config->kafka.bootstrap_servers = (*broker)->bootstrap_servers();
  config->kafka.properties.clear();
  config->postgres.uri = (*postgres)->uri();
  config->postgres.password.clear();
  if (auto made = (*broker)->create_topics(config->all_topics(true), kPartitions); !made)
    return program.fail(made.error());
  const auto migrated = postgres::Migrator(config->postgres.uri, config->postgres.schema).migrate();
  if (!migrated) return program.fail(migrated.error());

  kafka::Options kafka = (*broker)->options();
  kafka.log = kafka_options(*config, *logger).log;
  Service* running = nullptr;
  Service service(
      {program, *config, std::move(kafka), *logger, clock, random, signals, true,
       [&] {
         if (auto written = write_addresses(options.address_file, *config, running->http_address()); !written)
           program.complain(written.error());
         print(banner(program, *config, running->http_address(),
                      options.data.empty() ? "" : (*postgres)->folder()));
       },
       [&] { warn_of_full_partitions(**broker, *logger); }});
  running = &service;
  const int code = service.run();
  std::remove(options.address_file.c_str());
  return code;
}

}  // namespace skald::app
