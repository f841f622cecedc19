// The families of metrics, each with its name, help, labels and buckets: the one place where a metric is declared.
// docs/metrics.md lists the same. Built and used by Metrics alone; what each may be called from stands there.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "api/metric_cache.hpp"
#include "api/metrics.hpp"

namespace skald::api {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using Buckets = Histogram::BucketBoundaries;

const Buckets kCommitSeconds{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30};
const Buckets kBatchInputs{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000};
// Of sagas and steps: some are done in 10 ms and some wait for 10 days, and both need their quantiles.
const Buckets kLifeSeconds{0.005, 0.01, 0.025, 0.05, 0.1,  0.25,  0.5,   1,      2.5,    5,      10,
                           30,    60,   300,   1800, 7200, 28800, 86400, 259200, 604800, 864000, 2592000};
const Buckets kAttempts{1, 2, 3, 5, 10, 20, 50, 100};
const Buckets kLatenessSeconds{0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800};

template <class Metric>
Metric& plain(prometheus::Family<Metric>& family, const std::map<std::string, std::string>& labels) {
  return family.Add(labels);
}

inline auto with_buckets(const Buckets& buckets) {
  return [&buckets](prometheus::Family<Histogram>& family,
                    const std::map<std::string, std::string>& labels) -> Histogram& {
    return family.Add(labels, buckets);
  };
}

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

  std::map<std::string, std::string> constant;  ///< labels of all
  std::vector<std::string> names;
  prometheus::Registry registry;

  // --- sagas ---
  Counters<1> started{counters("skald_sagas_started_total", "Sagas started by this process."),
                      {"definition"},
                      plain<Counter>};
  Counters<2> ended{counters("skald_sagas_ended_total", "Sagas ended by this process."),
                    {"definition", "outcome"},
                    plain<Counter>};
  Counters<3> became_stuck{
      counters("skald_sagas_became_stuck_total",
               "Sagas that became stuck in this process; step is empty if it is none of their steps."),
      {"definition", "step", "reason"},
      plain<Counter>};
  Histograms<2> saga_seconds{histograms("skald_saga_duration_seconds", "From a saga's start to its end."),
                             {"definition", "outcome"},
                             with_buckets(kLifeSeconds)};
  Histograms<4> step_seconds{
      histograms("skald_step_duration_seconds", "From a step's scheduling until it settled, all attempts."),
      {"definition", "step", "phase", "outcome"},
      with_buckets(kLifeSeconds)};
  Histograms<3> step_attempts{histograms("skald_step_attempts", "Attempts until a step settled."),
                              {"definition", "step", "phase"},
                              with_buckets(kAttempts)};
  Counters<3> compensations{
      counters(
          "skald_compensations_total",
          "Compensations that settled: done (succeeded), or given up until an operator decides (failed)."),
      {"definition", "step", "outcome"},
      plain<Counter>};
  GaugesBy<1> objective{
      gauges("skald_saga_objective_seconds", "How long a saga may be open before an alert says so."),
      {"definition"},
      plain<Gauge>};

  // --- the whole database, from the process that holds the lease ---
  GaugesBy<2> open{
      gauges("skald_sagas_open", "Open sagas in the database."), {"definition", "state"}, plain<Gauge>};
  GaugesBy<3> stuck{
      gauges("skald_sagas_stuck", "Stuck sagas in the database; step is empty if it is none of their steps."),
      {"definition", "step", "reason"},
      plain<Gauge>};
  GaugesBy<1> oldest_open{gauges("skald_oldest_open_saga_timestamp_seconds",
                                 "When the oldest open saga was started, since 1970."),
                          {"definition"},
                          plain<Gauge>};
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
  Counter& replays = counter("skald_replays_total", "Sagas rebuilt from their history.");
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
  GaugesBy<1> assigned{
      gauges("skald_partitions_assigned", "Partitions of this process."), {"topic"}, plain<Gauge>};
  GaugesBy<1> topic_partitions{
      gauges("skald_topic_partitions", "Partitions of a topic that is read, whoever has them."),
      {"topic"},
      plain<Gauge>};
  GaugesBy<2> lag{
      gauges("skald_consumer_lag_records",
             "Records of this process's partition that are not applied yet, those being read included."),
      {"topic", "partition"},
      plain<Gauge>};
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
  Counters<1> retention{counters("skald_retention_removed_total",
                                 "Ended sagas whose history this process removed (history), and ended sagas "
                                 "that it removed (saga)."),
                        {"what"},
                        plain<Counter>};
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
  Gauge& connections =
      gauge("skald_database_connections", "Connections of this process to PostgreSQL that are open.");
  GaugesBy<1> reached{gauges("skald_reached", "1: the store (PostgreSQL) or the bus (Kafka) is reached."),
                      {"what"},
                      plain<Gauge>};

  std::mutex gauges_mutex;  ///< guards the three sets below
  std::set<std::pair<std::string, std::string>> open_labels;
  std::set<std::array<std::string, 3>> stuck_labels;
  std::set<std::string> oldest_labels;
  std::mutex sampled_mutex;  ///< guards the one below
  std::function<int()> sampled_connections;
  std::set<TopicPartition> lags_told;  ///< by the one thread that tells
};

}  // namespace skald::api
