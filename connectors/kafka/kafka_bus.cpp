// Questions to the cluster, and the consumers and producers made for it.
#include "kafka/kafka_bus.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "kafka/client.hpp"
#include "kafka/consumer.hpp"
#include "kafka/producer.hpp"

namespace skald::kafka {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::seconds kCreatePatience{30};
constexpr std::chrono::milliseconds kRound{200};

/// A client that asks and neither reads nor publishes. Used by one thread at a time.
class Questioner final : private ClientEvents {
 public:
  explicit Questioner(const Options& options)
      : target_(std::make_shared<CallbackTarget>(static_cast<ClientEvents*>(this), log_of(options))) {}
  ~Questioner() override { destroy_client(std::move(client_), target_); }

  Result<void> start(const Options& options) {
    auto made = start_client(options, Role::kQuestions, "", target_);
    if (!made) return made.error();
    client_ = std::move(*made);
    return {};
  }

  [[nodiscard]] rd_kafka_t* client() const { return client_.get(); }

  /// All topics of the cluster and their partitions. Asks in short rounds, so that a refusal ends the wait.
  Result<std::map<std::string, std::int32_t>> topics(std::chrono::milliseconds timeout) {
    const auto deadline = steady_clock::now() + timeout;
    refused_ = RD_KAFKA_RESP_ERR_NO_ERROR;
    while (true) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now());
      const auto round = std::clamp(left, std::chrono::milliseconds{1}, kRound);
      const rd_kafka_metadata_t* found = nullptr;
      const auto code = rd_kafka_metadata(client_.get(), 1, nullptr, &found, milliseconds(round));
      const Owned<const rd_kafka_metadata_t> metadata(found);
      rd_kafka_poll(client_.get(), 0);
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return counts(*metadata);
      if (refused_ != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(refused_, "connecting to Kafka", reason_);
      if (left <= round) return to_error(RD_KAFKA_RESP_ERR__TRANSPORT, "connecting to Kafka", reason_);
    }
  }

 private:
  static std::map<std::string, std::int32_t> counts(const rd_kafka_metadata_t& metadata) {
    std::map<std::string, std::int32_t> found;
    for (int index = 0; index < metadata.topic_cnt; ++index)
      if (metadata.topics[index].partition_cnt > 0)
        found[metadata.topics[index].topic] = metadata.topics[index].partition_cnt;
    return found;
  }

  void on_error(rd_kafka_resp_err_t code, const std::string& reason) override {
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && !reason_.empty())
      return;  // says less than the one before
    reason_ = reason;
    if (is_authentication(code, reason)) refused_ = code;
  }

  const std::shared_ptr<CallbackTarget> target_;
  Owned<rd_kafka_t> client_;
  rd_kafka_resp_err_t refused_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string reason_;
};

class KafkaBus final : public Bus {
 public:
  explicit KafkaBus(Options options) : options_(std::move(options)) {}

  Result<std::unique_ptr<Consumer>> consumer(const ConsumerSpec& spec, RebalanceListener& listener) override {
    if (spec.group.empty() && !spec.assign_all)
      return Error{ErrorKind::kRefused, "SKALD-202", "a consumer needs a group"};
    auto made = std::make_unique<KafkaConsumer>(options_, spec, listener);
    if (auto started = made->start(); !started) return started.error();
    return std::unique_ptr<Consumer>(std::move(made));
  }

  Result<std::unique_ptr<Producer>> producer() override {
    auto made = std::make_unique<KafkaProducer>(options_);
    if (auto started = made->start(); !started) return started.error();
    return std::unique_ptr<Producer>(std::move(made));
  }

  Result<std::string> cluster_id(std::chrono::milliseconds timeout) override {
    const std::lock_guard lock(mutex_);
    if (auto ready = prepare(); !ready) return ready.error();
    // Connects first, so that a refusal is told as one.
    if (auto reached = questioner_->topics(timeout); !reached) return reached.error();
    char* found = rd_kafka_clusterid(questioner_->client(), milliseconds(timeout));
    if (found == nullptr) return to_error(RD_KAFKA_RESP_ERR__TIMED_OUT, "asking for the cluster's id");
    std::string id = found;
    rd_kafka_mem_free(questioner_->client(), found);
    return id;
  }

  Result<std::map<std::string, std::int32_t>> partition_counts(std::span<const std::string> topics,
                                                               std::chrono::milliseconds timeout) override {
    const std::lock_guard lock(mutex_);
    return counts_of(topics, timeout);
  }

