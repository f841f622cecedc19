// preflight, export and replay: does this binary go on with the sagas there are? All of them only read.
#include <chrono>
#include <fstream>

#include "api/saga_view.hpp"
#include "app/commands.hpp"
#include "app/environment.hpp"
#include "app/history_file.hpp"
#include "app/open_database.hpp"
#include "app/replays.hpp"
#include "app/service.hpp"
#include "app/timeline.hpp"
#include "app/topic_plan.hpp"
#include "kafka/kafka_bus.hpp"
#include "postgres/saga_reader.hpp"

namespace skald::app {
namespace {

constexpr std::chrono::seconds kKafkaPatience{10};

Error usage(const std::string& message) { return {ErrorKind::kInvalid, kCodeUsage, message}; }

/// Says how it ended; the exit code.
int conclude(const Replays& replays, std::chrono::milliseconds took) {
  print(replays.report() + std::to_string(replays.replayed()) + " replayed in " + format_span(took) + ", " +
        std::to_string(replays.broken()) + " would break\n");
  return replays.broken() == 0 ? kExitOk : kExitNo;
}

std::chrono::milliseconds since(std::chrono::nanoseconds began, const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock.monotonic() - began);
}

Result<postgres::SagaSelection> selection_of(const ExportOptions& options) {
  postgres::SagaSelection selection;
  selection.saga_id = options.id;
  selection.definition = options.definition;
  selection.runs = Runs::kAll;
  selection.maximum = options.limit;
  selection.open_only = options.status == "open";
  if (!options.status.empty() && !selection.open_only) {
    selection.status = api::parse_status(options.status);
    if (!selection.status) return usage("--status takes open or a saga's status");
  }
  return selection;
}

/// `serve` would find its topics.
Result<void> ask_for_topics(const Config& config) {
  if (config.topics.create || config.kafka.bootstrap_servers.empty()) return {};
  NullLogger logger;
  const auto bus = kafka::open(kafka_options(config, logger));
  if (!bus) return bus.error();
  const auto topics = config.needed_topics();
  const auto counts = (*bus)->partition_counts(topics, kKafkaPatience);
  if (!counts) return counts.error();
  return check_topics(topics, *counts);
}

}  // namespace

int run_preflight(const Program& program, const PreflightOptions& options) {
  const auto config = program.config({.database = true});
  if (!config) return program.fail(config.error());
  const auto limit = parse_duration(options.time_limit);
  if (!limit) return program.fail(usage("--time-limit takes a duration like 90s or 10m"));
  SystemClock clock;
  SystemRandom random;
  const auto began = clock.monotonic();
  const auto environment = environment_of(*config, config->databases.front(), random);
  Replays replays(environment, program.registry);
  bool late = false;
  for (const DatabaseConfig& one : config->databases) {
    postgres::SagaSelection open;
    open.open_only = true;
    const auto read =
        postgres::read_sagas(store_of(*config, one), open, [&](const std::vector<StoredSaga>& sagas) {
          for (const StoredSaga& saga : sagas) {
            late = clock.monotonic() - began > *limit;
            if (late) return false;
            replays.add(saga);
          }
          return true;
        });
    if (!read) return program.fail(of_database(one, read.error()));
    if (late) break;
  }
  const int answer = conclude(replays, since(began, clock));
  if (answer == kExitNo) return answer;
  if (late)
    return program.fail(
        {ErrorKind::kUnavailable, "SKALD-926",
         "not all open sagas were replayed within " + options.time_limit + " (--time-limit)"});
  const auto topics = ask_for_topics(*config);
  if (topics) return kExitOk;
  const bool missing = topics.error().code == "SKALD-960" || topics.error().code == "SKALD-962";
  if (!missing) return program.fail(topics.error());
  program.complain(topics.error());
  return kExitNo;
}

int run_export(const Program& program, const ExportOptions& options) {
  const auto config = program.config({.database = true});
  if (!config) return program.fail(config.error());
  const auto selection = selection_of(options);
  if (!selection) return program.fail(selection.error());
  std::size_t written = 0;
  for (const DatabaseConfig& one : config->databases) {
    const auto read =
        postgres::read_sagas(store_of(*config, one), *selection, [&](const std::vector<StoredSaga>& sagas) {
          for (const StoredSaga& saga : sagas) print(to_history_line(saga));
          written += sagas.size();
          return true;
        });
    if (!read) return program.fail(of_database(one, read.error()));
  }
  if (written > 0) return kExitOk;
  program.complain({ErrorKind::kInvalid, "SKALD-953", "there are no such sagas"});
  return kExitNo;
}

int run_replay(const Program& program, const ReplayOptions& options) {
  const auto config = program.config({});
  if (!config) return program.fail(config.error());
  SystemClock clock;
  SystemRandom random;
  const auto began = clock.monotonic();
  const auto environment = environment_of(*config, config->databases.front(), random);
  Replays replays(environment, program.registry);
  for (const std::string& name : options.files) {
    std::ifstream file(name);
    if (!file) return program.fail(usage("cannot read " + printable(name, 500)));
    const std::size_t before = replays.replayed();
    std::size_t number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      if (line.empty()) continue;
      const auto saga = from_history_line(line);
      if (!saga) {
        Error error = saga.error();
        error.message = printable(name, 500) + " line " + std::to_string(number) + ": " + error.message;
        return program.fail(error);
      }
      replays.add(*saga);
    }
    if (replays.replayed() == before)
      return program.fail(usage(printable(name, 500) + " holds no exported history"));
  }
  return conclude(replays, since(began, clock));
}

}  // namespace skald::app
