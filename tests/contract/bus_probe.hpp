// Hands for bus tests: a listener that writes down what it was told, and reading and publishing with a deadline.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "ports/bus.hpp"

namespace skald::contract {

inline constexpr std::chrono::seconds kPatience{40};
inline constexpr std::chrono::milliseconds kQuiet{300};  ///< how long "nothing arrives" is watched

class Listener : public RebalanceListener {
 public:
  std::vector<PartitionOffset> assigned(const std::vector<TopicPartition>& partitions) override {
    ++assignments;
    owned = partitions;
    std::vector<PartitionOffset> starts;
    for (const auto& partition : partitions) {
      if (left_out.contains(partition)) continue;
      const auto start = starts_at.find(partition);
      starts.push_back({partition, start == starts_at.end() ? PartitionOffset::kBeginning : start->second});
    }
    return starts;
  }
  void revoked(const std::vector<TopicPartition>& partitions) override {
    ++revocations;
    revoked_whole = revoked_whole && partitions.size() == owned.size();
    owned.clear();
  }
  void failed(const TopicPartition& partition, const std::string& reason) override {
    failures.emplace_back(partition, reason);
  }

  std::map<TopicPartition, std::int64_t> starts_at;
  std::set<TopicPartition> left_out;
  std::vector<TopicPartition> owned;
  std::vector<std::pair<TopicPartition, std::string>> failures;
  int assignments = 0;
  int revocations = 0;
  bool revoked_whole = true;  ///< each time, all that was owned
};

/// Polls until `done` or the deadline; every record read goes to `records`. False when the deadline passed.
inline bool poll_until(Consumer& consumer, std::vector<Record>& records, const std::function<bool()>& done,
                       std::chrono::milliseconds patience = kPatience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    auto polled = consumer.poll(100, std::chrono::milliseconds{50});
    if (polled.ok()) records.insert(records.end(), polled->begin(), polled->end());
  }
  return true;
}

inline std::vector<Record> read(Consumer& consumer, std::size_t count,
                                std::chrono::milliseconds patience = kPatience) {
  std::vector<Record> records;
  poll_until(
      consumer, records, [&] { return records.size() >= count; }, patience);
  return records;
}

inline std::vector<std::string> values(const std::vector<Record>& records) {
  std::vector<std::string> all;
  for (const auto& record : records) all.push_back(record.value.value_or("(null)"));
  return all;
}

inline Message message(const std::string& topic, const std::string& key, const std::string& value) {
  Message made;
  made.topic = topic;
  made.key = key;
  made.value = value;
  return made;
}

inline Message message_to(const TopicPartition& partition, const std::string& value) {
  auto made = message(partition.topic, "key", value);
  made.partition = partition.partition;
  return made;
}

struct Answered {
  Delivery delivery = Delivery::kUnknown;
  std::string reason;
  int times = 0;
};

/// Publishes all and waits for their answers, in the order of the messages.
inline std::vector<Answered> publish(Producer& producer, const std::vector<Message>& messages) {
  struct Shared {
    std::mutex mutex;
    std::vector<Answered> answers;
  };
  auto shared = std::make_shared<Shared>();
  shared->answers.resize(messages.size());
  for (std::size_t index = 0; index < messages.size(); ++index) {
    const auto accepted =
        producer.produce(messages[index], [shared, index](Delivery delivery, const std::string& reason) {
          const std::lock_guard lock(shared->mutex);
          auto& answer = shared->answers[index];
          answer = {delivery, reason, answer.times + 1};
        });
    EXPECT_TRUE(accepted.ok()) << accepted.error().message;
  }
  EXPECT_TRUE(producer.flush(kPatience));
  const std::lock_guard lock(shared->mutex);
  return shared->answers;
}

inline void publish_all(Producer& producer, const std::vector<Message>& messages) {
  for (const auto& answer : publish(producer, messages)) {
    EXPECT_EQ(answer.delivery, Delivery::kAcknowledged) << answer.reason;
    EXPECT_EQ(answer.times, 1);
  }
}

}  // namespace skald::contract
