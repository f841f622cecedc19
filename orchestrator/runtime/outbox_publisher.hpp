// OutboxPublisher: takes the outbox rows of committed batches to Kafka, in order, and sees that each row is
// deleted once Kafka has acknowledged all of it: with a lane's next transaction, or by itself when none comes.
// A message of unknown outcome is published again under the same id; one that Kafka refuses for good comes
// back to its saga as Undeliverable, and its row stays until that input is applied. An expired command is not
// published any more: its saga's own deadline decides. publish, take_done and the
// counters from any thread; run_once on its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "ports/message.hpp"
#include "runtime/settings.hpp"
#include "runtime/store_clock.hpp"
#include "runtime/store_link.hpp"
#include "runtime/work.hpp"

namespace skald::runtime {

class OutboxPublisher {
 public:
  OutboxPublisher(const Seams& seams, const Settings& settings, const StoreClock& store_clock,
                  LaneRouter& lanes);
  ~OutboxPublisher();

  /// A row that is durable. One already on its way is not taken twice.
  void publish(OutboxRow row);

  /// Acknowledged rows, for a transaction that deletes them on its way; given back if it did not commit.
  [[nodiscard]] std::vector<std::int64_t> take_done(std::size_t maximum);
  void give_back_done(const std::vector<std::int64_t>& outbox_ids);

  /// One round: hands waiting messages to the client, looks at its answers, deletes. Waits up to `wait` for
  /// something to do.
  void run_once(std::chrono::milliseconds wait);
  void wake();
  /// From any thread, when draining: acknowledged rows are deleted without waiting for a lane.
  void hurry() noexcept { hurry_.store(true); }

  /// Messages taken and not yet acknowledged.
  [[nodiscard]] std::size_t backlog() const noexcept;
  /// What they occupy, with the client's copies. Those that come back to their sagas count no more.
  [[nodiscard]] std::size_t backlog_bytes() const noexcept;
  /// Everything taken was acknowledged and deleted.
  [[nodiscard]] bool idle() const;
  /// No client yet, or it takes nothing more: Kafka is away or slow.
  [[nodiscard]] bool blocked() const noexcept { return blocked_.load(); }

 private:
  struct Tracked;
  struct Shared;
  struct Item {
    std::shared_ptr<Tracked> row;
    std::size_t index = 0;
  };
  struct Problem {
    Item item;
    Delivery delivery;
    std::string reason;
  };

  bool ensure_producer();
  void take_incoming();
  void send_waiting();
  void look_at_problems();
  [[nodiscard]] bool expired(const Message& message) const;
  void refused(const Item& item, const std::string& reason);
  void refused_without_saga(const Item& item, const std::string& reason);
  void delete_done();

  const Seams seams_;
  const Settings& settings_;
  const StoreClock& store_clock_;
  LaneRouter& lanes_;
  StoreLink link_;
  Backoff backoff_;
  std::shared_ptr<Shared> shared_;
  std::deque<Item> waiting_;
  std::multimap<std::chrono::nanoseconds, Item> resends_;  ///< by when
  std::chrono::nanoseconds produce_at_{0};                 ///< not before
  std::chrono::nanoseconds refusal_told_at_{-std::chrono::hours{1}};
  std::atomic<bool> blocked_{true};
  std::atomic<bool> hurry_{false};
  std::unique_ptr<Producer> producer_;
};

}  // namespace skald::runtime
