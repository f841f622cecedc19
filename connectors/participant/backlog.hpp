// Backlog: records that were read and not yet answered. Commands that may not start yet are held here, those of a step
// in the order they came, the steps in turn; their partitions are to be paused, so what is held is no more than what was
// read at once, and the rest stays in Kafka. Behind a held command others of its partition may be done before it: the
// position goes only as far as everything before it is done. One thread.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "command_limits.hpp"
#include "inbox.hpp"
#include "publisher.hpp"
#include "retention.hpp"
#include "wire/cloud_events.hpp"

namespace skald::participant::detail {

/// Records on their way through one transaction.
struct Work {
  std::vector<Record> records;
  std::vector<wire::Command> commands;
  std::vector<std::size_t> command_records;    ///< the record of each command
  std::vector<CommandLimits::Ticket> tickets;  ///< of each command
  std::vector<Outgoing> dead_letters;
  std::vector<EndedSaga> ended_sagas;
  int attempts = 0;
  std::chrono::steady_clock::time_point next_attempt{};

  /// Puts `more` behind it.
  void join(Work more);
  void add(Record record, wire::Command command, CommandLimits::Ticket ticket);
};

class Backlog {
 public:
  Backlog(CommandLimits& limits, Statistics& statistics, std::size_t maximum_batch)
      : limits_(limits), statistics_(statistics), maximum_batch_(maximum_batch) {}

  /// Takes over what was read, without tickets; gives back what of it may start now.
  [[nodiscard]] Work admit(Work arrived, CommandLimits::Now now);
  /// What of the held commands may start now, a batch at most.
  [[nodiscard]] Work release(CommandLimits::Now now);
  /// This one was not executed: first of its step again.
  void give_back(Record record, wire::Command command);
  /// Everything of these records is done but of those in `given_back`, by index. Answers how far their partitions are.
  [[nodiscard]] std::vector<ReadPosition> finish(std::span<const Record> records,
                                                 const std::set<std::size_t>& given_back);
  /// The partitions are read anew, or by somebody else.
  void forget();

  [[nodiscard]] bool empty() const { return held_.empty(); }
  /// Is a command of one of these partitions held?
  [[nodiscard]] bool holds_any(const std::set<TopicPartition>& partitions) const;
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// Where the held commands come from.
  [[nodiscard]] std::set<TopicPartition> partitions() const;
  /// When the next of them may start, `now` if at once; nullopt: not before another command is over.
  [[nodiscard]] std::optional<CommandLimits::Now> next_start(CommandLimits::Now now) const;

 private:
  struct Held {
    Record record;
    wire::Command command;
    std::size_t bytes = 0;
  };
  struct Open {
    std::int64_t offset = 0;
    const Record* just_done = nullptr;      ///< while finish() runs
    std::optional<std::uint32_t> checksum;  ///< done, but something before it is not
  };
  using Partitions = std::map<TopicPartition, std::deque<Open>>;

  void hold(Record record, wire::Command command, bool first);
  void count();
  static std::optional<ReadPosition> advance(Partitions::value_type& partition);

  CommandLimits& limits_;
  Statistics& statistics_;
  std::size_t maximum_batch_;
  std::map<std::string, std::deque<Held>, std::less<>> held_;  ///< by step; none is empty
  std::string turn_;                                           ///< the step that was last served
  std::map<TopicPartition, std::size_t> held_by_partition_;
  std::size_t bytes_ = 0;
  Partitions partitions_;
};

}  // namespace skald::participant::detail
