// list, show and positions: straight from the database, so that they answer when no orchestrator runs.
#include <algorithm>
#include <cstdio>

#include "api/saga_view.hpp"
#include "app/commands.hpp"
#include "app/log.hpp"
#include "app/open_database.hpp"
#include "app/service.hpp"
#include "app/timeline.hpp"
#include "kafka/kafka_bus.hpp"
#include "postgres/postgres_store.hpp"
#include "wire/command_id.hpp"

namespace skald::app {
namespace {

constexpr std::chrono::milliseconds kClusterPatience{10'000};

Error usage(const std::string& message) { return {ErrorKind::kInvalid, kCodeUsage, message}; }

/// The cluster whose positions are meant.
Result<std::string> cluster_of(const Config& config) {
  NullLogger logger;
  auto bus = kafka::open(kafka_options(config, logger));
  if (!bus) return bus.error();
  return (*bus)->cluster_id(kClusterPatience);
}

struct Listed {
  std::vector<SagaRow> rows;
  Time now{};
};

/// The newest or oldest sagas of all databases together; a key begins with the time.
Result<Listed> list_all(const Config& config, const ListFilter& filter) {
  Listed listed;
  for (const DatabaseConfig& one : config.databases) {
    auto session = open_session(config, one);
    if (!session) return session.error();
    auto rows = (*session)->list(filter);
    if (!rows) return rows.error();
    const auto now = (*session)->now();
    if (!now) return now.error();
    listed.now = std::max(listed.now, *now);
    listed.rows.insert(listed.rows.end(), std::make_move_iterator(rows->begin()),
                       std::make_move_iterator(rows->end()));
  }
  std::sort(listed.rows.begin(), listed.rows.end(), [&filter](const SagaRow& a, const SagaRow& b) {
    return filter.oldest_first ? a.key < b.key : a.key > b.key;
  });
  if (listed.rows.size() > filter.maximum) listed.rows.resize(filter.maximum);
  return listed;
}

std::string position_line(const Position& position) {
  char line[512];
  std::snprintf(line, sizeof line, "%-40s %4d   next %10lld   last applied %10lld\n",
                position.partition.topic.c_str(), position.partition.partition,
                static_cast<long long>(position.next_offset), static_cast<long long>(position.last_offset));
  return line;
}

std::string position_json(const std::string& database, const Position& position) {
  json::Writer writer;
  api::write_position(writer, database, position);
  return writer.take() + "\n";
}

}  // namespace

int run_list(const Program& program, const ListOptions& options) {
  const auto config = program.config({.database = true});
  if (!config) return program.fail(config.error());
  ListFilter filter;
  filter.definition = options.definition;
  filter.maximum = options.limit + 1;  // one more tells whether there are more
  filter.oldest_first = options.oldest;
  filter.open_only = options.status == "open";
  if (!options.status.empty() && !filter.open_only) {
    filter.status = api::parse_status(options.status);
    if (!filter.status)
      return program.fail(
          usage("--status takes open, running, rolling_back, stuck, completed, compensated, cancelled or "
                "terminated"));
  }
  auto listed = list_all(*config, filter);
  if (!listed) return program.fail(listed.error());
  std::vector<SagaRow>& rows = listed->rows;
  const bool more = rows.size() > options.limit;
  if (more) rows.pop_back();
  if (options.json) {
    for (const SagaRow& row : rows) {
      json::Writer writer;
      writer.begin_object();
      api::write_saga(writer, row);
      writer.end_object();
      print(writer.take() + "\n");
    }
    return kExitOk;
  }
  if (rows.empty()) {
    print("no sagas\n");
    return kExitOk;
  }
  print(saga_table(rows, listed->now));
  if (more)
    print("(the " + std::string(options.oldest ? "oldest " : "newest ") + std::to_string(options.limit) +
          "; --limit shows more)\n");
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
  auto session = open_session(*config, config->database_of(options.id));
  if (!session) return program.fail(session.error());
  const auto sagas = (*session)->load(addresses, Session::kNoLimit, Runs::kAll);
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
  const auto cluster = cluster_of(*config);
  if (!cluster) return program.fail(cluster.error());
  std::string text = options.json ? "" : "cluster " + *cluster + "\n";
  std::size_t shown = 0;
  for (const DatabaseConfig& one : config->databases) {
    auto session = open_session(*config, one);
    if (!session) return program.fail(session.error());
    const auto positions = (*session)->positions(*cluster);
    if (!positions) return program.fail(positions.error());
    shown += positions->size();
    if (!options.json && !one.name.empty()) text += one.called() + "\n";
    for (const Position& position : *positions)
      text += options.json ? position_json(one.name, position) : position_line(position);
  }
  if (shown == 0 && !options.json) text += "no positions recorded for this cluster yet\n";
  print(text);
  return kExitOk;
}

int run_positions_accept(const Program& program, const PositionsOptions& options) {
  const auto config = program.config({.database = true, .kafka = true});
  if (!config) return program.fail(config.error());
  const auto chosen = std::find_if(config->databases.begin(), config->databases.end(),
                                   [&](const auto& one) { return one.name == options.database; });
  if (chosen == config->databases.end())
    return program.fail(
        usage(options.database.empty()
                  ? "there are several databases; name one with --database"
                  : "--database " + options.database + ": the configuration has no such database"));
  const auto cluster = cluster_of(*config);
  if (!cluster) return program.fail(cluster.error());
  auto session = open_session(*config, *chosen);
  if (!session) return program.fail(session.error());
  Position position;
  position.partition = {options.topic, options.partition};
  position.next_offset = options.offset;  // nothing applied before it: no mark to compare with
  const auto done = (*session)->accept_position(*cluster, position, options.who, options.why);
  if (!done) return program.fail(done.error());
  print("recorded: " + options.topic + "[" + std::to_string(options.partition) + "] goes on at offset " +
        std::to_string(options.offset) + "; a running orchestrator takes it up within seconds\n");
  return kExitOk;
}

}  // namespace skald::app
