// Observer: the seam through which the runtime tells what happens, for metrics and alerts. Implementations are
// thread-safe, cheap and never throw; names passed as string_view live for the call only, unless they name a
// step or saga definition. The API layer implements it with prometheus-cpp.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "engine/transition.hpp"
#include "ports/bus.hpp"
#include "ports/identity.hpp"
#include "ports/store.hpp"

namespace skald::runtime {

class Observer {
 public:
  virtual ~Observer() = default;

  // Sagas. `duration` is between the store's times of start and end.
  virtual void saga_started(std::string_view /*definition*/) {}
  virtual void saga_ended(std::string_view /*definition*/, SagaStatus /*outcome*/,
                          std::chrono::milliseconds /*duration*/) {}
  /// `step`: empty if it is no step that is stuck.
  virtual void saga_stuck(std::string_view /*definition*/, std::string_view /*step*/,
                          std::string_view /*reason*/) {}
  virtual void history_grew(std::string_view /*definition*/) {}  ///< beyond what is warned of
  virtual void step_settled(std::string_view /*definition*/, const engine::StepObservation& /*step*/) {}

  // Batches.
  virtual void batch_committed(std::size_t /*inputs*/, std::chrono::nanoseconds /*duration*/) {}
  virtual void batch_failed(ErrorKind /*kind*/) {}
  virtual void sequence_conflicts(std::size_t /*sagas*/) {}  ///< writes or fences another process overtook

  // Inputs. I11: consumed = applied + duplicates + dead letters + parked + forwarded, by topic.
  virtual void record_consumed(std::string_view /*topic*/) {}
  virtual void record_filtered(std::string_view /*topic*/) {}   ///< no trigger wanted it
  virtual void record_forwarded(std::string_view /*topic*/) {}  ///< to the database that has its saga
  virtual void input_applied(std::string_view /*kind*/) {}
  virtual void input_ignored(std::string_view /*kind*/, engine::Judgement /*judgement*/) {
  }  ///< duplicate, late, ended
  virtual void dead_letter(std::string_view /*topic*/, std::string_view /*code*/) {}
  virtual void parked(ParkReason /*reason*/) {}
  virtual void paused(const PauseSet& /*pauses*/) {}  ///< what is paused from now on, and nothing else
  virtual void operator_action(bool /*applied*/) {}

  // Outbox.
  virtual void outbox_row_published(std::chrono::nanoseconds /*since_commit*/) {}
  virtual void outbox_backlog(std::size_t /*messages*/, std::size_t /*bytes*/) {}
  virtual void message_refused(std::string_view /*topic*/) {}
  virtual void message_unknown(std::string_view /*topic*/) {}  ///< published again

  // Cache and replay.
  virtual void cache_hit() {}
  virtual void cache_miss() {}
  virtual void cache_evicted(std::size_t /*sagas*/) {}
  virtual void cache_size(std::size_t /*lane*/, std::size_t /*sagas*/, std::size_t /*bytes*/) {}
  virtual void replayed(std::int64_t /*transitions*/) {}
  virtual void divergence(std::string_view /*definition*/) {}

  // Partitions.
  virtual void rebalanced() {}
  /// Of every topic it reads: how many partitions this process has. In the place of what was told before.
  virtual void assigned_partitions(const std::map<std::string, std::size_t>& /*by_topic*/) {}
  /// How many partitions the topics have that it reads.
  virtual void topic_partitions(const std::map<std::string, std::int32_t>& /*by_topic*/) {}
  /// Records that are in this process's partitions and not applied yet. In the place of what was told before.
  virtual void consumer_lags(const std::map<TopicPartition, std::int64_t>& /*records*/) {}
  virtual void partition_stopped(const TopicPartition& /*partition*/) {}
  virtual void partition_resumed(const TopicPartition& /*partition*/) {}
  virtual void paused_partitions(std::size_t /*partitions*/) {}
  virtual void lane_queue(std::size_t /*lane*/, std::size_t /*inputs*/, std::size_t /*bytes*/) {}

  // Time.
  virtual void timer_lateness(std::chrono::milliseconds /*lateness*/) {}
  virtual void local_step_overdue(std::string_view /*step*/) {
  }  ///< still running past its attempt's deadline
  /// Attempts of a step with limits that have not begun.
  virtual void local_steps_waiting(std::string_view /*step*/, std::size_t /*attempts*/) {}
  virtual void breaker_changed(std::string_view /*step*/, bool /*open*/) {}  ///< half-open counts as open
  /// `what`: "history" or "saga".
  virtual void removed_by_retention(std::string_view /*what*/, std::size_t /*sagas*/) {}
  virtual void schedule_started(std::string_view /*schedule*/) {}  ///< one saga, by this process
  /// "late", "overlap" or "refused".
  virtual void schedule_skipped(std::string_view /*schedule*/, std::string_view /*reason*/,
                                std::size_t /*ticks*/) {}
  virtual void incarnation_lost() {}  ///< others took us for dead

  /// Of the whole database, from the one process that holds the lease; `held` false: another one has it now.
  virtual void gauges(bool /*held*/, const Gauges& /*gauges*/) {}
  /// Are the database and Kafka reached?
  virtual void reached(std::string_view /*what: "store" or "bus"*/, bool /*reached*/) {}
};

/// Ignores everything.
class NullObserver final : public Observer {};

}  // namespace skald::runtime
