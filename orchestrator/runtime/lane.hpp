// Lane: the one place where sagas of its share are advanced: it takes what waits, loads what is missing, lets
// the engine judge, and commits the whole batch in one transaction; only what that transaction confirms is
// settled, everything else is judged again. Its queue may be pushed to from any thread; everything else
// belongs to the thread that calls run_once (in production one of its own, in simulation the only one).
#pragma once

#include <atomic>
#include <deque>
#include <unordered_map>
#include <vector>

#include "ports/step_executor.hpp"
#include "runtime/dead_letter_log.hpp"
#include "runtime/decoder.hpp"
#include "runtime/doubts.hpp"
#include "runtime/judge.hpp"
#include "runtime/lane_queue.hpp"
#include "runtime/outbox_publisher.hpp"
#include "runtime/pauses.hpp"
#include "runtime/store_clock.hpp"
#include "runtime/store_link.hpp"

namespace skald::runtime {

/// What all lanes share. Thread-safe; outlives them.
struct LaneServices {
  Seams seams;
  const Settings& settings;
  const engine::Environment& environment;
  const Registry& registry;
  KeyMaker& keys;
  StoreClock& store_clock;
  OutboxPublisher& publisher;
  StepExecutor& executor;
  PositionTracker& tracker;
  LaneRouter& router;
  /// Of attempts of local steps waiting or running.
  std::atomic<std::size_t>& local_bytes;
  const Pauses& pauses;
  const Decoder& decoder;
  /// 0 until the process is registered: lanes wait for it.
  const std::atomic<Incarnation>& incarnation;
};

class Lane {
 public:
  Lane(const LaneServices& services, std::size_t index);

  void push(std::vector<Work> works) { queue_.push(std::move(works)); }
  /// One round: at most one commit. Waits up to `wait` for work. True if it did something.
  bool run_once(std::chrono::milliseconds wait);
  /// Ends a wait early.
  void wake() { queue_.wake(); }

  // From any thread:
  /// What waits, and (counted as starts) what is held: judged just now or to be judged again.
  [[nodiscard]] LaneQueue::Load load() const noexcept;
  /// Nothing waits, nothing is to be judged again.
  [[nodiscard]] bool idle() const noexcept;
  /// When it last came round, on Clock::monotonic.
  [[nodiscard]] std::chrono::nanoseconds progressed_at() const noexcept {
    return std::chrono::nanoseconds(progressed_ns_.load());
  }
  [[nodiscard]] bool waits_for_store() const noexcept { return link_.away(); }

 private:
  bool round(std::chrono::milliseconds wait);
  [[nodiscard]] bool has_room() const;
  std::vector<Work> next_works(std::chrono::milliseconds wait);
  [[nodiscard]] static std::vector<Turn> group(std::vector<Work> works);
  /// Turns whose sagas find no room now go back, to be judged in the next round. False: the session failed.
  bool load_missing(Session& session, std::vector<Turn>& turns);
  /// What came for sagas before they were started stands behind their starts, in its order. False: the session failed.
  bool add_early_signals(Session& session, std::vector<Turn>& turns);
  [[nodiscard]] Batch gather(std::vector<Turn>& turns);
  void commit(Session& session, std::vector<Turn> turns);

  void settle(std::vector<Turn> turns, CommitResult result);
  void settle_conflict(Turn& turn, const SagaRow& existing);
  void settle_won(Turn& turn, Time now);
  [[nodiscard]] bool sleeps_long(const CachedSaga& saga) const;
  void settle_work(const Turn& turn, Work& work, const WorkVerdict& verdict);
  /// Has them run with the next hand_over().
  void run_locally(const SagaAddress& address, std::vector<engine::LocalAttempt> attempts);
  void hand_over();
  /// It is settled, or nothing is to be done about it any more.
  void let_go(const Work& work);
  void publish_result(CommitResult& result);

  /// None of these turns counts: forget their sagas, judge their works again, before anything newer.
  void judge_again(std::vector<Turn> turns);
  /// The database refuses the data: find the culprit by halving.
  void split(std::vector<Turn> turns, const Error& error);
  void culprit(Work work, const Error& error);

  const LaneServices services_;
  const std::size_t index_;
  LaneQueue queue_;
  InstanceCache cache_;
  Judge judge_;
  StoreLink link_;
  Doubts doubts_;
  DeadLetterLog dead_letters_;
  std::deque<Work> again_;                 ///< to be judged again, before the queue
  std::deque<std::vector<Work>> splits_;   ///< parts of a refused batch, each a batch of its own
  std::vector<std::int64_t> parked_done_;  ///< applied parked inputs, deleted by the next transaction
  std::vector<RecordMark> marks_;          ///< of this round's settled records
  std::vector<std::int64_t> outbox_done_;  ///< deleted by the transaction under way
  std::vector<LocalTask> tasks_;  ///< of this round's settled transitions, held until they are handed over
  std::atomic<std::size_t> held_{0};  ///< works taken from the queue and not settled, and tasks_
  std::atomic<std::size_t> held_bytes_{0};
  std::atomic<std::int64_t> progressed_ns_{0};
};

}  // namespace skald::runtime
