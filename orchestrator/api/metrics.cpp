// Metrics: the families and how each thing told moves them; see metrics.hpp.
#include "api/metrics.hpp"

#include <mutex>
#include <set>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "api/metric_cache.hpp"
#include "api/process_metrics.hpp"

namespace skald::api {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using Buckets = Histogram::BucketBoundaries;

const Buckets kCommitSeconds{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5};
const Buckets kBatchInputs{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
const Buckets kStepSeconds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,  1,    2.5,
                           5,     10,   30,    60,   300, 1800, 7200, 86400};
const Buckets kSagaSeconds{0.01, 0.025, 0.05, 0.1, 0.25, 0.5,  1,     2.5,   5,
                           10,   30,    60,   300, 1800, 7200, 86400, 604800};
const Buckets kAttempts{1, 2, 3, 5, 10, 20, 50, 100};
const Buckets kLatenessSeconds{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300};

template <class Duration>
double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

const char* name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid: return "invalid";
    case ErrorKind::kRetry: return "retry";
    case ErrorKind::kUnknown: return "unknown";
    case ErrorKind::kUnavailable: return "unavailable";
    case ErrorKind::kRefused: return "refused";
  }
  return "other";
}

const char* name_of(engine::Judgement judgement) {
  switch (judgement) {
    case engine::Judgement::kApplied: return "applied";
    case engine::Judgement::kDuplicate: return "duplicate";
    case engine::Judgement::kLate: return "late";
    case engine::Judgement::kUnknown: return "unknown";
    case engine::Judgement::kMismatch: return "mismatch";
    case engine::Judgement::kEnded: return "ended";
    case engine::Judgement::kRefused: return "refused";
  }
  return "other";
}

const char* name_of(ParkReason reason) {
  switch (reason) {
    case ParkReason::kNoCode: return "no_code";
    case ParkReason::kNoSaga: return "no_saga";
    case ParkReason::kOrdered: return "ordered";
    case ParkReason::kDivergence: return "divergence";
    case ParkReason::kPaused:
    case ParkReason::kPausedStart: return "paused";
  }
  return "other";
}

template <class Metric>
Metric& plain(prometheus::Family<Metric>& family, const std::map<std::string, std::string>& labels) {
  return family.Add(labels);
}

auto with_buckets(const Buckets& buckets) {
  return [&buckets](prometheus::Family<Histogram>& family,
                    const std::map<std::string, std::string>& labels) -> Histogram& {
    return family.Add(labels, buckets);
  };
}

}  // namespace

struct Metrics::Families {
  explicit Families(const std::string& database) : constant(labels_of(database)) {}

  static std::map<std::string, std::string> labels_of(const std::string& database) {
    if (database.empty()) return {};
    return {{"database", database}};
  }

  template <std::size_t Labels>
  using Counters = MetricCache<Counter, Labels>;
  template <std::size_t Labels>
  using GaugesBy = MetricCache<Gauge, Labels>;
  template <std::size_t Labels>
  using Histograms = MetricCache<Histogram, Labels>;

  prometheus::Family<Counter>& counters(const char* name, const char* help) {
    names.emplace_back(name);
    return prometheus::BuildCounter().Name(name).Help(help).Labels(constant).Register(registry);
  }
  prometheus::Family<Gauge>& gauges(const char* name, const char* help) {
    names.emplace_back(name);
    return prometheus::BuildGauge().Name(name).Help(help).Labels(constant).Register(registry);
  }
  prometheus::Family<Histogram>& histograms(const char* name, const char* help) {
    names.emplace_back(name);
    return prometheus::BuildHistogram().Name(name).Help(help).Labels(constant).Register(registry);
  }
  Counter& counter(const char* name, const char* help) { return counters(name, help).Add({}); }
  Gauge& gauge(const char* name, const char* help) { return gauges(name, help).Add({}); }
  Histogram& histogram(const char* name, const char* help, const Buckets& buckets) {
    return histograms(name, help).Add({}, buckets);
  }

  const std::map<std::string, std::string> constant;  ///< labels of all
  std::vector<std::string> names;
  prometheus::Registry registry;

