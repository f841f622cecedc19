// The position of every partition is kept here and librdkafka is moved to it whenever reading begins or goes on:
// after assignment, resume and seek. librdkafka 2.0.2's own positions are not trusted across these (a partition
// paused before its first record, or sought and then paused, goes on elsewhere), and its batch call, which skips
// records of paused partitions, is not used.
#include "kafka/consumer.hpp"

#include <algorithm>
#include <utility>

#include "ports/footprint.hpp"

namespace skald::kafka {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::milliseconds kSeekPatience{2'000};
constexpr std::chrono::milliseconds kClosePatience{3'000};
constexpr std::chrono::milliseconds kCloseRound{50};
constexpr std::chrono::milliseconds kProbePatience{500};
constexpr std::chrono::seconds kProbeInterval{1};
constexpr std::chrono::seconds kLookInterval{5};
constexpr std::chrono::milliseconds kLookIntervalWhileMissing{500};
constexpr int kErrorSeverity = 3;
constexpr int kWarningSeverity = 4;

Owned<rd_kafka_topic_partition_list_t> make_list(std::size_t size) {
  return Owned<rd_kafka_topic_partition_list_t>(rd_kafka_topic_partition_list_new(static_cast<int>(size)));
}

rd_kafka_topic_partition_t& add(rd_kafka_topic_partition_list_t& list, const TopicPartition& partition) {
  return *rd_kafka_topic_partition_list_add(&list, partition.topic.c_str(), partition.partition);
}

std::string name_of(const TopicPartition& partition) {
  return partition.topic + "[" + std::to_string(partition.partition) + "]";
}

void copy_headers(const rd_kafka_message_t& message, std::vector<Header>& headers) {
  rd_kafka_headers_t* found = nullptr;
  if (rd_kafka_message_headers(&message, &found) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  headers.reserve(rd_kafka_header_cnt(found));
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t index = 0;
       rd_kafka_header_get_all(found, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++index)
    headers.push_back(
        {name, value == nullptr ? std::string() : std::string(static_cast<const char*>(value), size)});
}

Record to_record(const rd_kafka_message_t& message, const std::string& topic) {
  Record record;
  record.topic = topic;
  record.partition = message.partition;
  record.offset = message.offset;
  const auto timestamp = rd_kafka_message_timestamp(&message, nullptr);
  record.timestamp = Time{std::chrono::milliseconds{std::max<std::int64_t>(timestamp, 0)}};
  if (message.key != nullptr) record.key.emplace(static_cast<const char*>(message.key), message.key_len);
  if (message.payload != nullptr)
    record.value.emplace(static_cast<const char*>(message.payload), message.len);
  copy_headers(message, record.headers);
  return record;
}

}  // namespace

KafkaConsumer::KafkaConsumer(Options options, ConsumerSpec spec, RebalanceListener& listener)
    : options_(std::move(options)),
      spec_(std::move(spec)),
      listener_(listener),
      target_(std::make_shared<CallbackTarget>(static_cast<ClientEvents*>(this), log_of(options_))) {}

KafkaConsumer::~KafkaConsumer() { close(); }

void KafkaConsumer::close() {
  if (!client_) return;
  closing_ = true;
  const bool failed = rd_kafka_fatal_error(client_.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
  if (!failed && leave_group()) {
    destroy_client(std::move(client_), target_);
  } else {
    // librdkafka does not close a consumer that failed for good, and waits for ever if asked to destroy it so. One that
    // is still closing may not answer these calls either: it is destroyed as it is, on a thread that may be left behind.
    if (failed) {
      rd_kafka_assign(client_.get(), nullptr);
      rd_kafka_unsubscribe(client_.get());
    }
    destroy_client(std::move(client_), target_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  }
  closing_ = false;
}

// The closing call that waits by itself has no limit: it retries a last commit until the coordinator is back.
bool KafkaConsumer::leave_group() {
  const Owned<rd_kafka_queue_t> events(rd_kafka_queue_new(client_.get()));
  const Owned<rd_kafka_error_t> refused(rd_kafka_consumer_close_queue(client_.get(), events.get()));
  if (refused) return false;
  const auto deadline = steady_clock::now() + kClosePatience;
  while (rd_kafka_consumer_closed(client_.get()) == 0) {
    if (steady_clock::now() >= deadline) {
      log(kWarningSeverity, "kafka: the group is left without a goodbye: its coordinator does not answer");
      return false;
    }
    const Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(events.get(), milliseconds(kCloseRound)));
    if (event && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE)
      rd_kafka_assign(client_.get(), nullptr);
  }
  return true;
}

Result<void> KafkaConsumer::start() {
  // librdkafka wants a group's name even of those who join none.
  const auto group = spec_.group.empty() ? std::string("skald-no-group") : spec_.group;
  auto client = start_client(options_, Role::kConsumer, group, target_);
  if (!client) return client.error();
  client_ = std::move(*client);
  rd_kafka_poll_set_consumer(client_.get());
  if (spec_.assign_all) return {};
  auto topics = make_list(spec_.topics.size());
  for (const auto& topic : spec_.topics) {
    if (topic.empty() || topic.front() == '^')  // librdkafka would take it for a pattern
      return Error{ErrorKind::kRefused, "SKALD-202", "'" + topic + "' is no topic's name"};
    add(*topics, {topic, RD_KAFKA_PARTITION_UA});
  }
  const auto code = rd_kafka_subscribe(client_.get(), topics.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(code, "subscribing");
  return {};
}

// --- reading -------------------------------------------------------------------------------------------------------

Result<std::vector<Record>> KafkaConsumer::poll(std::size_t maximum, std::chrono::milliseconds timeout) {
  std::vector<Record> batch;
  const auto deadline = steady_clock::now() + timeout;
  if (!client_) rebuild();
  if (!client_) return Error{ErrorKind::kUnavailable, "SKALD-207", "the client could not be built again"};
  if (spec_.assign_all)
    if (auto looked = follow_topics(timeout); !looked) return looked.error();
  batch_ = &batch;
  batch_bytes_ = 0;
  do {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now());
    const int wait = batch.empty() ? std::max(milliseconds(left), 0) : 0;
    const Owned<rd_kafka_message_t> message(rd_kafka_consumer_poll(client_.get(), wait));
    if (!message) break;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
      take(*message, batch);
    else
      take_error(*message);
  } while (batch.size() < maximum && batch_bytes_ < options_.maximum_poll_bytes && !fatal_ && !refusal_);
  batch_ = nullptr;
  if (fatal_) {
    rebuild();
    return Error{ErrorKind::kUnavailable, "SKALD-207",
                 "the client failed for good and was built again: " + trouble_};
  }
  if (!batch.empty()) {
    trouble_.clear();
    return batch;
  }
  if (refusal_) return *std::exchange(refusal_, std::nullopt);
  if (!trouble_.empty() || !suspicion_.empty()) probe();
  if (!trouble_.empty()) return Error{ErrorKind::kUnavailable, "SKALD-203", "Kafka is away: " + trouble_};
  return batch;
}

void KafkaConsumer::take(const rd_kafka_message_t& message, std::vector<Record>& batch) {
  const TopicPartition partition{rd_kafka_topic_name(message.rkt), message.partition};
  const auto found = readings_.find(partition);
  if (found == readings_.end()) return;
  auto& reading = found->second;
  // Fetched before a pause, a seek or a failure: it is read again from `next` when reading goes on.
  if (!reading.started || reading.paused || message.offset < reading.next) return;
  batch.push_back(to_record(message, partition.topic));
  batch_bytes_ += memory_bytes(batch.back());
  reading.next = message.offset + 1;
}

void KafkaConsumer::take_error(const rd_kafka_message_t& message) {
  const auto code = message.err;
  const char* text = rd_kafka_message_errstr(&message);
  const std::string reason = text != nullptr ? text : rd_kafka_err2str(code);
  const TopicPartition partition{message.rkt != nullptr ? rd_kafka_topic_name(message.rkt) : "",
                                 message.partition};
  switch (code) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF: return;
    case RD_KAFKA_RESP_ERR__FATAL:
      fatal_ = true;
      trouble_ = reason;
      return;
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
      log(kWarningSeverity, reason);  // the partitions are given up and asked for again by polling on
      return;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION: return fail(partition, code, reason);
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
      refusal_ = to_error(code, "reading" + (partition.topic.empty() ? "" : " " + partition.topic), reason);
      return;
    default: trouble_ = reason;
  }
}

void KafkaConsumer::fail(const TopicPartition& partition, rd_kafka_resp_err_t code,
                         const std::string& reason) {
  const auto found = readings_.find(partition);
  if (found == readings_.end()) {  // a topic as a whole, before any of it was assigned
    if (!told_topics_.insert(partition.topic).second) return;
    log(kErrorSeverity, "kafka: " + partition.topic + ": " + reason);
    listener_.failed({partition.topic, -1}, reason);
    return;
  }
  auto& reading = found->second;
  if (!reading.told.insert(code).second) return;
  std::string told = reason;
  if (code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
    told = "offset " + std::to_string(reading.next) + " is out of range: " + reason;
  log(kErrorSeverity, "kafka: " + name_of(partition) + " is read no further: " + told);
  reading.started = false;
  pause_in_client({partition});  // or it would go on by itself when the topic comes back with other records
  listener_.failed(partition, told);
}

void KafkaConsumer::probe() {
  if (steady_clock::now() < next_probe_) return;
  const rd_kafka_metadata_t* found = nullptr;
  const auto code = rd_kafka_metadata(client_.get(), 0, nullptr, &found, milliseconds(kProbePatience));
  const Owned<const rd_kafka_metadata_t> metadata(found);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
    trouble_.clear();
  else if (trouble_.empty())
    trouble_ = suspicion_;
  suspicion_.clear();
  next_probe_ = steady_clock::now() + kProbeInterval;
}

void KafkaConsumer::on_error(rd_kafka_resp_err_t code, const std::string& reason) {
  if (code == RD_KAFKA_RESP_ERR__FATAL) fatal_ = true;
  const bool away = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || is_authentication(code, reason);
  if (fatal_ || away || !trouble_.empty()) trouble_ = reason;
  // That all brokers are down is told once only, and may be told among the last records: a lost connection is
  // reason enough to ask.
  if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__RESOLVE || away) suspicion_ = reason;
}

void KafkaConsumer::rebuild() {
  give_up();
  close();
  fatal_ = false;
  next_look_ = {};
  told_topics_.clear();
  if (auto started = start(); !started) {
    log(kErrorSeverity, "kafka: " + started.error().message);
    close();
  }
}

// --- assignment ----------------------------------------------------------------------------------------------------

void KafkaConsumer::on_rebalance(rd_kafka_resp_err_t code,
                                 const rd_kafka_topic_partition_list_t& partitions) {
  if (code != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS || closing_) {
    if (!closing_) give_up();
    rd_kafka_assign(client_.get(), nullptr);
    return;
  }
  std::vector<TopicPartition> assigned;
  assigned.reserve(static_cast<std::size_t>(partitions.cnt));
  for (int index = 0; index < partitions.cnt; ++index)
    assigned.push_back({partitions.elems[index].topic, partitions.elems[index].partition});
  std::sort(assigned.begin(), assigned.end());
  take_over(assigned);
}

void KafkaConsumer::take_over(const std::vector<TopicPartition>& partitions) {
  const auto starts = listener_.assigned(partitions);
  readings_.clear();
  for (const auto& partition : partitions) readings_[partition].paused = true;
  for (const auto& start : starts) {
    const auto found = readings_.find(start.partition);
    if (found == readings_.end()) continue;
    found->second = Reading{start.offset, true, false, {}};
  }
  told_topics_.clear();
  assign_started();
}

void KafkaConsumer::give_up() {
  // The listener has not seen these records; whoever owns their partitions next reads them from its own start.
  if (batch_ != nullptr) batch_->clear();
  if (readings_.empty()) return;
  std::vector<TopicPartition> owned;
  owned.reserve(readings_.size());
  for (const auto& [partition, reading] : readings_) owned.push_back(partition);
  readings_.clear();
  listener_.revoked(owned);
}

void KafkaConsumer::assign_started() {
  auto list = make_list(readings_.size());
  std::vector<TopicPartition> paused;
  for (const auto& [partition, reading] : readings_) {
    if (!reading.started) continue;
    add(*list, partition).offset = reading.next;
    if (reading.paused) paused.push_back(partition);
  }
  // A pause outlives an assignment in some versions; each is told anew. Resumed before it, not after: librdkafka's
  // own thread starts the partitions then, and throws a resumption away that overlaps with a start.
  if (list->cnt > 0) rd_kafka_resume_partitions(client_.get(), list.get());
  const auto code = rd_kafka_assign(client_.get(), list.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    log(kErrorSeverity, std::string("kafka: assigning failed: ") + rd_kafka_err2str(code));
  settle_assignment();
  pause_in_client(paused);
}

// librdkafka aborts the process when a partition is taken away again while it is still being stopped by the assignment
// before (its issue 5573). Stopping is a message to its own thread and an answer to that: a question asked behind the
// first is answered behind it, the second behind the answer.
void KafkaConsumer::settle_assignment() {
  for (int round = 0; round < 2; ++round) {
    rd_kafka_topic_partition_list_t* answer = nullptr;
    rd_kafka_assignment(client_.get(), &answer);
    const Owned<rd_kafka_topic_partition_list_t> assigned(answer);
  }
}

Result<void> KafkaConsumer::follow_topics(std::chrono::milliseconds timeout) {
  if (steady_clock::now() < next_look_) return {};
  const auto patience = std::clamp(timeout, std::chrono::milliseconds{100}, std::chrono::milliseconds{5'000});
  const rd_kafka_metadata_t* found = nullptr;
  const auto code = rd_kafka_metadata(client_.get(), 1, nullptr, &found, milliseconds(patience));
  const Owned<const rd_kafka_metadata_t> metadata(found);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    next_look_ = steady_clock::now() + kProbeInterval;
    if (readings_.empty()) return to_error(code, "listing topics");
    return {};  // what is assigned is read on
  }
  const std::set<std::string> wanted(spec_.topics.begin(), spec_.topics.end());
  std::set<std::string> missing = wanted;
  std::vector<TopicPartition> partitions;
  bool changed = false;
  for (int index = 0; index < metadata->topic_cnt; ++index) {
    const auto& topic = metadata->topics[index];
    if (!wanted.contains(topic.topic) || topic.partition_cnt == 0) continue;
    missing.erase(topic.topic);
    for (int number = 0; number < topic.partition_cnt; ++number) {
      partitions.push_back({topic.topic, number});
      changed = changed || !readings_.contains(partitions.back());
    }
  }
  next_look_ = steady_clock::now();
  next_look_ += missing.empty() ? std::chrono::milliseconds(kLookInterval) : kLookIntervalWhileMissing;
  tell_missing(missing);
  if (!changed) return {};
  give_up();
  std::sort(partitions.begin(), partitions.end());
  take_over(partitions);
  return {};
}

// librdkafka says nothing when a topic that is read by direct assignment is deleted. Twice missing is gone: a
// broker that has just started may not know all its topics at once.
void KafkaConsumer::tell_missing(const std::set<std::string>& missing) {
  for (const auto& [partition, reading] : readings_)
    if (missing.contains(partition.topic) && missing_before_.contains(partition.topic) && reading.started)
      fail(partition, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "the topic is gone");
  missing_before_ = missing;
}

// --- pause, resume, seek -------------------------------------------------------------------------------------------

void KafkaConsumer::pause(std::span<const TopicPartition> partitions) {
  std::vector<TopicPartition> running;
  for (const auto& partition : partitions) {
    const auto found = readings_.find(partition);
    if (found == readings_.end() || found->second.paused) continue;
    found->second.paused = true;
    if (found->second.started) running.push_back(partition);
  }
  pause_in_client(running);
}

void KafkaConsumer::pause_in_client(const std::vector<TopicPartition>& partitions) {
  if (partitions.empty() || !client_) return;
  auto list = make_list(partitions.size());
  for (const auto& partition : partitions) add(*list, partition);
  rd_kafka_pause_partitions(client_.get(), list.get());
}

void KafkaConsumer::resume(std::span<const TopicPartition> partitions) {
  std::vector<TopicPartition> stopped;
  for (const auto& partition : partitions) {
    const auto found = readings_.find(partition);
    if (found == readings_.end() || !found->second.paused) continue;
    found->second.paused = false;
    if (found->second.started) stopped.push_back(partition);
  }
  move_client_to(stopped);
}

void KafkaConsumer::move_client_to(const std::vector<TopicPartition>& partitions) {
  if (partitions.empty() || !client_) return;
  auto list = make_list(partitions.size());
  for (const auto& partition : partitions) add(*list, partition).offset = readings_[partition].next;
  rd_kafka_resume_partitions(client_.get(), list.get());
  const Owned<rd_kafka_error_t> error(
      rd_kafka_seek_partitions(client_.get(), list.get(), milliseconds(kSeekPatience)));
  bool moved = !error;
  for (int index = 0; index < list->cnt; ++index)
    moved = moved && list->elems[index].err == RD_KAFKA_RESP_ERR_NO_ERROR;
  if (!moved) assign_started();
}

void KafkaConsumer::seek(const PartitionOffset& position) {
  const auto found = readings_.find(position.partition);
  if (found == readings_.end()) return;
  auto& reading = found->second;
  reading.next = position.offset;
  reading.told.clear();
  const bool known = std::exchange(reading.started, true);
  if (!known)
    assign_started();  // left out or failed: librdkafka does not read it now
  else if (!reading.paused)
    move_client_to({position.partition});
}

// --- questions -----------------------------------------------------------------------------------------------------

void KafkaConsumer::commit(std::span<const PartitionOffset> positions) {
  if (positions.empty() || spec_.group.empty() || !client_) return;
  auto list = make_list(positions.size());
  for (const auto& position : positions)
    if (position.offset >= 0) add(*list, position.partition).offset = position.offset;
  rd_kafka_commit(client_.get(), list.get(), 1);
}

Result<LogRange> KafkaConsumer::log_range(const TopicPartition& partition,
                                          std::chrono::milliseconds timeout) {
  if (!client_) return Error{ErrorKind::kUnavailable, "SKALD-207", "the client is being built again"};
  LogRange range;
  const auto code =
      rd_kafka_query_watermark_offsets(client_.get(), partition.topic.c_str(), partition.partition,
                                       &range.start, &range.end, milliseconds(timeout));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return to_error(code, "asking for the offsets of " + name_of(partition));
  return range;
}

Result<std::vector<std::optional<std::int64_t>>> KafkaConsumer::log_ends(
    std::span<const TopicPartition> partitions, std::chrono::milliseconds timeout) {
  return list_offsets(partitions, RD_KAFKA_OFFSET_END, timeout);
}

Result<std::vector<std::optional<std::int64_t>>> KafkaConsumer::offsets_at(
    std::span<const TopicPartition> partitions, Time time, std::chrono::milliseconds timeout) {
  auto offsets = list_offsets(partitions, time.time_since_epoch().count(), timeout);
  if (!offsets) return offsets;
  for (auto& offset : *offsets) {
    if (offset) continue;  // none so late, or an error
    auto ends = log_ends(partitions, timeout);
    if (!ends) return ends;
    for (std::size_t index = 0; index < ends->size(); ++index)
      if (!(*offsets)[index]) (*offsets)[index] = (*ends)[index];
    break;
  }
  return offsets;
}

/// `which`: a time in milliseconds, or one of librdkafka's logical offsets.
Result<std::vector<std::optional<std::int64_t>>> KafkaConsumer::list_offsets(
    std::span<const TopicPartition> partitions, std::int64_t which, std::chrono::milliseconds timeout) {
  if (!client_) return Error{ErrorKind::kUnavailable, "SKALD-207", "the client is being built again"};
  auto list = make_list(partitions.size());
  for (const auto& partition : partitions) add(*list, partition).offset = which;
  const auto code = rd_kafka_offsets_for_times(client_.get(), list.get(), milliseconds(timeout));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(code, "asking for the offsets of the logs");
  std::vector<std::optional<std::int64_t>> offsets(partitions.size());
  for (std::size_t index = 0; index < partitions.size(); ++index) {
    const auto* found = rd_kafka_topic_partition_list_find(list.get(), partitions[index].topic.c_str(),
                                                           partitions[index].partition);
    if (found != nullptr && found->err == RD_KAFKA_RESP_ERR_NO_ERROR && found->offset >= 0)
      offsets[index] = found->offset;
  }
  return offsets;
}

std::optional<std::int64_t> KafkaConsumer::cached_end(const TopicPartition& partition) const {
  std::int64_t start = 0;
  std::int64_t end = 0;
  if (!client_ || !readings_.contains(partition)) return std::nullopt;
  const auto code = rd_kafka_get_watermark_offsets(client_.get(), partition.topic.c_str(),
                                                   partition.partition, &start, &end);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR || end < 0) return std::nullopt;
  return end;
}

void KafkaConsumer::raise_fatal_error() {
  rd_kafka_test_fatal_error(client_.get(), RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, "raised by a test");
}

void KafkaConsumer::log(int severity, const std::string& line) const { target_->log(severity, line); }

}  // namespace skald::kafka
