// One group member on librdkafka. Internal to this folder; see consumer.cpp for how positions are kept.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kafka/client.hpp"

namespace skald::kafka {

class KafkaConsumer final : public Consumer, private ClientEvents {
 public:
  KafkaConsumer(Options options, ConsumerSpec spec, RebalanceListener& listener);
  ~KafkaConsumer() override;

  /// Connects lazily; an error is one of configuration.
  Result<void> start();

  Result<std::vector<Record>> poll(std::size_t maximum, std::chrono::milliseconds timeout) override;
  void pause(std::span<const TopicPartition> partitions) override;
  void resume(std::span<const TopicPartition> partitions) override;
  void seek(const PartitionOffset& position) override;
  void commit(std::span<const PartitionOffset> positions) override;
  Result<LogRange> log_range(const TopicPartition& partition, std::chrono::milliseconds timeout) override;
  Result<std::vector<std::optional<std::int64_t>>> log_ends(std::span<const TopicPartition> partitions,
                                                            std::chrono::milliseconds timeout) override;
  Result<std::vector<std::optional<std::int64_t>>> offsets_at(std::span<const TopicPartition> partitions,
                                                              Time time,
                                                              std::chrono::milliseconds timeout) override;
  [[nodiscard]] std::optional<std::int64_t> cached_end(const TopicPartition& partition) const override;

  void raise_fatal_error();

 private:
  struct Reading {
    std::int64_t next = 0;  ///< the offset the next record has at least, or kBeginning
    bool started = false;   ///< librdkafka has it assigned
    bool paused = false;
    std::set<rd_kafka_resp_err_t> told;  ///< causes of failure the listener knows
  };

  void on_error(rd_kafka_resp_err_t code, const std::string& reason) override;
  void on_rebalance(rd_kafka_resp_err_t code, const rd_kafka_topic_partition_list_t& partitions) override;

  void take(const rd_kafka_message_t& message, std::vector<Record>& batch);
  void take_error(const rd_kafka_message_t& message);
  void take_over(const std::vector<TopicPartition>& partitions);
  void give_up();
  Result<void> follow_topics(std::chrono::milliseconds timeout);
  void tell_missing(const std::set<std::string>& missing);
  void rebuild();
  void close();
  /// False: not within its time.
  bool leave_group();
  void probe();
  Result<std::vector<std::optional<std::int64_t>>> list_offsets(std::span<const TopicPartition> partitions,
                                                                std::int64_t which,
                                                                std::chrono::milliseconds timeout);
  void assign_started();
  void settle_assignment();
  void move_client_to(const std::vector<TopicPartition>& partitions);
  void pause_in_client(const std::vector<TopicPartition>& partitions);
  void fail(const TopicPartition& partition, rd_kafka_resp_err_t code, const std::string& reason);
  void log(int severity, const std::string& line) const;

  const Options options_;
  const ConsumerSpec spec_;
  RebalanceListener& listener_;
  const std::shared_ptr<CallbackTarget> target_;
  Owned<rd_kafka_t> client_;
  std::map<TopicPartition, Reading> readings_;
  std::set<std::string> told_topics_;     ///< topics reported missing
  std::set<std::string> missing_before_;  ///< topics, at the last look when assigning all
  std::vector<Record>* batch_ = nullptr;  ///< what the poll under way has read
  std::size_t batch_bytes_ = 0;
  bool closing_ = false;
  bool fatal_ = false;
  std::string trouble_;           ///< why the cluster seems away; empty when it is not
  std::string suspicion_;         ///< why Kafka may be away; the next idle poll asks
  std::optional<Error> refusal_;  ///< to be answered by the next poll
  std::chrono::steady_clock::time_point next_probe_{};
  std::chrono::steady_clock::time_point next_look_{};  ///< at the topics, when assigning all
};

}  // namespace skald::kafka
