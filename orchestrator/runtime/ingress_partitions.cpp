// Which partitions are read, from where, and which are stopped.
#include <algorithm>

#include "runtime/codes.hpp"
#include "runtime/ingress.hpp"

namespace skald::runtime {

std::vector<PartitionOffset> Ingress::assigned(const std::vector<TopicPartition>& partitions) {
  parts_.seams.observer.rebalanced();
  partitions_.clear();
  paused_.clear();
  recount_ = true;
  questions_until_ = parts_.seams.clock.monotonic() + parts_.settings.broker_timeout;
  const auto positions = load_positions();
  std::vector<PartitionOffset> starts;
  for (const TopicPartition& partition : partitions) {
    parts_.tracker.assign(partition);
    Partition& state = partitions_[partition];
    const auto start = positions ? place_partition(partition, state, *positions) : std::nullopt;
    if (start) {
      starts.push_back({partition, *start});
    } else {
      paused_.insert(partition);
    }
  }
  place_at_ = parts_.seams.clock.monotonic() + parts_.settings.backoff_initial;
  parts_.progress.set_assigned(true);
  tell_assigned();
  publish_stopped();
  return starts;
}

void Ingress::revoked(const std::vector<TopicPartition>& partitions) {
  save_positions();  // what is applied by now; the rest is read again by whoever owns it next
  parts_.progress.set_assigned(false);
  for (const TopicPartition& partition : partitions) {
    parts_.tracker.revoke(partition);
    const auto known = partitions_.find(partition);
    if (known != partitions_.end() && known->second.state == State::kStopped)
      parts_.seams.observer.partition_resumed(partition);  // whoever has it now says so if it still is
    partitions_.erase(partition);
    paused_.erase(partition);
    if (is_reply(partition)) parts_.progress.disown(partition.partition);
  }
  tell_assigned();
  publish_stopped();
}

void Ingress::failed(const TopicPartition& partition, const std::string& reason) {
  for (auto& [known, state] : partitions_)
    if (known.topic == partition.topic && (partition.partition < 0 || known.partition == partition.partition))
      stop_partition(known, state, reason, true);
}

std::optional<std::vector<Position>> Ingress::load_positions() {
  Session* session = link_.session();
  if (session == nullptr) return std::nullopt;
  auto positions = session->positions(cluster_id_);
  if (!positions) {
    link_.failed(positions.error());
    return std::nullopt;
  }
  link_.succeeded();
  return std::move(positions).value();
}

std::optional<std::int64_t> Ingress::place_partition(const TopicPartition& partition, Partition& state,
                                                     const std::vector<Position>& positions) {
  const auto found = std::find_if(positions.begin(), positions.end(),
                                  [&](const Position& position) { return position.partition == partition; });
  state.position = found == positions.end() ? std::nullopt : std::optional(*found);
  if (state.position) state.next = state.position->next_offset;
  const auto now = parts_.seams.clock.monotonic();
  if (now >= questions_until_) return std::nullopt;
  state.asked_at = now;
  auto log = consumer_->log_range(partition, question_timeout());
  if (!log) return std::nullopt;
  const Placement placement = place(state.position, *log);
  if (!placement.problem.empty()) {
    stop_partition(partition, state, placement.problem, false);
    return std::nullopt;
  }
  state.state = placement.verify ? State::kVerifying : State::kReading;
  state.reason.clear();
  state.next = state.position ? state.position->next_offset : log->start;
  if (is_reply(partition))
    parts_.progress.own(partition.partition, state.position ? state.position->next_offset : log->start);
  return placement.start;
}

void Ingress::stop_partition(const TopicPartition& partition, Partition& state, std::string reason,
                             bool retry) {
  const bool told = state.reason == reason;
  state.state = State::kStopped;
  state.retry = retry;
  state.reason = std::move(reason);
  if (is_reply(partition)) parts_.progress.disown(partition.partition);
  parts_.seams.observer.partition_stopped(partition);
  publish_stopped();
  if (told) return;
  parts_.seams.logger.error("A partition is stopped: nothing of it is read until a position is accepted.",
                            {{"topic", partition.topic},
                             {"partition", partition.partition},
                             {"code", std::string(code::kPartitionStopped)},
                             {"reason", state.reason}});
}

void Ingress::place_waiting() {
  const auto now = parts_.seams.clock.monotonic();
  const bool asked = recheck_.exchange(false);
  if (!asked && now < place_at_) return;
  place_at_ = now + parts_.settings.stopped_recheck;
  const bool any = std::any_of(partitions_.begin(), partitions_.end(), [](const auto& entry) {
    return entry.second.state == State::kUnplaced || entry.second.state == State::kStopped;
  });
  if (!any || !reached_) return;  // an absent broker is noticed, and missed no longer, by polling
  questions_until_ = now + parts_.settings.broker_timeout;
  const auto positions = load_positions();
  if (!positions) {
    place_at_ = now + parts_.settings.backoff_initial;
    return;
  }
  // The one asked longest ago first: partitions without a leader must not use up the time of the others for ever.
  std::vector<std::pair<const TopicPartition, Partition>*> waiting;
  for (auto& entry : partitions_)
    if (entry.second.state == State::kUnplaced || entry.second.state == State::kStopped)
      waiting.push_back(&entry);
  std::stable_sort(waiting.begin(), waiting.end(), [](const auto* left, const auto* right) {
    return left->second.asked_at < right->second.asked_at;
  });
  for (auto* entry : waiting) {
    auto& [partition, state] = *entry;
    if (state.state == State::kStopped && !state.retry) {
      // Only an operator's new position moves it.
      const auto found = std::find_if(positions->begin(), positions->end(), [&](const Position& position) {
        return position.partition == partition;
      });
      const bool same =
          found == positions->end() || (state.position && found->next_offset == state.position->next_offset &&
                                        found->last_offset == state.position->last_offset);
      if (same) continue;
    }
    const bool was_stopped = state.state == State::kStopped;
    const auto start = place_partition(partition, state, *positions);
    if (!start) continue;
    parts_.tracker.assign(partition);
    consumer_->seek({partition, *start});
    if (was_stopped) {
      parts_.seams.observer.partition_resumed(partition);
      parts_.seams.logger.info("A stopped partition is read again.",
                               {{"topic", partition.topic}, {"partition", partition.partition}});
    }
  }
  publish_stopped();
}

void Ingress::publish_stopped() {
  std::vector<StoppedPartition> stopped;
  for (const auto& [partition, state] : partitions_)
    if (state.state == State::kStopped) stopped.push_back({partition, state.reason, state.position});
  const std::scoped_lock lock(stopped_mutex_);
  stopped_ = std::move(stopped);
}

}  // namespace skald::runtime