  // --- sagas ---
  Counters<1> started{counters("skald_sagas_started_total", "Sagas started by this process."),
                      {"definition"},
                      plain<Counter>};
  Counters<2> ended{counters("skald_sagas_ended_total", "Sagas ended by this process."),
                    {"definition", "outcome"},
                    plain<Counter>};
  Counters<2> became_stuck{
      counters("skald_sagas_became_stuck_total", "Sagas that became stuck in this process."),
      {"definition", "reason"},
      plain<Counter>};
  Histograms<2> saga_seconds{histograms("skald_saga_duration_seconds", "From a saga's start to its end."),
                             {"definition", "outcome"},
                             with_buckets(kSagaSeconds)};
  Histograms<3> step_seconds{
      histograms("skald_step_duration_seconds", "From a step's scheduling until it settled, all attempts."),
      {"step", "phase", "result"},
      with_buckets(kStepSeconds)};
  Histograms<2> step_attempts{histograms("skald_step_attempts", "Attempts until a step settled."),
                              {"step", "phase"},
                              with_buckets(kAttempts)};

  // --- the whole database, from the process that holds the lease ---
  GaugesBy<2> open{
      gauges("skald_sagas_open", "Open sagas in the database."), {"definition", "status"}, plain<Gauge>};
  GaugesBy<2> stuck{
      gauges("skald_sagas_stuck", "Stuck sagas in the database."), {"definition", "reason"}, plain<Gauge>};
  GaugesBy<0> oldest_open{
      gauges("skald_oldest_open_saga_age_seconds", "Age of the oldest open saga."), {}, plain<Gauge>};
  GaugesBy<0> outbox_pending{
      gauges("skald_outbox_pending", "Outbox rows in the database: batches Kafka has not acknowledged yet."),
      {},
      plain<Gauge>};
  GaugesBy<0> outbox_oldest{
      gauges("skald_outbox_oldest_age_seconds", "Age of the oldest outbox row."), {}, plain<Gauge>};
  GaugesBy<0> parked_inputs{
      gauges("skald_parked_inputs", "Inputs waiting in the database."), {}, plain<Gauge>};

  // --- batches ---
  Histogram& batch_inputs = histogram("skald_batch_inputs", "Inputs in a batch.", kBatchInputs);
  Histogram& batch_seconds =
      histogram("skald_batch_commit_seconds", "Time of a batch's transaction.", kCommitSeconds);
  Counters<1> batches_failed{
      counters("skald_batches_failed_total", "Batches whose transaction failed."), {"kind"}, plain<Counter>};
  Counter& conflicts =
      counter("skald_sequence_conflicts_total", "Writes and verdicts that another process overtook.");

  // --- inputs ---
  Counters<2> records{
      counters("skald_records_total",
               "Records read (consumed), and of them those no trigger wanted or another database "
               "has (filtered), those that became dead letters (dead_letter), and replies "
               "sent on to the database that has their saga (forwarded)."),
      {"topic", "result"},
      plain<Counter>};
  Counters<1> applied{
      counters("skald_inputs_applied_total", "Inputs that made a transition."), {"kind"}, plain<Counter>};
  Counters<1> duplicates{
      counters("skald_duplicates_total", "Inputs that had been applied before."), {"kind"}, plain<Counter>};
  Counters<2> ignored{
      counters("skald_inputs_ignored_total", "Inputs that changed nothing and were no duplicates."),
      {"kind", "judgement"},
      plain<Counter>};
  Counters<2> dead_letters{counters("skald_dead_letters_total", "Dead letters by topic and SKALD code."),
                           {"topic", "reason"},
                           plain<Counter>};
  Counters<1> parked_total{
      counters("skald_parked_total", "Inputs stored to be applied later."), {"reason"}, plain<Counter>};
  Counters<1> actions{
      counters("skald_operator_actions_total", "Actions of operators."), {"result"}, plain<Counter>};

  // --- outbox ---
  Histogram& publish_seconds =
      histogram("skald_outbox_publish_seconds", "From a batch's commit until Kafka had all its messages.",
                kLatenessSeconds);
  Gauge& backlog_messages =
      gauge("skald_outbox_backlog_messages", "Messages of this process that Kafka has not acknowledged yet.");
  Gauge& backlog_bytes =
      gauge("skald_outbox_backlog_bytes", "Their memory, the Kafka client's copies included.");
  Counters<1> refused{counters("skald_messages_refused_total", "Messages Kafka refused for good."),
                      {"topic"},
                      plain<Counter>};
  Counters<1> republished{
      counters("skald_messages_republished_total", "Messages published again since Kafka's answer was lost."),
      {"topic"},
      plain<Counter>};

