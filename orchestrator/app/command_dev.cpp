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
#include "skald/json.hpp"

namespace skald::app {
namespace {

constexpr int kPartitions = 4;

std::string megabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", static_cast<double>(bytes) / (1 << 20));
  return text;
}

/// A value that fits this JSON Schema, as an example to start from.
void write_sample(json::Writer& writer, const json::Value& schema, const std::string& name, int depth = 0) {
  const auto type = schema.find("type");
  const std::string_view kind = type ? type->as_string() : "";
  const auto choices = schema.find("enum");
  if (choices && choices->size() > 0) {
    writer.raw(choices->element(0).text());
  } else if (kind == "object" && depth < 8) {
    writer.begin_object();
    const auto members = schema.find("properties").value_or(json::Value());
    for (std::size_t index = 0; index < members.size(); ++index) {
      writer.key(members.member_name(index));
      write_sample(writer, members.member_value(index), std::string(members.member_name(index)), depth + 1);
    }
    writer.end_object();
  } else if (kind == "array") {
    writer.begin_array();
    writer.end_array();
  } else if (kind == "integer" || kind == "number") {
    writer.integer(100);
  } else if (kind == "boolean") {
    writer.boolean(true);
  } else {
    writer.string(name == "id" ? "o-1" : "a-" + name);
  }
}

std::string sample_input(const SagaDefinition* saga) {
  json::Writer writer;
  const auto schema = json::Document::parse(saga == nullptr ? "{}" : saga->input_schema());
  write_sample(writer, schema ? schema->root() : json::Value(), "input");
  return writer.take();
}

std::string banner(const Program& program, const Config& config, const std::string& http,
                   const std::string& kept) {
  std::string text = "\n" + program.name + " dev is ready\n\n";
  text += "  Kafka       " + config.kafka.bootstrap_servers + "\n";
  text += "  PostgreSQL  " + config.databases.front().postgres.uri + "\n";
  text += "  HTTP        http://" + http + "\n\n";
  for (const TriggerConfig& trigger : config.triggers) {
    const std::string sample = sample_input(program.registry.saga(trigger.saga));
    text += "Start " + trigger.saga + " and watch its commands:\n";
    text += "  echo '" + sample + "' | kcat -b " + config.kafka.bootstrap_servers + " -P -t " +
            trigger.topic + "\n";
  }
  std::string topics;
  for (const auto& [name, step] : config.steps)
    if (!step.topic.empty() && topics.find(step.topic) == std::string::npos) topics += " " + step.topic;
  if (!topics.empty())
    text +=
        "  kcat -b " + config.kafka.bootstrap_servers + " -G watch -f '%t %k %h\\n  %s\\n'" + topics + "\n";
  text +=
      "\nThe broker is in this process and forgets everything at exit; it keeps about 5 MB a partition.\n";
  text += kept.empty() ? "The database goes at exit as well; --data DIR keeps it.\n"
                       : "The database stays in " + kept + " (without fsync: a power cut may lose it).\n";
  return text + "Ctrl-C ends it.\n\n";
}

/// Addresses as environment variables that every other subcommand, and a shell, takes.
Result<void> write_addresses(const std::string& file, const Config& config, const std::string& http) {
  std::ofstream out(file, std::ios::trunc);
  out << "SKALD_KAFKA_BOOTSTRAP_SERVERS=" << config.kafka.bootstrap_servers << "\n"
      << "SKALD_POSTGRES_URI=" << config.databases.front().postgres.uri << "\n"
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
  auto config = program.config({.wiring = true, .http = true, .made_up_topics = true});
  if (!config) return program.fail(config.error());
  if (config->values.find("log.format") == nullptr) config->log_json = false;
  if (config->values.find("log.level") == nullptr) config->log_level = LogLevel::kWarning;

  Signals signals;
  SystemClock clock;
  SystemRandom random;
  std::fprintf(stderr, "%s dev: starting a broker and a database of its own\n", program.name.c_str());
  auto postgres = PrivatePostgres::start(options.data, signals, clock);
  if (!postgres) return program.fail(postgres.error());
  const auto logger = make_logger(config->log_level, config->log_json, clock);
  auto broker = kafka::DevBroker::start();
  if (!broker) return program.fail(broker.error());
  config->kafka.bootstrap_servers = (*broker)->bootstrap_servers();
  config->kafka.properties.clear();
  DatabaseConfig own;  // one of its own, whatever is configured
  own.postgres = {(*postgres)->uri(), "", config->databases.front().postgres.schema};
  own.replies = config->topics.replies;
  own.group = config->kafka.group;
  config->databases = {own};
  if (auto made = (*broker)->create_topics(config->topics_to_create(), kPartitions); !made)
    return program.fail(made.error());
  const auto migrated = postgres::Migrator(own.postgres.uri, own.postgres.schema).migrate();
  if (!migrated) return program.fail(migrated.error());

  kafka::Options kafka = (*broker)->options();
  kafka.log = [log = kafka_options(*config, *logger).log](int severity, const std::string& line) {
    // The mock cluster is older than a setting we make for real ones.
    if (line.find("allow.auto.create.topics") == std::string::npos) log(severity, line);
  };
  Service* running = nullptr;
  Service service(
      {program,
       *config,
       std::move(kafka),
       *logger,
       clock,
       random,
       signals,
       {},
       true,
       [&] {
         if (auto written = write_addresses(options.address_file, *config, running->http_address()); !written)
           program.complain(written.error());
         print(banner(program, *config, running->http_address(),
                      options.data.empty() ? "" : (*postgres)->folder()));
       },
       [&] { warn_of_full_partitions(**broker, *logger); }});
  running = &service;
  const auto ended = service.run();
  std::remove(options.address_file.c_str());
  return ended ? kExitOk : program.fail(ended.error());
}

}  // namespace skald::app
