// Metrics: what the runtime tells, as Prometheus counters, gauges and histograms; docs/metrics.md lists them.
// Thread-safe. Telling costs a hash lookup and an atomic addition; nothing on the way waits for a scrape, since
// a scrape makes its text first and writes it to the socket after.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ports/clock.hpp"
#include "runtime/observer.hpp"

namespace skald::api {

struct BuildInfo {
  std::string version;
  std::string build;
};

/// What a process runs on: `checksum` tells two configurations apart.
struct ConfigurationInfo {
  std::string name_space;
  std::string checksum;
};

class Metrics final : public runtime::Observer {
 public:
  /// `database`: a label of everything, where a process serves several; empty: none.
  explicit Metrics(const BuildInfo& build, const std::string& database = {},
                   const ConfigurationInfo& configuration = {});
  ~Metrics() override;

  /// The exposition text of all of these together, process metrics included.
  [[nodiscard]] static std::string text(std::span<const Metrics* const> all);
  [[nodiscard]] std::string text() const {
    const Metrics* self = this;
    return text({&self, 1});
  }
  /// Every metric of Skald's own, also those that have not been told of yet.
  [[nodiscard]] const std::vector<std::string>& names() const;

  void saga_started(std::string_view definition) override;
  void saga_ended(std::string_view definition, SagaStatus outcome,
                  std::chrono::milliseconds duration) override;
  void saga_stuck(std::string_view definition, std::string_view step, std::string_view reason) override;
  void step_settled(std::string_view definition, const engine::StepObservation& step) override;
  void batch_committed(std::size_t inputs, std::chrono::nanoseconds duration) override;
  void batch_failed(ErrorKind kind) override;
  void sequence_conflicts(std::size_t sagas) override;
  void record_consumed(std::string_view topic) override;
  void record_filtered(std::string_view topic) override;
  void record_forwarded(std::string_view topic) override;
  void input_applied(std::string_view kind) override;
  void input_ignored(std::string_view kind, engine::Judgement judgement) override;
  void dead_letter(std::string_view topic, std::string_view code) override;
  void parked(ParkReason reason) override;
  void paused(const PauseSet& pauses) override;
  void operator_action(bool applied) override;
  void outbox_row_published(std::chrono::nanoseconds since_commit) override;
  void outbox_backlog(std::size_t messages, std::size_t bytes) override;
  void message_refused(std::string_view topic) override;
  void message_unknown(std::string_view topic) override;
  void cache_hit() override;
  void cache_miss() override;
  void cache_evicted(std::size_t sagas) override;
  void cache_size(std::size_t lane, std::size_t sagas, std::size_t bytes) override;
  void replayed(std::int64_t transitions) override;
  void divergence(std::string_view definition) override;
  void history_grew(std::string_view definition) override;
  void rebalanced() override;
  void assigned_partitions(const std::map<std::string, std::size_t>& by_topic) override;
  void topic_partitions(const std::map<std::string, std::int32_t>& by_topic) override;
  void consumer_lags(const std::map<TopicPartition, std::int64_t>& records) override;
  void partition_stopped(const TopicPartition& partition) override;
  void partition_resumed(const TopicPartition& partition) override;
  void paused_partitions(std::size_t partitions) override;
  void lane_queue(std::size_t lane, std::size_t inputs, std::size_t bytes) override;
  void timer_lateness(std::chrono::milliseconds lateness) override;
  void local_step_overdue(std::string_view step) override;
  void local_steps_waiting(std::string_view step, std::size_t attempts) override;
  void breaker_changed(std::string_view step, bool open) override;
  void removed_by_retention(std::string_view what, std::size_t sagas) override;
  void schedule_started(std::string_view schedule) override;
  void schedule_skipped(std::string_view schedule, std::string_view reason, std::size_t ticks) override;
  void incarnation_lost() override;
  void gauges(bool held, const Gauges& gauges) override;
  void reached(std::string_view what, bool reached) override;
  /// What the process may take by its configuration.
  void memory_bound(std::size_t bytes);
  /// A definition this process has code for, and how long its sagas may be open before an alert says so.
  void definition(std::string_view name, std::optional<std::chrono::milliseconds> objective);
  /// A local step this process does.
  void local_step(std::string_view name);
  /// Asked at every scrape; thread-safe.
  void connections(std::function<int()> count);

 private:
  void sample() const;
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace skald::api