  // --- cache ---
  Counter& hits = counter("skald_cache_hits_total", "Inputs whose saga was in memory.");
  Counter& misses = counter("skald_cache_misses_total", "Inputs whose saga had to be loaded.");
  Counter& evictions = counter("skald_cache_evictions_total", "Sagas put out of memory.");
  GaugesBy<1> cache_sagas{gauges("skald_cache_sagas", "Sagas in memory."), {"lane"}, plain<Gauge>};
  GaugesBy<1> cache_bytes{gauges("skald_cache_bytes", "Their memory."), {"lane"}, plain<Gauge>};
  Counter& replayed = counter("skald_replayed_transitions_total", "Transitions replayed from history.");
  Counters<1> long_histories{
      counters("skald_long_histories_total", "Sagas whose history grew beyond runtime.history_warning_*."),
      {"definition"},
      plain<Counter>};
  Counters<1> divergences{counters("skald_divergences_total", "Histories that did not fit the code."),
                          {"definition"},
                          plain<Counter>};

  // --- partitions, lanes, time ---
  Counter& rebalances = counter("skald_rebalances_total", "Changes of this process's partitions.");
  Gauge& assigned = gauge("skald_partitions_assigned", "Partitions of this process.");
  Gauge& paused = gauge("skald_partitions_paused",
                        "Partitions paused to let the lanes catch up, or by a pause of all they start.");
  GaugesBy<2> in_force{
      gauges("skald_paused", "1: a definition or a step type that an operator has paused, as known here."),
      {"kind", "name"},
      plain<Gauge>};
  GaugesBy<2> stopped{gauges("skald_partition_stopped",
                             "1: the partition's log is not the one read before; see positions show."),
                      {"topic", "partition"},
                      plain<Gauge>};
  GaugesBy<1> queue_inputs{gauges("skald_lane_queue_inputs", "Inputs waiting."), {"lane"}, plain<Gauge>};
  GaugesBy<1> queue_bytes{
      gauges("skald_lane_queue_bytes", "Their memory, those being judged included."), {"lane"}, plain<Gauge>};
  Gauge& memory_bound = gauge("skald_memory_bound_bytes",
                              "What the process may take by its configuration, all its databases together.");
  Histogram& lateness =
      histogram("skald_timer_lateness_seconds", "How late deadlines are judged.", kLatenessSeconds);
  Counters<1> overdue{
      counters("skald_local_steps_overdue_total", "Local steps that ran on past their deadline."),
      {"step"},
      plain<Counter>};
  GaugesBy<1> local_waiting{
      gauges("skald_local_steps_waiting", "Attempts of local steps with limits that have not begun."),
      {"step"},
      plain<Gauge>};
  GaugesBy<1> breaker_open{gauges("skald_step_breaker_open", "1: the circuit breaker of the step is open."),
                           {"step"},
                           plain<Gauge>};
  Counters<1> schedule_starts{
      counters("skald_schedule_starts_total", "Sagas that this process started at a tick of their schedule."),
      {"schedule"},
      plain<Counter>};
  Counters<2> schedule_skips{counters("skald_schedule_ticks_skipped_total",
                                      "Ticks that started nothing: they came too long ago (late), the saga "
                                      "before them was open (overlap), "
                                      "or the saga was refused (refused)."),
                             {"schedule", "reason"},
                             plain<Counter>};
  Counter& incarnations_lost =
      counter("skald_incarnations_lost_total", "Times this process was taken for dead.");
  GaugesBy<1> reached{gauges("skald_reached", "1: the store (PostgreSQL) or the bus (Kafka) is reached."),
                      {"what"},
                      plain<Gauge>};

  std::mutex gauges_mutex;  ///< guards the two below
  std::set<std::pair<std::string, std::string>> open_labels, stuck_labels;
};

Metrics::Metrics(const BuildInfo& build, const std::string& database)
    : families_(std::make_unique<Families>(database)) {
  families_->gauges("skald_build_info", "1; the labels say which build runs.")
      .Add({{"version", build.version}, {"build", build.build}})
      .Set(1);
}

Metrics::~Metrics() = default;

const std::vector<std::string>& Metrics::names() const { return families_->names; }

