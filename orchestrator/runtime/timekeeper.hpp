// Timekeeper: everything that time brings: the process's heartbeat (and a new incarnation when it came too
// late), sagas whose deadline has passed, parked inputs, what is paused, schedules, the outbox of dead processes, the gauges of the whole
// database. A saga that fell due is handed to its lane only after the replies that were in Kafka then have
// been handed over. One thread calls run_once; nothing here touches a saga.
#pragma once

#include <atomic>
#include <functional>
#include <unordered_set>
#include <vector>

#include "runtime/decoder.hpp"
#include "runtime/ingress.hpp"
#include "runtime/key_maker.hpp"
#include "runtime/outbox_publisher.hpp"
#include "runtime/pauses.hpp"
#include "runtime/reply_progress.hpp"
#include "runtime/scheduler.hpp"
#include "runtime/store_clock.hpp"
#include "runtime/store_link.hpp"

namespace skald::runtime {

class Timekeeper {
 public:
  struct Parts {
    Seams seams;
    const Settings& settings;
    const Registry& registry;
    const Decoder& decoder;
    const std::string& build;
    KeyMaker& keys;
    StoreClock& store_clock;
    ReplyProgress& progress;
    OutboxPublisher& publisher;
    LaneRouter& router;
    Pauses& pauses;
    std::atomic<Incarnation>& incarnation;
    std::function<Pressure()> pressure;
    /// Who waits for this parked input, if anybody does.
    std::function<std::function<void(const Settlement&)>(std::int64_t parked_id)> waiter_of;
  };
  explicit Timekeeper(Parts parts);

  /// Does what is due; how long until something may be due again.
  std::chrono::milliseconds run_once();
  /// From any thread: look for parked inputs at the next round.
  void expect_parked() { parked_soon_.store(true); }
  /// From any thread: no claims any more, only the heartbeat.
  void quiesce() { quiet_.store(true); }
  /// The process ends and runs no local step any more. By the thread that called run_once, or after it ended.
  void retire();

 private:
  /// The sagas of one reply partition that one look found due.
  struct Group {
    std::int32_t partition = 0;
    std::uint64_t ticket = 0;
    std::optional<std::int64_t> end;
    std::int64_t handed_over = -1;
    std::chrono::nanoseconds give_up_at{0};
    std::vector<DueSaga> sagas;
  };
  using Ns = std::chrono::nanoseconds;
  /// True once, each `interval`.
  bool due(Ns& at, std::chrono::milliseconds interval);
  bool heartbeat(Session& session);
  bool enroll(Session& session);
  void note_beat();
  bool claim(Session& session);
  bool may_claim();
  [[nodiscard]] bool full(const Pressure& pressure) const;
  [[nodiscard]] Ns patience(std::int32_t partition) const;
  bool look_at_groups(Session& session);
  bool caught_up(Group& group, const std::vector<Position>* foreign);
  Result<void> ask_who_lives(Session& session);
  bool hand_over(Session& session, std::vector<Group> groups);
  bool claim_parked(Session& session);
  bool adopt(Session& session);
  bool gauges(Session& session);
  bool read_pauses(Session& session);
  void tell_changes(const std::vector<Pause>& pauses, const PauseSet& before, const PauseSet& after) const;
  [[nodiscard]] ClaimSpec spec(std::chrono::milliseconds lease) const;
  template <class T>
  bool fine(const Result<T>& result) {
    if (result) {
      link_.succeeded();
      return true;
    }
    link_.failed(result.error());
    return false;
  }

  const Parts parts_;
  StoreLink link_;
  Scheduler scheduler_;
  std::vector<Group> groups_;
  std::unordered_set<SagaKey> waiting_;  ///< the sagas in groups_
  Ns heartbeat_at_{0};
  Ns beat_at_{-1};
  Ns steady_since_{0};  ///< from then on our heartbeats came in time: others' silence means something
  bool adopted_unseen_ = false;  ///< the last answer to adopting was lost
  Ns claim_at_{0};
  Ns parked_at_{0};
  Ns adopt_at_{0};
  Ns gauges_at_{0};
  Ns pauses_at_{0};
  Ns unassigned_since_{-1};
  Ns positions_at_{0};
  std::vector<Position> positions_;
  std::vector<Incarnation> live_;
  Ns live_until_{0};
  bool held_gauges_ = false;
  std::atomic<bool> parked_soon_{false};
  std::atomic<bool> quiet_{false};
};

}  // namespace skald::runtime