  Result<void> create_topics(std::span<const std::string> topics, std::int32_t partitions) override {
    if (partitions < 1)
      return Error{ErrorKind::kRefused, "SKALD-208", "a topic needs at least one partition"};
    if (options_.create_topics) return options_.create_topics(topics, partitions);
    const std::lock_guard lock(mutex_);
    const auto deadline = steady_clock::now() + kCreatePatience;
    auto known = counts_of(topics, kCreatePatience);
    if (!known) return known.error();
    std::set<std::string> missing(topics.begin(), topics.end());
    for (const auto& [topic, count] : *known) missing.erase(topic);
    if (missing.empty()) return {};
    if (auto created = create(missing, partitions); !created) return created.error();
    // The controller has them; brokers learn of them a moment later.
    while (steady_clock::now() < deadline) {
      known = counts_of(topics, kRound);
      if (known && known->size() == std::set<std::string>(topics.begin(), topics.end()).size()) return {};
    }
    return Error{ErrorKind::kUnavailable, "SKALD-203", "created topics are not visible yet"};
  }

 private:
  Result<void> prepare() {
    if (questioner_) return {};
    auto made = std::make_unique<Questioner>(options_);
    if (auto started = made->start(options_); !started) return started.error();
    questioner_ = std::move(made);
    return {};
  }

  Result<std::map<std::string, std::int32_t>> counts_of(std::span<const std::string> topics,
                                                        std::chrono::milliseconds timeout) {
    if (auto ready = prepare(); !ready) return ready.error();
    // All of them: asking by name would create a topic where brokers are set to do that.
    auto all = questioner_->topics(timeout);
    if (!all) return all.error();
    std::erase_if(*all, [&](const auto& entry) {
      return std::find(topics.begin(), topics.end(), entry.first) == topics.end();
    });
    return *all;
  }

  Result<void> create(const std::set<std::string>& topics, std::int32_t partitions) {
    auto* client = questioner_->client();
    std::array<char, 512> text{};
    std::vector<Owned<rd_kafka_NewTopic_t>> made;
    std::vector<rd_kafka_NewTopic_t*> list;
    for (const auto& topic : topics) {
      // Replication as the broker has it by default.
      made.emplace_back(rd_kafka_NewTopic_new(topic.c_str(), partitions, -1, text.data(), text.size()));
      if (!made.back())
        return Error{ErrorKind::kRefused, "SKALD-208", "topic '" + topic + "': " + text.data()};
      list.push_back(made.back().get());
    }
    const Owned<rd_kafka_AdminOptions_t> settings(
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS));
    rd_kafka_AdminOptions_set_operation_timeout(settings.get(), 10'000, text.data(), text.size());
    const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(client));
    rd_kafka_CreateTopics(client, list.data(), list.size(), settings.get(), queue.get());
    const Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), milliseconds(kCreatePatience)));
    if (!event) return to_error(RD_KAFKA_RESP_ERR__TIMED_OUT, "creating topics");
    if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return to_error(code, "creating topics", rd_kafka_event_error_string(event.get()));
    std::size_t count = 0;
    const auto* answer = rd_kafka_event_CreateTopics_result(event.get());
    const auto** results = rd_kafka_CreateTopics_result_topics(answer, &count);
    for (std::size_t index = 0; index < count; ++index) {
      const auto code = rd_kafka_topic_result_error(results[index]);
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
      const char* reason = rd_kafka_topic_result_error_string(results[index]);
      return to_error(code,
                      std::string("creating topic '") + rd_kafka_topic_result_name(results[index]) + "'",
                      reason != nullptr ? reason : "");
    }
    return {};
  }

  const Options options_;
  std::mutex mutex_;  ///< guards the questioner
  std::unique_ptr<Questioner> questioner_;
};

}  // namespace

Result<std::unique_ptr<Bus>> open(const Options& options) {
  if (auto checked = check(options); !checked) return checked.error();
  return std::unique_ptr<Bus>(std::make_unique<KafkaBus>(options));
}

Result<void> check_reachable(const Options& options, std::chrono::milliseconds timeout) {
  auto quiet = options;
  quiet.log = [](int, const std::string&) {};  // the answer says it all, in one line
  Questioner questioner(quiet);
  if (auto started = questioner.start(quiet); !started) return started.error();
  if (auto reached = questioner.topics(timeout); !reached) return reached.error();
  return {};
}

void raise_fatal_error(Consumer& consumer) { dynamic_cast<KafkaConsumer&>(consumer).raise_fatal_error(); }
void raise_fatal_error(Producer& producer) { dynamic_cast<KafkaProducer&>(producer).raise_fatal_error(); }

}  // namespace skald::kafka
