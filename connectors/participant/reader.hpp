// What the service reads: partitions come and go with rebalances, reading starts at the position recorded in the
// participant's database, and everything can be paused while the database or Kafka is away. One thread.
//
// Reading starts one record before the position, to see that it is the record that stood there: a topic that was made
// anew is read from its start, whether it is shorter than the old one or longer.
#pragma once

#include <chrono>
#include <map>
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

  /// What was polled, without records of a log that is not the recorded one and those already answered.
  [[nodiscard]] std::vector<Record> without_foreign(std::vector<Record> records);
  /// Starts partitions that were assigned without a database. Throws what the connection throws.
  void start_waiting();
  /// Is there a partition whose log is another one now?
  [[nodiscard]] bool must_restart(std::chrono::steady_clock::time_point now) const {
    return !failed_.empty() && now >= next_restart_;
  }
  [[nodiscard]] const std::set<TopicPartition>& failed_partitions() const { return failed_; }
  /// Reads those from their start. Nothing of their old log may be under way; their positions not yet recorded are
  /// taken out of `positions`. Throws what the connection throws.
  void restart(std::chrono::steady_clock::time_point now, std::vector<ReadPosition>& positions);
  /// Nothing is delivered while paused, but polling keeps the membership.
  void set_paused(bool paused);
  /// Nothing of these is delivered, until they are left out here.
  void hold(std::set<TopicPartition> partitions);
  /// Counts what takes partitions away or gives some: records read before it are somebody's to read again.
  [[nodiscard]] std::uint64_t assignments() const { return assignments_; }
  [[nodiscard]] const ReaderId& id() const { return id_; }

 private:
  std::int64_t start(const TopicPartition& partition, const std::map<TopicPartition, ReadPosition>& recorded);
  /// False: the record is to be left out.
  bool accept(const Record& record);

  ReaderId id_;
  Consumer* consumer_ = nullptr;
  Connection* connection_ = nullptr;
  std::set<TopicPartition> partitions_;
  std::set<TopicPartition> unstarted_;
  std::map<TopicPartition, ReadPosition> unverified_;  ///< until their first record was seen
  std::set<TopicPartition> failed_;
  std::set<TopicPartition> held_;
  std::uint64_t assignments_ = 0;
  std::chrono::steady_clock::time_point next_restart_{};
  bool paused_ = false;
};

}  // namespace skald::participant::detail
