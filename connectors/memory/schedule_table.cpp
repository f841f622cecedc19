// The statements of connectors/postgres/session_schedules.cpp, on a map.
#include "memory/schedule_table.hpp"

#include <algorithm>
#include <utility>

namespace skald::memory {

std::vector<Schedule> ScheduleTable::all() const {
  std::vector<Schedule> all;
  all.reserve(entries_.size());
  for (const auto& [name, entry] : entries_) all.push_back(entry.schedule);
  return all;
}

void ScheduleTable::put(const Schedule& schedule, Time now) {
  const auto [place, fresh] = entries_.try_emplace(schedule.name);
  Schedule& kept = place->second.schedule;
  const Schedule old = std::exchange(kept, schedule);
  kept.changed_at = now;
  kept.change_number = old.change_number + 1;
  kept.paused = old.paused;
  kept.waiting_at.reset();
  kept.last_saga_id.clear();
  if (fresh) return;
  if (old.timing == schedule.timing) kept.next_at = old.next_at;
  if (old.definition != schedule.definition) return;
  kept.last_saga_id = old.last_saga_id;
  if (old.overlap == schedule.overlap) kept.waiting_at = old.waiting_at;
}

bool ScheduleTable::change(const ScheduleChange& change, Time now) {
  using Kind = ScheduleChange::Kind;
  const auto place = entries_.find(change.name);
  if (place == entries_.end()) return false;
  if (change.kind == Kind::remove) {
    entries_.erase(place);
    return true;
  }
  Schedule& schedule = place->second.schedule;
  const bool pauses = change.kind == Kind::pause;
  if (schedule.paused == pauses) return false;
  schedule.paused = pauses;
  if (!pauses) {
    schedule.next_at = change.next_at;
    schedule.waiting_at.reset();
  }
  schedule.who = change.who;
  schedule.why = change.why;
  schedule.changed_at = now;
  ++schedule.change_number;
  return true;
}

std::vector<DueSchedule> ScheduleTable::claim(const ScheduleClaim& claim, Time now,
                                              const std::function<bool(const SagaAddress&)>& is_open,
                                              const std::function<bool(Incarnation)>& is_live) {
  std::vector<DueSchedule> due;
  for (auto& [name, entry] : entries_) {
    const Schedule& schedule = entry.schedule;
    const auto& ours = claim.definitions;
    if (schedule.paused || std::find(ours.begin(), ours.end(), schedule.definition) == ours.end()) continue;
    const bool leased = entry.lease_until > now && is_live(entry.leased_by);
    const bool open = !schedule.last_saga_id.empty() && is_open({schedule.definition, schedule.last_saga_id});
    if (leased || (schedule.next_at > now && (!schedule.waiting_at || open))) continue;
    due.push_back({schedule, open, now});
  }
  std::stable_sort(due.begin(), due.end(), [](const DueSchedule& left, const DueSchedule& right) {
    return std::min(left.schedule.next_at, left.schedule.waiting_at.value_or(left.schedule.next_at)) <
           std::min(right.schedule.next_at, right.schedule.waiting_at.value_or(right.schedule.next_at));
  });
  if (due.size() > claim.maximum) due.resize(claim.maximum);
  for (const DueSchedule& one : due) {
    Entry& entry = entries_.at(one.schedule.name);
    entry.lease_until = now + claim.lease;
    entry.leased_by = claim.incarnation;
  }
  return due;
}

bool ScheduleTable::advance(const ScheduleProgress& progress) {
  const auto place = entries_.find(progress.name);
  if (place == entries_.end()) return false;
  Entry& entry = place->second;
  Schedule& schedule = entry.schedule;
  const bool holds =
      schedule.change_number == progress.change_number && schedule.next_at == progress.claimed_at;
  if (holds) {
    schedule.next_at = progress.next_at;
    schedule.waiting_at = progress.waiting_at;
  }
  schedule.last_saga_id = std::max(schedule.last_saga_id, progress.last_saga_id);
  if (entry.leased_by == progress.incarnation) entry.lease_until = Time{};
  return holds;
}

}  // namespace skald::memory
