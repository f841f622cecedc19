// Scheduler: starts sagas at the ticks of their schedules. A schedule is claimed for a while, its ticks that have come go
// to the lanes as starts, and only when these are durable is it moved on. Whoever dies between the two leaves ticks that
// are started again: under the same ids, so once. Part of the timekeeper: one thread, but for the lanes' answers.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/decoder.hpp"
#include "runtime/ingress.hpp"
#include "runtime/pauses.hpp"
#include "runtime/store_link.hpp"
#include "schedules/plan.hpp"

namespace skald::runtime {

class Scheduler {
 public:
  struct Parts {
    Seams seams;
    const Settings& settings;
    const Registry& registry;
    const Decoder& decoder;
    LaneRouter& router;
    Pauses& pauses;
    std::atomic<Incarnation>& incarnation;
    std::function<Pressure()> pressure;
  };
  explicit Scheduler(Parts parts);

  /// Moves on what has been started and, if `takes_on`, looks for what is due. The error is of a call of `session`; what
  /// it was about is done in a later round.
  Result<void> run_once(Session& session, bool takes_on);

 private:
  /// A schedule that this process deals with now.
  struct Claim {
    DueSchedule due;
    schedules::Plan plan;
    std::size_t unanswered = 0;  ///< starts in the lanes
    std::optional<Time> held;    ///< the oldest tick that could not start and has to
    std::optional<Time> newest;  ///< the newest tick whose saga is there
    bool keeps_lease = false;    ///< not to be tried again before the lease has passed
  };
  struct Answer {
    std::string schedule;
    Time tick{};
    Settlement::Kind kind = Settlement::Kind::kApplied;
    std::string reason;
  };
  /// What lanes answer, whenever they do; outlives us with the works that hold it.
  struct Answers {
    std::mutex mutex;  ///< guards all
    std::vector<Answer> all;
  };

  void take_answers();
  void take(Claim& claim, const Answer& answer);
  Result<void> move_on(Session& session);
  Result<void> look(Session& session);
  void begin(DueSchedule due, std::size_t maximum);
  [[nodiscard]] std::optional<Work> work_of(Claim& claim, Time tick);
  void tell(const Claim& claim) const;
  [[nodiscard]] bool has(const std::string& schedule) const;

  const Parts parts_;
  std::shared_ptr<Answers> answers_ = std::make_shared<Answers>();
  std::vector<Claim> claims_;
  std::chrono::nanoseconds look_at_{0};
};

}  // namespace skald::runtime
