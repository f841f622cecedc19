// Changes of schedules; see changes.hpp.
#include "schedules/changes.hpp"

namespace skald::schedules {

Result<void> put(Session& session, const Schedule& schedule, std::size_t databases) {
  const auto now = session.now();
  if (!now) return now.error();
  auto fits = checked(schedule, *now, databases);
  return fits ? session.put_schedule(*fits) : Result<void>(fits.error());
}

Result<bool> change(Session& session, ScheduleChange change) {
  if (change.kind == ScheduleChange::Kind::resume) {
    const auto all = session.schedules();
    if (!all) return all.error();
    const auto now = session.now();
    if (!now) return now.error();
    for (const Schedule& schedule : *all) {
      if (schedule.name != change.name) continue;
      const auto ticks = Ticks::of(schedule.timing);
      if (!ticks) return ticks.error();
      change.next_at = ticks->after(*now);
    }
  }
  return session.change_schedule(change);
}

Result<Schedule> find(Session& session, const std::string& name) {
  auto all = session.schedules();
  if (!all) return all.error();
  for (Schedule& schedule : *all)
    if (schedule.name == name) return std::move(schedule);
  return Error{ErrorKind::kInvalid, kDoesNotFit, "there is no schedule " + name};
}

}  // namespace skald::schedules
