// reprocess: a past range of trigger records through the saga's code as it is in this binary. In shadow, which sends nothing:
// each record's saga is run over its own history and compared. Then for real: new sagas, with ids of their own.
#include <memory>
#include <unordered_map>

#include "app/asking.hpp"
#include "app/commands.hpp"
#include "app/environment.hpp"
#include "app/open_database.hpp"
#include "app/record_range.hpp"
#include "app/service.hpp"
#include "app/triggers.hpp"
#include "kafka/kafka_bus.hpp"
#include "reprocess/shadow.hpp"
#include "runtime/decoder.hpp"
#include "skald/json.hpp"
#include "wire/cloud_events.hpp"
#include "wire/place.hpp"

namespace skald::app {
namespace {

constexpr std::size_t kShownBytes = 300;         ///< of a difference
constexpr std::size_t kHistoryBytes = 64 << 20;  ///< of sagas looked at together

Error wrong(std::string message) { return {ErrorKind::kInvalid, kCodeUsage, std::move(message)}; }

/// A record, and the start that the saga's trigger makes of it.
struct PastStart {
  std::string origin;
  SagaAddress address;
  runtime::StartRequest request;
};

std::string line_of(const PastStart& start) {
  return start.origin + " " + printable(start.address.saga_id, 255) + ": ";
}

struct Counts {
  std::size_t records = 0, starts = 0, unreadable = 0;
  std::size_t same = 0, differ = 0, repeated = 0, absent = 0;  // in shadow
  std::size_t started = 0, existed = 0, refused = 0;           // for real
};

Result<RangeSpec> range_of(const ReprocessOptions& options) {
  RangeSpec spec;
  spec.topic = options.topic;
  spec.partition = options.partition;
  spec.from_offset = options.from_offset;
  spec.to_offset = options.to_offset;
  const bool by_offset = spec.from_offset || spec.to_offset;
  const bool by_time = !options.from.empty() || !options.to.empty();
  if (by_offset && by_time)
    return wrong("a range is given by --from and --to, or by --from-offset and --to-offset");
  if (by_offset && !spec.partition) return wrong("--from-offset and --to-offset need --partition");
  if (!by_offset && !by_time) return wrong("which records? Say --from, --to, or --from-offset, --to-offset");
  if (auto read = read_times(options.from, options.to, spec); !read) return read.error();
  return spec;
}

/// The saga's code that is to run.
Result<const SagaDefinition*> definition_of(const Program& program, const ReprocessOptions& options) {
  const SagaDefinition* found = options.revision ? program.registry.saga(options.saga, *options.revision)
                                                 : program.registry.saga(options.saga);
  if (found != nullptr) return found;
  return wrong("this binary has no saga " + printable(options.saga) +
               (options.revision ? " of revision " + std::to_string(*options.revision) : ""));
}

/// The topic is one that a trigger of this saga reads.
Result<void> check_topic(const Program& program, const Config& config, const ReprocessOptions& options) {
  std::string topics;
  for (const runtime::TriggerRoute& route : trigger_routes(config, program.registry)) {
    if (route.trigger.saga != options.saga) continue;
    if (route.topic == options.topic) return {};
    topics += (topics.empty() ? "" : ", ") + route.topic;
  }
  return wrong("no trigger of " + options.saga + " reads topic '" + printable(options.topic) + "'" +
               (topics.empty() ? "" : "; there is " + topics));
}

/// The sagas as they are stored, out of however many databases. Of each database as many as their histories' limit allows
/// and one at least; the others come as left_out.
class Sagas {
 public:
  explicit Sagas(const Config& config) : config_(config) {}

  Result<std::unordered_map<SagaAddress, StoredSaga>> of(const std::vector<PastStart>& starts) {
    std::unordered_map<const DatabaseConfig*, std::vector<SagaAddress>> wanted;
    for (const PastStart& start : starts)
      wanted[&config_.database_of(start.address.saga_id)].push_back(start.address);
    std::unordered_map<SagaAddress, StoredSaga> found;
    for (const auto& [database, addresses] : wanted) {
      auto& session = sessions_[database];
      if (!session) {
        auto opened = open_session(config_, *database);
        if (!opened) return opened.error();
        session = std::move(opened).value();
      }
      auto sagas = session->load(addresses, kHistoryBytes, Runs::kAll);
      if (!sagas) return of_database(*database, sagas.error());
      for (StoredSaga& saga : *sagas) {
        SagaAddress address = saga.row.address;
        found.emplace(std::move(address), std::move(saga));
      }
    }
    return found;
  }

 private:
  const Config& config_;
  std::unordered_map<const DatabaseConfig*, std::unique_ptr<Session>> sessions_;
};

class Reprocess {
 public:
  Reprocess(const Program& program, const Config& config, const ReprocessOptions& options,
            const SagaDefinition& definition)
      : config_(config),
        options_(options),
        definition_(definition),
        environment_(environment_of(config, config.databases.front(), random_)),
        decoder_(program.registry, config.name_space, config.databases.front().replies,
                 trigger_routes(config, program.registry)),
        sagas_(config) {}

  Result<void> take(std::vector<Record> records) {
    std::vector<PastStart> starts;
    for (Record& record : records) read(std::move(record), starts);
    return options_.start ? start_all(starts) : shadow_all(std::move(starts));
  }
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  void read(Record record, std::vector<PastStart>& starts) {
    ++counts_.records;
    const std::string origin = wire::place_of(record);
    for (runtime::Work& work : decoder_.decode(std::make_shared<const Record>(std::move(record)))) {
      if (const auto* dead = std::get_if<runtime::DeadLetterRequest>(&work.what)) {
        ++counts_.unreadable;
        print(origin + ": no trigger can read it: " + printable(dead->reason, kShownBytes) + "\n");
      }
      auto* request = std::get_if<runtime::StartRequest>(&work.what);
      if (request == nullptr || work.address.definition != options_.saga) continue;
      ++counts_.starts;
      starts.push_back({origin, std::move(work.address), std::move(*request)});
    }
  }

