// The mock cluster and the count of what its partitions hold.
#include "kafka/dev_broker.hpp"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "kafka/client.hpp"
#include "kafka/kafka_bus.hpp"

namespace skald::kafka {
namespace {

constexpr std::int16_t kProduceRequest = 0;
constexpr std::size_t kRecordOverheadBytes = 70;  ///< a batch of one; batches of many have less
constexpr std::chrono::milliseconds kRound{50};
constexpr std::chrono::seconds kQuietLimit{3};
constexpr std::chrono::milliseconds kQuestionPatience{1'000};

struct DestroyCluster {
  void operator()(rd_kafka_mock_cluster_t* cluster) const { rd_kafka_mock_cluster_destroy(cluster); }
};

struct Counted {
  std::int64_t records = 0;
  std::int64_t bytes = 0;
};

/// Reads every partition from where it was once begun.
class FromTheBeginning final : public RebalanceListener {
 public:
  explicit FromTheBeginning(const std::map<TopicPartition, std::int64_t>& next) : next_(next) {}
  std::vector<PartitionOffset> assigned(const std::vector<TopicPartition>& partitions) override {
    began = true;
    this->partitions = partitions;
    std::vector<PartitionOffset> starts;
    for (const auto& partition : partitions) {
      const auto known = next_.find(partition);
      starts.push_back({partition, known == next_.end() ? PartitionOffset::kBeginning : known->second});
    }
    return starts;
  }
  void revoked(const std::vector<TopicPartition>&) override {}
  void failed(const TopicPartition& partition, const std::string&) override { lost.insert(partition); }

  bool began = false;
  std::vector<TopicPartition> partitions;
  std::set<TopicPartition> lost;  ///< records went before they were counted

 private:
  const std::map<TopicPartition, std::int64_t>& next_;
};

std::size_t size_of(const Record& record) {
  std::size_t size = kRecordOverheadBytes + record.key.value_or("").size() + record.value.value_or("").size();
  for (const auto& header : record.headers) size += header.name.size() + header.value.size();
  return size;
}

}  // namespace

class DevBroker::Implementation {
 public:
  Result<void> start() {
    Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
    std::array<char, 512> text{};
    rd_kafka_conf_set(conf.get(), "client.id", "skald-dev-broker", text.data(), text.size());
    rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t*, int, const char*, const char*) {});
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), text.data(), text.size()));
    if (!client_) return Error{ErrorKind::kUnavailable, "SKALD-203", text.data()};
    static_cast<void>(conf.release());
    cluster_.reset(rd_kafka_mock_cluster_new(client_.get(), 1));
    if (!cluster_) return Error{ErrorKind::kUnavailable, "SKALD-203", "the development broker did not start"};
    return {};
  }

  [[nodiscard]] std::string bootstrap_servers() const {
    return rd_kafka_mock_cluster_bootstraps(cluster_.get());
  }

  Result<void> create_topics(std::span<const std::string> topics, std::int32_t partitions) {
    const std::lock_guard lock(mutex_);
    for (const auto& topic : topics) {
      const auto code = rd_kafka_mock_topic_create(cluster_.get(), topic.c_str(), partitions, 1);
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return to_error(code, "creating topic '" + topic + "'");
      topics_.insert(topic);
    }
    return {};
  }

  std::vector<Usage> nearly_full(double share) {
    const std::lock_guard lock(mutex_);
    if (topics_.empty()) return {};
    Options options;
    options.bootstrap_servers = bootstrap_servers();
    options.log = [](int, const std::string&) {};
    auto bus = open(options);
    if (!bus) return {};
    FromTheBeginning listener(next_);
    auto consumer = (*bus)->consumer({{topics_.begin(), topics_.end()}, "", true}, listener);
    if (!consumer) return {};
    count(**consumer, listener);
    std::vector<Usage> found;
    for (const auto& [partition, counted] : counted_) {
      const auto range = (*consumer)->log_range(partition, kQuestionPatience);
      if (!range || counted.records == 0) continue;
      const auto held = std::clamp<std::int64_t>(range->end - range->start, 0, counted.records);
      const Usage usage{partition, counted.bytes / counted.records * held, range->start};
      const bool full = static_cast<double>(usage.bytes) > share * static_cast<double>(kPartitionBytesLimit);
      if (full || usage.forgotten > 0) found.push_back(usage);
      if (listener.lost.contains(partition)) next_[partition] = range->start;
    }
    return found;
  }

  rd_kafka_mock_cluster_t* cluster() { return cluster_.get(); }

 private:
  /// Reads on to the end of every partition, or until nothing comes for a while.
  void count(Consumer& consumer, FromTheBeginning& listener) {
    auto quiet_since = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - quiet_since < kQuietLimit) {
      const auto records = consumer.poll(10'000, kRound);
      if (!records) return;
      for (const auto& record : *records) {
        const TopicPartition partition{record.topic, record.partition};
        next_[partition] = record.offset + 1;
        ++counted_[partition].records;
        counted_[partition].bytes += static_cast<std::int64_t>(size_of(record));
      }
      if (!records->empty()) quiet_since = std::chrono::steady_clock::now();
      if (records->empty() && listener.began && at_end(consumer, listener)) return;
    }
  }

  bool at_end(const Consumer& consumer, const FromTheBeginning& listener) {
    return std::all_of(listener.partitions.begin(), listener.partitions.end(), [&](const auto& partition) {
      const auto end = consumer.cached_end(partition);
      return listener.lost.contains(partition) || (end && (*end == 0 || next_[partition] >= *end));
    });
  }

  Owned<rd_kafka_t> client_;
  std::unique_ptr<rd_kafka_mock_cluster_t, DestroyCluster> cluster_;
  std::mutex mutex_;  ///< guards what follows
  std::set<std::string> topics_;
  std::map<TopicPartition, std::int64_t> next_;
  std::map<TopicPartition, Counted> counted_;
};

DevBroker::DevBroker(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
DevBroker::~DevBroker() = default;

Result<std::unique_ptr<DevBroker>> DevBroker::start() {
  auto made = std::make_unique<Implementation>();
  if (auto started = made->start(); !started) return started.error();
  return std::unique_ptr<DevBroker>(new DevBroker(std::move(made)));
}

std::string DevBroker::bootstrap_servers() const { return implementation_->bootstrap_servers(); }

Options DevBroker::options() {
  Options options;
  options.bootstrap_servers = bootstrap_servers();
  options.create_topics = [this](std::span<const std::string> topics, std::int32_t partitions) {
    return create_topics(topics, partitions);
  };
  return options;
}

Result<void> DevBroker::create_topics(std::span<const std::string> topics, std::int32_t partitions) {
  return implementation_->create_topics(topics, partitions);
}

std::vector<DevBroker::Usage> DevBroker::nearly_full(double share) {
  return implementation_->nearly_full(share);
}

void DevBroker::take_down() { rd_kafka_mock_broker_set_down(implementation_->cluster(), -1); }

void DevBroker::bring_up() { rd_kafka_mock_broker_set_up(implementation_->cluster(), -1); }

void DevBroker::fail_produce_requests(int error_code, int count) {
  const std::vector<rd_kafka_resp_err_t> errors(static_cast<std::size_t>(count),
                                                static_cast<rd_kafka_resp_err_t>(error_code));
  rd_kafka_mock_push_request_errors_array(implementation_->cluster(), kProduceRequest, errors.size(),
                                          errors.data());
}

void DevBroker::set_round_trip_ms(int delay_ms) {
  rd_kafka_mock_broker_set_rtt(implementation_->cluster(), -1, delay_ms);
}

}  // namespace skald::kafka
