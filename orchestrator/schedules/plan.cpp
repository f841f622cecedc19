// The rules of catch-up and overlap.
#include "schedules/plan.hpp"

namespace skald::schedules {
namespace {

/// Past the ticks that came before the catch-up window.
Time pass_late(Time tick, Time window, const Ticks& ticks, std::size_t& count) {
  while (tick < window && count < kMaximumCounted) {
    ++count;
    tick = ticks.after(tick);
  }
  return tick < window ? ticks.after(window - std::chrono::milliseconds(1)) : tick;
}

}  // namespace

Plan plan(const DueSchedule& due, const Ticks& ticks, std::size_t maximum) {
  const Schedule& schedule = due.schedule;
  const bool alone = schedule.overlap != Overlap::allow;
  bool busy = alone && due.last_open;
  Plan plan;
  plan.waiting_at = schedule.waiting_at;
  if (plan.waiting_at && !busy) {
    plan.start.push_back(*plan.waiting_at);
    plan.waiting_at.reset();
    busy = alone;
  }
  Time tick = pass_late(schedule.next_at, due.now - schedule.catch_up, ticks, plan.late);
  for (std::size_t looked = 0; tick <= due.now && looked < kMaximumCounted; ++looked) {
    if (!busy) {
      if (!plan.start.empty() && plan.start.size() >= maximum) break;
      plan.start.push_back(tick);
      busy = alone;
    } else if (schedule.overlap == Overlap::wait && !plan.waiting_at) {
      plan.waiting_at = tick;
    } else {
      ++plan.overlapping;
    }
    tick = ticks.after(tick);
  }
  plan.next_at = tick;
  return plan;
}

}  // namespace skald::schedules