std::string Metrics::text(std::span<const Metrics* const> all) {
  std::vector<prometheus::MetricFamily> families;
  std::map<std::string, std::size_t> places;
  for (const Metrics* metrics : all)
    for (prometheus::MetricFamily& family : metrics->families_->registry.Collect()) {
      const auto [place, fresh] = places.emplace(family.name, families.size());
      if (fresh) {
        families.push_back(std::move(family));
        continue;
      }
      auto& merged = families[place->second].metric;
      merged.insert(merged.end(), std::make_move_iterator(family.metric.begin()),
                    std::make_move_iterator(family.metric.end()));
    }
  return prometheus::TextSerializer().Serialize(families) + process_metrics();
}

void Metrics::saga_started(std::string_view definition) { families_->started.at({definition}).Increment(); }

void Metrics::saga_ended(std::string_view definition, SagaStatus outcome,
                         std::chrono::milliseconds duration) {
  families_->ended.at({definition, to_string(outcome)}).Increment();
  families_->saga_seconds.at({definition, to_string(outcome)}).Observe(seconds(duration));
}

void Metrics::saga_stuck(std::string_view definition, std::string_view reason) {
  families_->became_stuck.at({definition, reason}).Increment();
}

void Metrics::step_settled(std::string_view, const engine::StepObservation& step) {
  const std::string_view phase = step.phase == wire::Phase::kAction ? "action" : "compensation";
  const std::string_view result = step.unknown ? "unknown" : step.succeeded ? "succeeded" : "failed";
  families_->step_seconds.at({step.step, phase, result}).Observe(seconds(step.duration));
  families_->step_attempts.at({step.step, phase}).Observe(step.attempts);
}

void Metrics::batch_committed(std::size_t inputs, std::chrono::nanoseconds duration) {
  families_->batch_inputs.Observe(static_cast<double>(inputs));
  families_->batch_seconds.Observe(seconds(duration));
}

void Metrics::batch_failed(ErrorKind kind) { families_->batches_failed.at({name_of(kind)}).Increment(); }
void Metrics::sequence_conflicts(std::size_t sagas) {
  families_->conflicts.Increment(static_cast<double>(sagas));
}
void Metrics::record_consumed(std::string_view topic) {
  families_->records.at({topic, "consumed"}).Increment();
}
void Metrics::record_filtered(std::string_view topic) {
  families_->records.at({topic, "filtered"}).Increment();
}
void Metrics::record_forwarded(std::string_view topic) {
  families_->records.at({topic, "forwarded"}).Increment();
}
void Metrics::input_applied(std::string_view kind) { families_->applied.at({kind}).Increment(); }

void Metrics::input_ignored(std::string_view kind, engine::Judgement judgement) {
  if (judgement == engine::Judgement::kDuplicate)
    families_->duplicates.at({kind}).Increment();
  else
    families_->ignored.at({kind, name_of(judgement)}).Increment();
}

void Metrics::dead_letter(std::string_view topic, std::string_view code) {
  if (topic.empty()) {  // it came over the API, which was told
    families_->ignored.at({"api", code}).Increment();
    return;
  }
  families_->records.at({topic, "dead_letter"}).Increment();
  families_->dead_letters.at({topic, code}).Increment();
}

void Metrics::parked(ParkReason reason) { families_->parked_total.at({name_of(reason)}).Increment(); }
void Metrics::operator_action(bool applied) {
  families_->actions.at({applied ? "applied" : "refused"}).Increment();
}

void Metrics::outbox_row_published(std::chrono::nanoseconds since_commit) {
  families_->publish_seconds.Observe(seconds(since_commit));
}

void Metrics::outbox_backlog(std::size_t messages, std::size_t bytes) {
  families_->backlog_messages.Set(static_cast<double>(messages));
  families_->backlog_bytes.Set(static_cast<double>(bytes));
}

void Metrics::message_refused(std::string_view topic) { families_->refused.at({topic}).Increment(); }
void Metrics::message_unknown(std::string_view topic) { families_->republished.at({topic}).Increment(); }
void Metrics::cache_hit() { families_->hits.Increment(); }
void Metrics::cache_miss() { families_->misses.Increment(); }
void Metrics::cache_evicted(std::size_t sagas) { families_->evictions.Increment(static_cast<double>(sagas)); }

void Metrics::cache_size(std::size_t lane, std::size_t sagas, std::size_t bytes) {
  const std::string name = std::to_string(lane);
  families_->cache_sagas.at({name}).Set(static_cast<double>(sagas));
  families_->cache_bytes.at({name}).Set(static_cast<double>(bytes));
}

