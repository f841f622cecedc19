// Replies and dead letters on their way to Kafka. A committed batch stays here until Kafka has acknowledged all of its
// messages; only then do its positions count, in the order of the batches: whatever was not acknowledged is read
// again after a crash, and the inbox gives the stored reply. Bounded by the service, which asks `in_flight` first.
// Used by the service's thread; delivery callbacks come from the producer's.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "inbox.hpp"
#include "ports/bus.hpp"

namespace skald::participant::detail {

struct Outgoing {
  Message message;
  std::size_t record = 0;  ///< index of the record it answers
  bool is_dead_letter = false;
};

class Publisher {
 public:
  explicit Publisher(Producer& producer);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  /// `records` are what the messages answer: a reply that Kafka refuses for good makes its command a dead letter.
  void publish(std::vector<Outgoing> messages, std::vector<Record> records, std::vector<ReadPosition> next);
  /// Handles answers that came in, and offers again what Kafka did not take yet.
  void work();
  /// Positions after the batches that are done; each is given once.
  [[nodiscard]] std::vector<ReadPosition> take_acknowledged();
  [[nodiscard]] std::size_t in_flight() const { return batches_.size(); }
  [[nodiscard]] std::size_t bytes_in_flight() const { return bytes_; }
  [[nodiscard]] std::uint64_t dead_letters_for_refused_replies() const { return refused_replies_; }
  /// Waits until an answer came, at most `timeout`.
  void wait(std::chrono::milliseconds timeout);

 private:
  struct Batch {
    std::vector<Outgoing> messages;
    std::vector<Record> records;
    std::vector<ReadPosition> next;
    std::vector<std::size_t> unsent;  ///< message indices Kafka's client has not taken
    std::size_t open = 0;             ///< messages without acknowledgement
    std::size_t bytes = 0;
  };
  struct Answer {
    std::uint64_t batch;
    std::size_t message;
    Delivery delivery;
    std::string reason;
  };
  /// Outlives the publisher in late callbacks.
  struct Mailbox {
    std::mutex mutex;  ///< guards answers
    std::condition_variable arrived;
    std::vector<Answer> answers;
  };

  /// False: to be offered again.
  bool offer(std::uint64_t number, Batch& batch, std::size_t message);
  void handle(const Answer& answer);
  void refused(Batch& batch, std::size_t message, const std::string& reason);

  Producer& producer_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
  std::deque<Batch> batches_;
  std::uint64_t first_number_ = 0;  ///< of batches_.front()
  std::size_t bytes_ = 0;
  std::uint64_t refused_replies_ = 0;
};

}  // namespace skald::participant::detail