  Result<void> shadow_all(std::vector<PastStart> starts) {
    while (!starts.empty()) {
      const auto stored = sagas_.of(starts);
      if (!stored) return stored.error();
      std::vector<PastStart> later;
      for (PastStart& start : starts) {
        const auto found = stored->find(start.address);
        if (found == stored->end()) {
          ++counts_.absent;
          print(line_of(start) + "its saga is not in the database\n");
        } else if (found->second.left_out) {
          later.push_back(std::move(start));
        } else {
          shadow(start, found->second);
        }
      }
      starts = std::move(later);
    }
    return {};
  }

  void shadow(const PastStart& start, const StoredSaga& saga) {
    const auto recorded = reprocess::recorded_of(saga);
    if (!recorded) {
      ++counts_.unreadable;
      print(line_of(start) + printable(recorded.error().message, kShownBytes) + "\n");
      return;
    }
    // Another record of this topic started it: this one changed nothing then, and would not now.
    if (recorded->origin != start.origin && recorded->origin.starts_with(options_.topic + "[")) {
      ++counts_.repeated;
      return;
    }
    const auto run = reprocess::run_shadow(environment_, definition_, start.request.input.input, *recorded);
    const auto differences = reprocess::differences(*recorded, run);
    ++(differences.empty() ? counts_.same : counts_.differ);
    if (differences.empty()) return;
    std::string text = line_of(start) + "differs\n";
    for (const std::string& one : differences) text += "  " + printable(one, kShownBytes) + "\n";
    print(text);
  }

  Result<void> start_all(const std::vector<PastStart>& starts) {
    for (const PastStart& start : starts)
      if (auto done = ask(start); !done) return done;
    return {};
  }

  Result<void> ask(const PastStart& start) {
    json::Writer writer;
    writer.begin_object();
    const auto member = [&writer](const char* name, const std::string& text) {
      writer.key(name);
      writer.string(text);
    };
    member("id", start.address.saga_id + options_.suffix);
    member("origin", start.origin + " again, " + options_.who + ": " + options_.why);
    writer.key("input");
    writer.raw(start.request.input.input);
    writer.end_object();
    const auto answer =
        api::ask({url_of(config_, options_.url), "POST",
                  "/api/v1/sagas/" + api::percent_encoded(options_.saga), writer.take(), config_.http.token});
    if (!answer) return answer.error();
    if (answer->status == 201) {
      ++counts_.started;
    } else if (answer->status == 200) {
      ++counts_.existed;
    } else if (answer->status == 400 || answer->status == 409) {
      ++counts_.refused;
      print(line_of(start) + printable(error_of(*answer).message, kShownBytes) + "\n");
    } else {
      return error_of(*answer);
    }
    return {};
  }

  const Config& config_;
  const ReprocessOptions& options_;
  const SagaDefinition& definition_;
  SystemRandom random_;
  engine::Environment environment_;
  runtime::Decoder decoder_;
  Sagas sagas_;
  Counts counts_;
};

std::string summary(const Counts& counts, bool started) {
  const auto number = [](const char* name, std::size_t count) {
    return std::string(", ") + name + ": " + std::to_string(count);
  };
  std::string text = "records: " + std::to_string(counts.records) + number("starts", counts.starts) +
                     number("unreadable", counts.unreadable);
  if (started)
    return text + number("started", counts.started) + number("existed", counts.existed) +
           number("refused", counts.refused) + "\n";
  return text + number("the same", counts.same) + number("differ", counts.differ) +
         number("repeated", counts.repeated) + number("without a saga", counts.absent) + "\n";
}

}  // namespace

int run_reprocess(const Program& program, const ReprocessOptions& options) {
  const auto config = program.config({.database = true, .kafka = true});
  if (!config) return program.fail(config.error());
  const auto definition = definition_of(program, options);
  if (!definition) return program.fail(definition.error());
  const auto spec = range_of(options);
  if (!spec) return program.fail(spec.error());
  if (auto reads = check_topic(program, *config, options); !reads) return program.fail(reads.error());
  if (options.start && (options.suffix.empty() || options.who.empty() || options.why.empty()))
    return program.fail(wrong("--start needs --suffix, --who and --why"));
  NullLogger logger;
  const auto bus = kafka::open(kafka_options(*config, logger));
  if (!bus) return program.fail(bus.error());
  const auto ranges = locate(**bus, *spec);
  if (!ranges) return program.fail(ranges.error());
  for (const PartitionRange& range : *ranges)
    if (range.gone > 0)
      print(range.partition.topic + "[" + std::to_string(range.partition.partition) +
            "]: the log begins at " + std::to_string(range.begin) + ", " + std::to_string(range.gone) +
            " offsets before it are gone\n");
  Reprocess reprocess(program, *config, options, **definition);
  const SystemClock clock;
  const auto read = read_ranges(
      **bus, clock, *ranges, [&](std::vector<Record> records) { return reprocess.take(std::move(records)); });
  const Counts& counts = reprocess.counts();
  print(summary(counts, options.start));
  if (!read) return program.fail(read.error());
  return counts.differ + counts.refused + counts.absent + counts.unreadable == 0 ? kExitOk : kExitNo;
}

}  // namespace skald::app
