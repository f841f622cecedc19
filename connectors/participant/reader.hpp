// What the service reads: partitions come and go with rebalances, reading starts at the position recorded in the
// participant's database, and everything can be paused while the database or Kafka is away. One thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "inbox.hpp"
#include "ports/bus.hpp"

namespace skald::participant::detail {

class Reader : public RebalanceListener {
 public:
  explicit Reader(ReaderId id) : id_(std::move(id)) {}

  void attach(Consumer& consumer) { consumer_ = &consumer; }
  /// Null while the database is away: partitions assigned then wait for start_waiting.
  void use(Connection* connection) { connection_ = connection; }

  std::vector<PartitionOffset> assigned(const std::vector<TopicPartition>& partitions) override;
  void revoked(const std::vector<TopicPartition>& partitions) override;
  void failed(const TopicPartition& partition, const std::string& reason) override;

  /// Starts what waits: partitions assigned without a database, and those whose log is another one now. Throws what
  /// the connection throws.
  void start_waiting(std::chrono::steady_clock::time_point now);
  /// Nothing is delivered while paused, but polling keeps the membership.
  void set_paused(bool paused);
  [[nodiscard]] const ReaderId& id() const { return id_; }

 private:
  ReaderId id_;
  Consumer* consumer_ = nullptr;
  Connection* connection_ = nullptr;
  std::set<TopicPartition> partitions_;
  std::set<TopicPartition> unstarted_;
  std::set<TopicPartition> failed_;
  std::chrono::steady_clock::time_point next_restart_{};
  bool paused_ = false;
};

}  // namespace skald::participant::detail
