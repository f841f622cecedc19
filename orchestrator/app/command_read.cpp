// list, show and positions: straight from the database, so that they answer when no orchestrator runs.
#include <algorithm>
#include <cstdio>

#include "api/saga_view.hpp"
#include "app/commands.hpp"
#include "app/log.hpp"
#include "app/service.hpp"
#include "app/timeline.hpp"
#include "kafka/kafka_bus.hpp"
#include "postgres/postgres_store.hpp"
#include "wire/command_id.hpp"

namespace skald::app {
namespace {

constexpr std::chrono::milliseconds kClusterPatience{10'000};

Result<std::unique_ptr<Session>> open_session(const Config& config) {
  postgres::StoreOptions options;
  options.uri = config.postgres.conninfo();
  options.schema = config.postgres.schema;
  options.namespace_name = config.name_space;
  return postgres::PostgresStore(options).open();
}

Error usage(const std::string& message) { return {ErrorKind::kInvalid, kCodeUsage, message}; }

/// A session and the cluster whose positions are meant.
struct Positions {
  std::unique_ptr<Session> session;
  std::string cluster;
};

Result<Positions> open_positions(const Config& config, Logger& logger) {
  auto bus = kafka::open(kafka_options(config, logger));
  if (!bus) return bus.error();
  auto cluster = (*bus)->cluster_id(kClusterPatience);
  if (!cluster) return cluster.error();
  auto session = open_session(config);
  if (!session) return session.error();
  return Positions{std::move(*session), std::move(*cluster)};
}

}  // namespace

int run_list(const Program& program, const ListOptions& options) {
  const auto config = program.config({.database = true});
  if (!config) return program.fail(config.error());
  ListFilter filter;
  filter.definition = options.definition;
  filter.maximum = options.limit;
  filter.open_only = options.status == "open";
  if (!options.status.empty() && !filter.open_only) {
    filter.status = api::parse_status(options.status);
    if (!filter.status)
      return program.fail(
          usage("--status takes open, running, rolling_back, stuck, completed, compensated, cancelled or "
                "terminated"));
  }
  auto session = open_session(*config);
  if (!session) return program.fail(session.error());
  const auto rows = (*session)->list(filter);
  if (!rows) return program.fail(rows.error());
  if (options.json) {
    for (const SagaRow& row : *rows) {
      json::Writer writer;
      writer.begin_object();
      api::write_saga(writer, row);
      writer.end_object();
      print(writer.take() + "\n");
    }
    return kExitOk;
  }
  if (rows->empty()) {
    print("no sagas\n");
    return kExitOk;
  }
  const auto now = (*session)->now();
  if (!now) return program.fail(now.error());
  print(saga_table(*rows, *now));
  if (rows->size() == options.limit)
    print("(the newest " + std::to_string(options.limit) + "; --limit shows more)\n");
  return kExitOk;
}

int run_show(const Program& program, const ShowOptions& options) {
  const auto config = program.config({.database = true});
  if (!config) return program.fail(config.error());
  std::vector<SagaAddress> addresses;
  if (!options.definition.empty()) {
    addresses.push_back({options.definition, options.id});
  } else {
    for (const SagaDefinition& saga : program.registry.sagas())
      if (SagaAddress address{std::string(saga.name), options.id};
          std::find(addresses.begin(), addresses.end(), address) == addresses.end())
        addresses.push_back(std::move(address));
  }
  auto session = open_session(*config);
  if (!session) return program.fail(session.error());
  const auto sagas = (*session)->load(addresses);
  if (!sagas) return program.fail(sagas.error());
  if (sagas->empty()) {
    program.complain(
        {ErrorKind::kInvalid, "SKALD-953", "there is no saga with id " + printable(options.id, 255)});
    return kExitNo;
  }
  if (sagas->size() > 1)
    return program.fail(usage("several definitions have a saga of this id; name one with --saga"));
  print(options.json ? api::saga_json(sagas->front()) + "\n" : timeline(sagas->front()));
  return kExitOk;
}

int run_positions_show(const Program& program, const PositionsOptions& options) {
  const auto config = program.config({.database = true, .kafka = true});
  if (!config) return program.fail(config.error());
  NullLogger logger;
  auto opened = open_positions(*config, logger);
  if (!opened) return program.fail(opened.error());
  const auto positions = opened->session->positions(opened->cluster);
  if (!positions) return program.fail(positions.error());
  std::string text = options.json ? "" : "cluster " + opened->cluster + "\n";
  for (const Position& position : *positions) {
    char line[512];
    const char* format =
        options.json ? "{\"topic\":\"%s\",\"partition\":%d,\"next_offset\":%lld,\"last_offset\":%lld}\n"
                     : "%-40s %4d   next %10lld   last applied %10lld\n";
    std::snprintf(line, sizeof line, format, position.partition.topic.c_str(), position.partition.partition,
                  static_cast<long long>(position.next_offset), static_cast<long long>(position.last_offset));
    text += line;
  }
  if (positions->empty() && !options.json) text += "no positions recorded for this cluster yet\n";
  print(text);
  return kExitOk;
}

int run_positions_accept(const Program& program, const PositionsOptions& options) {
  const auto config = program.config({.database = true, .kafka = true});
  if (!config) return program.fail(config.error());
  NullLogger logger;
  auto opened = open_positions(*config, logger);
  if (!opened) return program.fail(opened.error());
  Position position;
  position.partition = {options.topic, options.partition};
  position.next_offset = options.offset;  // nothing applied before it: no mark to compare with
  const auto done = opened->session->accept_position(opened->cluster, position, options.who, options.why);
  if (!done) return program.fail(done.error());
  print("recorded: " + options.topic + "[" + std::to_string(options.partition) + "] goes on at offset " +
        std::to_string(options.offset) + "; a running orchestrator takes it up within seconds\n");
  return kExitOk;
}

}  // namespace skald::app
