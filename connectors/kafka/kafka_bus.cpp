// Questions to the cluster, and the consumers and producers made for it.
#include "kafka/kafka_bus.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "kafka/client.hpp"
#include "kafka/consumer.hpp"
#include "kafka/producer.hpp"
#include "kafka/questioner.hpp"
#include "kafka/topic_admin.hpp"

namespace skald::kafka {
namespace {

constexpr std::chrono::seconds kCreatePatience{30};

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
    std::set<std::string> wanted(topics.begin(), topics.end());
    {
      const std::lock_guard lock(mutex_);
      const auto known = counts_of(topics, kCreatePatience);
      if (!known) return known.error();
      for (const auto& [topic, count] : *known) wanted.erase(topic);
    }
    std::vector<NewTopic> missing;
    missing.reserve(wanted.size());
    for (const std::string& topic : wanted) missing.push_back({.name = topic, .partitions = partitions});
    return kafka::create_topics(options_, missing);
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
