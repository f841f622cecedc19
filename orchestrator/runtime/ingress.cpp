// The ingress round: connect, place, poll, decode, hand over, record positions.
#include "runtime/ingress.hpp"

#include <algorithm>
#include <limits>

#include "runtime/codes.hpp"

namespace skald::runtime {

namespace {
constexpr std::chrono::milliseconds kPollWhileAsked{10};
constexpr std::chrono::milliseconds kAnswering{1'000};
constexpr std::chrono::milliseconds kLagInterval{5'000};
constexpr std::chrono::milliseconds kPausedLagInterval{15'000};
}  // namespace

Ingress::Ingress(Parts parts)
    : parts_(std::move(parts)),
      link_(parts_.seams, parts_.settings, "ingress"),
      backoff_(parts_.settings, parts_.seams.random) {}

Ingress::~Ingress() = default;

bool Ingress::run_once(std::chrono::milliseconds timeout) {
  const bool worked = ensure_consumer() && read_once(timeout);
  progressed_at_ = parts_.seams.clock.monotonic();
  return worked;
}

bool Ingress::read_once(std::chrono::milliseconds timeout) {
  if (recount_ && reached_) count_partitions();
  place_waiting();
  apply_pressure();
  // Who asks for the ends of partitions holds sagas that fell due, and soon asks again.
  if (parts_.seams.clock.monotonic() < answering_until_) timeout = std::min(timeout, kPollWhileAsked);
  auto records = consumer_->poll(parts_.settings.maximum_poll, timeout);
  bool worked = false;
  if (records) {
    bus_works();
    worked = !records->empty();
    take(std::move(records).value());
  } else {
    bus_failed(records.error());
  }
  if (!parts_.progress.asked().empty()) answer_ends();
  if (parts_.seams.clock.monotonic() >= save_at_) save_positions();
  if (parts_.seams.clock.monotonic() >= lag_at_) tell_lag();
  return worked;
}

void Ingress::finish() {
  save_positions();
  consumer_.reset();
  partitions_.clear();
  paused_.clear();
  parts_.progress.set_assigned(false);
  tell_assigned();
  parts_.seams.observer.consumer_lags({});
}

bool Ingress::ensure_consumer() {
  if (consumer_) return true;
  if (parts_.seams.clock.monotonic() < connect_at_) return false;
  const auto timeout = parts_.settings.broker_timeout;
  auto cluster = parts_.seams.bus.cluster_id(timeout);
  if (!cluster) {
    bus_failed(cluster.error());
    return false;
  }
  auto counts = parts_.seams.bus.partition_counts(parts_.decoder.topics(), timeout);
  if (!counts) {
    bus_failed(counts.error());
    return false;
  }
  if (const auto& reply = parts_.decoder.reply_topic(); !counts->contains(reply)) {
    bus_failed({ErrorKind::kUnavailable, "", "the reply topic " + reply + " does not exist"});
    return false;
  }
  cluster_id_ = *cluster;
  tell_partitions(*counts);
  ConsumerSpec spec{parts_.decoder.topics(), parts_.settings.consumer_group,
                    parts_.settings.assign_all_partitions};
  auto consumer = parts_.seams.bus.consumer(spec, *this);
  if (!consumer) {
    bus_failed(consumer.error());
    return false;
  }
  consumer_ = std::move(consumer).value();
  bus_works();
  return true;
}

/// After every rebalance: partitions may have been added, and replies to a saga come to another one then.
void Ingress::count_partitions() {
  const auto counts =
      parts_.seams.bus.partition_counts(parts_.decoder.topics(), parts_.settings.broker_timeout);
  if (!counts || !counts->contains(parts_.decoder.reply_topic())) return;
  tell_partitions(*counts);
  recount_ = false;
}

void Ingress::tell_partitions(const std::map<std::string, std::int32_t>& counts) {
  parts_.progress.set_cluster(cluster_id_, counts.at(parts_.decoder.reply_topic()));
  parts_.seams.observer.topic_partitions(counts);
}

void Ingress::tell_assigned() {
  std::map<std::string, std::size_t> assigned;
  for (const std::string& topic : parts_.decoder.topics()) assigned[topic] = 0;
  for (const auto& [partition, state] : partitions_) ++assigned[partition.topic];
  parts_.seams.observer.assigned_partitions(assigned);
  parts_.seams.observer.paused_partitions(paused_.size());
}

/// By what the client knows from its last fetches. It fetches nothing of a paused partition: these are asked about,
/// all with one question and seldom.
void Ingress::tell_lag() {
  const auto now = parts_.seams.clock.monotonic();
  lag_at_ = now + kLagInterval;
  if (paused_.empty()) paused_ends_.clear();
  if (!paused_.empty() && reached_ && now >= paused_ends_at_) {
    paused_ends_at_ = now + kPausedLagInterval;
    paused_ends_.clear();
    const std::vector<TopicPartition> paused(paused_.begin(), paused_.end());
    const auto ends = consumer_->log_ends(paused, question_timeout());
    for (std::size_t index = 0; ends && index < paused.size(); ++index)
      if ((*ends)[index]) paused_ends_[paused[index]] = *(*ends)[index];
  }
  std::map<TopicPartition, std::int64_t> lags;
  for (const auto& [partition, state] : partitions_) {
    auto end = consumer_->cached_end(partition);
    if (const auto asked = paused_ends_.find(partition); asked != paused_ends_.end())
      end = std::max(end.value_or(0), asked->second);
    const std::int64_t next = std::max(state.next, parts_.tracker.next_offset(partition).value_or(-1));
    if (end && next >= 0) lags[partition] = std::max<std::int64_t>(*end - next, 0);
  }
  parts_.seams.observer.consumer_lags(lags);
}

void Ingress::bus_failed(const Error& error) {
  connect_at_ = parts_.seams.clock.monotonic() + backoff_.next();
  parts_.seams.observer.reached("bus", false);
  if (reached_.exchange(false) || backoff_.first())
    parts_.seams.logger.error("Kafka is away; waiting for it.",
                              {{"code", error.code}, {"reason", error.message}});
}

void Ingress::bus_works() {
  backoff_.reset();
  if (reached_.exchange(true)) return;
  parts_.seams.observer.reached("bus", true);
  parts_.seams.logger.info("Kafka is reached.", {{"cluster", cluster_id_}});
}

void Ingress::take(std::vector<Record> records) {
  std::vector<Work> works;
  works.reserve(records.size());
  std::map<std::int32_t, std::int64_t> replies;
  for (Record& record : records) {
    const auto place = partitions_.find({record.topic, record.partition});
    if (place == partitions_.end()) continue;  // revoked meanwhile: whoever owns it now reads it
    if (!accept_first(record, place->second)) continue;
    parts_.seams.observer.record_consumed(record.topic);
    const std::uint32_t checksum = checksum_of(record);
    const auto shared = std::make_shared<const Record>(std::move(record));
    std::vector<Work> made = parts_.decoder.decode(shared);
    const RecordMark mark = parts_.tracker.begin(*shared, checksum, static_cast<int>(made.size()));
    if (made.empty()) parts_.seams.observer.record_filtered(shared->topic);
    for (Work& work : made) {
      work.mark = mark;
      works.push_back(std::move(work));
    }
    if (is_reply(place->first)) replies[shared->partition] = shared->offset + 1;
  }
  parts_.router.route(std::move(works));
  for (const auto& [partition, next] : replies) parts_.progress.handed_over(partition, next);
}

bool Ingress::accept_first(const Record& record, Partition& state) {
  if (state.state == State::kReading) return true;
  if (state.state != State::kVerifying) return false;
  const auto first = verify(*state.position, record);
  if (first == FirstRecord::kForeign) {
    stop_partition({record.topic, record.partition}, state,
                   "the record at offset " + std::to_string(record.offset) +
                       " is not the one applied before: the topic was recreated, or the database restored",
                   false);
    return false;
  }
  state.state = State::kReading;
  return first == FirstRecord::kBeyond;
}

void Ingress::save_positions() {
  save_at_ = parts_.seams.clock.monotonic() + parts_.settings.save_positions_interval;
  const std::vector<Position> moved = parts_.tracker.take_moved();
  if (moved.empty()) return;
  Session* session = link_.session();
  if (session == nullptr) return parts_.tracker.give_back(moved);
  auto saved = session->save_positions(cluster_id_, moved);
  if (!saved) {
    link_.failed(saved.error());
    return parts_.tracker.give_back(moved);
  }
  link_.succeeded();
  std::vector<PartitionOffset> hints;
  hints.reserve(moved.size());
  for (const Position& position : moved) hints.push_back({position.partition, position.next_offset});
  if (consumer_) consumer_->commit(hints);
}

void Ingress::answer_ends() {
  const auto now = parts_.seams.clock.monotonic();
  if (now < ends_at_ || !reached_) return;
  answering_until_ = now + kAnswering;
  const std::uint64_t ticket = parts_.progress.newest_ticket();
  std::vector<TopicPartition> partitions;
  for (const std::int32_t partition : parts_.progress.asked())
    partitions.push_back({parts_.decoder.reply_topic(), partition});
  const auto ends = consumer_->log_ends(partitions, question_timeout());
  for (std::size_t index = 0; ends && index < partitions.size(); ++index)
    if ((*ends)[index]) parts_.progress.answer(partitions[index].partition, *(*ends)[index], ticket);
  const bool all = ends && std::none_of(ends->begin(), ends->end(), [](const auto& end) { return !end; });
  if (!all) ends_at_ = parts_.seams.clock.monotonic() + parts_.settings.broker_timeout;
}

void Ingress::apply_pressure() {
  const Settings& s = parts_.settings;
  const Pressure now = parts_.pressure();
  // What there is; where trigger partitions pause and resume; where reply partitions do.
  struct Mark {
    std::size_t amount, pause, resume, pause_replies, resume_replies;
  };
  constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
  const auto doubled = [](std::size_t amount, std::size_t high) {
    return Mark{amount, high, high / 2, 2 * high, high};
  };
  const Mark marks[] = {
      {now.starts, s.queue_high, s.queue_low, kNever, kNever},
      {now.urgent, kNever, kNever, s.queue_urgent_high, s.queue_urgent_high / 2},
      doubled(now.bytes, s.queue_bytes_high),
      {now.outbox, s.outbox_high, s.outbox_low, 2 * s.outbox_high, s.outbox_high},
      doubled(now.outbox_bytes, s.outbox_bytes_high),
      {now.local, s.local_high, s.local_high / 2, kNever, kNever},
      doubled(now.local_bytes, s.local_bytes_high),
      doubled(parts_.tracker.pending(), s.open_records_high),
  };
  const auto over = [&marks](bool paused, std::size_t Mark::*pause, std::size_t Mark::*resume) {
    return std::any_of(std::begin(marks), std::end(marks),
                       [&](const Mark& mark) { return mark.amount > mark.*(paused ? resume : pause); });
  };
  starts_paused_ = over(starts_paused_, &Mark::pause, &Mark::resume);
  replies_paused_ = over(replies_paused_, &Mark::pause_replies, &Mark::resume_replies);

  const auto pauses = parts_.pauses.now();
  std::vector<TopicPartition> pause;
  std::vector<TopicPartition> resume;
  for (const auto& [partition, state] : partitions_) {
    const bool unread = state.state == State::kStopped || state.state == State::kUnplaced;
    const bool wanted = unread || (is_reply(partition) ? replies_paused_ : starts_paused_) ||
                        parts_.decoder.starts_only_paused(partition.topic, *pauses);
    if (wanted && paused_.insert(partition).second) pause.push_back(partition);
    if (!wanted && paused_.erase(partition) > 0) resume.push_back(partition);
  }
  if (!pause.empty()) consumer_->pause(pause);
  if (!resume.empty()) consumer_->resume(resume);
  if (!pause.empty() || !resume.empty()) parts_.seams.observer.paused_partitions(paused_.size());
}

std::vector<StoppedPartition> Ingress::stopped() const {
  const std::scoped_lock lock(stopped_mutex_);
  return stopped_;
}

}  // namespace skald::runtime
