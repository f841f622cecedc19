// ReplyProgress: what the timekeeper must know of the ingress before it lets a deadline be judged: which reply
// partitions this process owns, how far their records have been handed to the lanes, and where the log ended
// when it was asked. Thread-safe by one mutex; the ingress tells, the timekeeper asks.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace skald::runtime {

class ReplyProgress {
 public:
  // --- the ingress ---
  void set_cluster(std::string cluster_id, std::int32_t reply_partitions);
  /// False between losing the partitions and getting new ones.
  void set_assigned(bool assigned);
  /// Reading starts at `next_offset`: what lies below has been applied.
  void own(std::int32_t partition, std::int64_t next_offset);
  void disown(std::int32_t partition);
  void handed_over(std::int32_t partition, std::int64_t next_offset);
  /// The partitions whose end was asked for and is not yet answered.
  [[nodiscard]] std::vector<std::int32_t> asked() const;
  void answer(std::int32_t partition, std::int64_t end, std::uint64_t ticket);
  [[nodiscard]] std::uint64_t newest_ticket() const;

  // --- the timekeeper ---
  /// Asks where the partition's log ends now; the ticket names the question.
  [[nodiscard]] std::uint64_t ask(std::int32_t partition);
  /// The answer to that question or a later one.
  [[nodiscard]] std::optional<std::int64_t> end(std::int32_t partition, std::uint64_t ticket) const;
  /// nullopt: not owned here.
  [[nodiscard]] std::optional<std::int64_t> handed_over(std::int32_t partition) const;
  [[nodiscard]] std::vector<std::int32_t> owned() const;
  [[nodiscard]] bool assigned() const;
  [[nodiscard]] std::string cluster_id() const;         ///< empty until known
  [[nodiscard]] std::int32_t reply_partitions() const;  ///< 0 until known

 private:
  struct Question {
    std::uint64_t asked = 0;
    std::uint64_t answered = 0;
    std::int64_t end = 0;
  };
  mutable std::mutex mutex_;  ///< guards everything below
  std::string cluster_id_;
  std::int32_t reply_partitions_ = 0;
  bool assigned_ = false;
  std::map<std::int32_t, std::int64_t> owned_;
  std::map<std::int32_t, Question> questions_;
  std::uint64_t tickets_ = 0;
};

}  // namespace skald::runtime