void Metrics::replayed(std::int64_t transitions) {
  families_->replayed.Increment(static_cast<double>(transitions));
}
void Metrics::history_grew(std::string_view definition) {
  families_->long_histories.at({definition}).Increment();
}
void Metrics::divergence(std::string_view definition) { families_->divergences.at({definition}).Increment(); }

void Metrics::rebalanced(std::size_t partitions) {
  families_->rebalances.Increment();
  families_->assigned.Set(static_cast<double>(partitions));
}

void Metrics::partition_stopped(const TopicPartition& partition) {
  families_->stopped.at({partition.topic, std::to_string(partition.partition)}).Set(1);
}

void Metrics::partition_resumed(const TopicPartition& partition) {
  families_->stopped.remove({partition.topic, std::to_string(partition.partition)});
}

void Metrics::paused_partitions(std::size_t partitions) {
  families_->paused.Set(static_cast<double>(partitions));
}

void Metrics::paused(const PauseSet& pauses) {
  families_->in_force.remove_all();
  for (const std::string& name : pauses.definitions) families_->in_force.at({"definition", name}).Set(1);
  for (const std::string& name : pauses.steps) families_->in_force.at({"step", name}).Set(1);
}

void Metrics::lane_queue(std::size_t lane, std::size_t inputs, std::size_t bytes) {
  const std::string name = std::to_string(lane);
  families_->queue_inputs.at({name}).Set(static_cast<double>(inputs));
  families_->queue_bytes.at({name}).Set(static_cast<double>(bytes));
}

void Metrics::timer_lateness(std::chrono::milliseconds lateness) {
  families_->lateness.Observe(seconds(lateness));
}
void Metrics::local_step_overdue(std::string_view step) { families_->overdue.at({step}).Increment(); }
void Metrics::local_steps_waiting(std::string_view step, std::size_t attempts) {
  families_->local_waiting.at({step}).Set(static_cast<double>(attempts));
}
void Metrics::breaker_changed(std::string_view step, bool open) {
  families_->breaker_open.at({step}).Set(open ? 1 : 0);
}
void Metrics::schedule_started(std::string_view schedule) {
  families_->schedule_starts.at({schedule}).Increment();
}
void Metrics::schedule_skipped(std::string_view schedule, std::string_view reason, std::size_t ticks) {
  families_->schedule_skips.at({schedule, reason}).Increment(static_cast<double>(ticks));
}
void Metrics::incarnation_lost() { families_->incarnations_lost.Increment(); }

void Metrics::gauges(bool held, const Gauges& gauges) {
  Families& all = *families_;
  const std::lock_guard lock(all.gauges_mutex);
  if (!held) {
    all.open.remove_all();
    all.stuck.remove_all();
    for (auto* family : {&all.oldest_open, &all.outbox_pending, &all.outbox_oldest, &all.parked_inputs})
      family->remove_all();
    all.open_labels.clear();
    all.stuck_labels.clear();
    return;
  }
  // A label set that was there stays, at 0: an alert needs to see it fall.
  for (const auto& [definition, status] : all.open_labels) all.open.at({definition, status}).Set(0);
  for (const auto& [definition, reason] : all.stuck_labels) all.stuck.at({definition, reason}).Set(0);
  for (const auto& row : gauges.open) {
    all.open.at({row.definition, to_string(row.status)}).Set(static_cast<double>(row.count));
    all.open_labels.emplace(row.definition, to_string(row.status));
  }
  for (const auto& row : gauges.stuck) {
    all.stuck.at({row.definition, row.reason}).Set(static_cast<double>(row.count));
    all.stuck_labels.emplace(row.definition, row.reason);
  }
  all.oldest_open.at({}).Set(gauges.oldest_open ? seconds(gauges.now - *gauges.oldest_open) : 0);
  all.outbox_pending.at({}).Set(static_cast<double>(gauges.outbox_pending));
  all.outbox_oldest.at({}).Set(gauges.outbox_oldest ? seconds(gauges.now - *gauges.outbox_oldest) : 0);
  all.parked_inputs.at({}).Set(static_cast<double>(gauges.parked));
}

void Metrics::reached(std::string_view what, bool reached) {
  families_->reached.at({what}).Set(reached ? 1 : 0);
}

void Metrics::memory_bound(std::size_t bytes) { families_->memory_bound.Set(static_cast<double>(bytes)); }

}  // namespace skald::api
