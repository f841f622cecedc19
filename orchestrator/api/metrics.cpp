// How each thing told moves the metrics; see metrics.hpp.
#include "api/metrics.hpp"

#include <algorithm>

#include <prometheus/text_serializer.h>

#include "api/metric_families.hpp"
#include "api/process_metrics.hpp"

namespace skald::api {
namespace {

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

}  // namespace

Metrics::Metrics(const BuildInfo& build, const std::string& database, const ConfigurationInfo& configuration)
    : families_(std::make_unique<Families>(database)) {
  families_->gauges("skald_build_info", "1; the labels say which build runs.")
      .Add({{"version", build.version}, {"build", build.build}})
      .Set(1);
  families_
      ->gauges("skald_configuration_info",
               "1; checksum is of all values in force but secrets and http.listen: where it differs, "
               "processes are not "
               "configured alike.")
      .Add({{"skald_namespace", configuration.name_space}, {"checksum", configuration.checksum}})
      .Set(1);
  for (const ErrorKind kind : {ErrorKind::kInvalid, ErrorKind::kRetry, ErrorKind::kUnknown,
                               ErrorKind::kUnavailable, ErrorKind::kRefused})
    families_->batches_failed.at({name_of(kind)});
  for (const ParkReason reason : {ParkReason::kNoCode, ParkReason::kNoSaga, ParkReason::kOrdered,
                                  ParkReason::kDivergence, ParkReason::kPaused})
    families_->parked_total.at({name_of(reason)});
  for (const char* kind : {"start", "reply"}) families_->duplicates.at({kind});
}

Metrics::~Metrics() = default;

const std::vector<std::string>& Metrics::names() const { return families_->names; }

std::string Metrics::text(std::span<const Metrics* const> all) {
  std::vector<prometheus::MetricFamily> families;
  std::map<std::string, std::size_t> places;
  for (const Metrics* metrics : all) {
    metrics->sample();
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
  }
  return prometheus::TextSerializer().Serialize(families) + process_metrics();
}

void Metrics::sample() const {
  const std::lock_guard lock(families_->sampled_mutex);
  if (families_->sampled_connections) families_->connections.Set(families_->sampled_connections());
}

void Metrics::saga_started(std::string_view definition) { families_->started.at({definition}).Increment(); }

void Metrics::saga_ended(std::string_view definition, SagaStatus outcome,
                         std::chrono::milliseconds duration) {
  families_->ended.at({definition, to_string(outcome)}).Increment();
  families_->saga_seconds.at({definition, to_string(outcome)}).Observe(seconds(duration));
}

void Metrics::saga_stuck(std::string_view definition, std::string_view step, std::string_view reason) {
  families_->became_stuck.at({definition, step, reason}).Increment();
}

void Metrics::step_settled(std::string_view definition, const engine::StepObservation& step) {
  const bool undo = step.phase == wire::Phase::kCompensation;
  const std::string_view phase = undo ? "compensation" : "action";
  const std::string_view outcome = step.succeeded ? "succeeded" : step.unknown ? "unknown" : "failed";
  families_->step_seconds.at({definition, step.step, phase, outcome}).Observe(seconds(step.duration));
  families_->step_attempts.at({definition, step.step, phase}).Observe(step.attempts);
  if (!undo) return;
  // The other one is there from then on as well, at 0: a rate of failures needs both.
  Counter& done = families_->compensations.at({definition, step.step, "succeeded"});
  Counter& failed = families_->compensations.at({definition, step.step, "failed"});
  (step.succeeded ? done : failed).Increment();
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
  families_->replays.Increment();
  families_->replayed.Increment(static_cast<double>(transitions));
}
void Metrics::history_grew(std::string_view definition) {
  families_->long_histories.at({definition}).Increment();
}
void Metrics::divergence(std::string_view definition) { families_->divergences.at({definition}).Increment(); }

void Metrics::rebalanced() { families_->rebalances.Increment(); }

void Metrics::assigned_partitions(const std::map<std::string, std::size_t>& by_topic) {
  for (const auto& [topic, count] : by_topic) {
    families_->assigned.at({topic}).Set(static_cast<double>(count));
    for (const char* result : {"consumed", "dead_letter"}) families_->records.at({topic, result});
  }
}

void Metrics::topic_partitions(const std::map<std::string, std::int32_t>& by_topic) {
  for (const auto& [topic, count] : by_topic) families_->topic_partitions.at({topic}).Set(count);
}

void Metrics::consumer_lags(const std::map<TopicPartition, std::int64_t>& records) {
  std::set<TopicPartition>& told = families_->lags_told;
  for (const TopicPartition& old : told)
    if (!records.contains(old)) families_->lag.remove({old.topic, std::to_string(old.partition)});
  told.clear();
  for (const auto& [partition, lag] : records) {
    families_->lag.at({partition.topic, std::to_string(partition.partition)}).Set(static_cast<double>(lag));
    told.insert(partition);
  }
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
void Metrics::removed_by_retention(std::string_view what, std::size_t sagas) {
  families_->retention.at({what}).Increment(static_cast<double>(sagas));
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
    all.oldest_open.remove_all();
    for (auto* family : {&all.outbox_pending, &all.outbox_oldest, &all.parked_inputs}) family->remove_all();
    all.open_labels.clear();
    all.oldest_labels.clear();
    all.stuck_labels.clear();
    return;
  }
  // A label set that was there stays, at 0: an alert needs to see it fall.
  for (const auto& [definition, status] : all.open_labels) all.open.at({definition, status}).Set(0);
  for (const auto& [definition, step, reason] : all.stuck_labels)
    all.stuck.at({definition, step, reason}).Set(0);
  for (const auto& row : gauges.open) {
    all.open.at({row.definition, to_string(row.status)}).Set(static_cast<double>(row.count));
    all.open_labels.emplace(row.definition, to_string(row.status));
  }
  for (const auto& row : gauges.stuck) {
    all.stuck.at({row.definition, row.step, row.reason}).Set(static_cast<double>(row.count));
    all.stuck_labels.insert({row.definition, row.step, row.reason});
  }
  std::map<std::string, Time> oldest;
  for (const auto& row : gauges.open) {
    const auto [place, first] = oldest.emplace(row.definition, row.oldest);
    if (!first) place->second = std::min(place->second, row.oldest);
  }
  for (const std::string& definition : all.oldest_labels)  // without an open saga there is none
    if (!oldest.contains(definition)) all.oldest_open.remove({definition});
  all.oldest_labels.clear();
  for (const auto& [definition, started] : oldest) {
    all.oldest_labels.insert(definition);
    all.oldest_open.at({definition}).Set(seconds(started.time_since_epoch()));
  }
  all.outbox_pending.at({}).Set(static_cast<double>(gauges.outbox_pending));
  all.outbox_oldest.at({}).Set(gauges.outbox_oldest ? seconds(gauges.now - *gauges.outbox_oldest) : 0);
  all.parked_inputs.at({}).Set(static_cast<double>(gauges.parked));
}

void Metrics::reached(std::string_view what, bool reached) {
  families_->reached.at({what}).Set(reached ? 1 : 0);
}

void Metrics::memory_bound(std::size_t bytes) { families_->memory_bound.Set(static_cast<double>(bytes)); }

// What an alert goes by is there before it counts: Prometheus takes the first value it sees for what was there before.
void Metrics::definition(std::string_view name, std::optional<std::chrono::milliseconds> objective) {
  if (objective) families_->objective.at({name}).Set(seconds(*objective));
  families_->started.at({name});
  families_->long_histories.at({name});
  families_->divergences.at({name});
}

void Metrics::local_step(std::string_view name) { families_->overdue.at({name}); }

void Metrics::connections(std::function<int()> count) {
  const std::lock_guard lock(families_->sampled_mutex);
  families_->sampled_connections = std::move(count);
}

}  // namespace skald::api
