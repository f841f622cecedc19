// The scheduler's round.
#include "runtime/scheduler.hpp"

#include <algorithm>

namespace skald::runtime {

using Kind = Settlement::Kind;

Scheduler::Scheduler(Parts parts) : parts_(std::move(parts)) {}

Result<void> Scheduler::run_once(Session& session, bool takes_on) {
  take_answers();
  if (auto moved = move_on(session); !moved) return moved;
  const auto now = parts_.seams.clock.monotonic();
  if (!takes_on || now < look_at_) return {};
  look_at_ = now + parts_.settings.schedules_interval;
  return look(session);
}

bool Scheduler::has(const std::string& schedule) const {
  return std::any_of(claims_.begin(), claims_.end(),
                     [&](const Claim& claim) { return claim.due.schedule.name == schedule; });
}

void Scheduler::take_answers() {
  std::vector<Answer> answers;
  {
    const std::scoped_lock lock(answers_->mutex);
    answers.swap(answers_->all);
  }
  for (const Answer& answer : answers)
    for (Claim& claim : claims_)
      if (claim.due.schedule.name == answer.schedule) take(claim, answer);
}

void Scheduler::take(Claim& claim, const Answer& answer) {
  --claim.unanswered;
  const std::string& name = claim.due.schedule.name;
  if (answer.kind == Kind::kHeld) {
    claim.held = std::min(claim.held.value_or(answer.tick), answer.tick);
    return;
  }
  if (answer.kind == Kind::kApplied) {
    parts_.seams.observer.schedule_started(name);
  } else if (answer.kind != Kind::kDuplicate) {
    parts_.seams.observer.schedule_skipped(name, "refused", 1);
    parts_.seams.logger.warning(
        "A tick of a schedule does not start its saga.",
        {{"schedule", name}, {"saga", schedules::saga_id_of(name, answer.tick)}, {"reason", answer.reason}});
  }
  claim.newest = std::max(claim.newest.value_or(answer.tick), answer.tick);
}

Result<void> Scheduler::move_on(Session& session) {
  while (true) {
    const auto done = std::find_if(claims_.begin(), claims_.end(),
                                   [](const Claim& claim) { return claim.unanswered == 0; });
    if (done == claims_.end()) return {};
    const Schedule& schedule = done->due.schedule;
    ScheduleProgress progress;
    progress.name = schedule.name;
    progress.incarnation = done->keeps_lease ? 0 : parts_.incarnation.load();
    progress.change_number = schedule.change_number;
    progress.claimed_at = schedule.next_at;
    progress.next_at = done->plan.next_at;
    progress.waiting_at = done->plan.waiting_at;
    if (done->held) {  // from there on all is done again
      const bool waited = schedule.waiting_at && *done->held <= *schedule.waiting_at;
      progress.next_at = waited ? schedule.next_at : *done->held;
      progress.waiting_at = waited ? schedule.waiting_at : std::nullopt;
    }
    if (done->newest) progress.last_saga_id = schedules::saga_id_of(schedule.name, *done->newest);
    const auto moved = session.advance_schedule(progress);
    if (!moved) return moved.error();
    if (*moved && !done->held) tell(*done);
    claims_.erase(done);
  }
}

void Scheduler::tell(const Claim& claim) const {
  const std::string& name = claim.due.schedule.name;
  if (claim.plan.late > 0) {
    parts_.seams.observer.schedule_skipped(name, "late", claim.plan.late);
    parts_.seams.logger.warning(
        "Ticks of a schedule passed while nobody looked, longer ago than its catch-up window; they are "
        "skipped.",
        {{"schedule", name},
         {"ticks", claim.plan.late},
         {"from", schedules::saga_id_of(name, claim.due.schedule.next_at)}});
  }
  if (claim.plan.overlapping > 0) {
    parts_.seams.observer.schedule_skipped(name, "overlap", claim.plan.overlapping);
    parts_.seams.logger.info("Ticks of a schedule are skipped: the saga before them is open.",
                             {{"schedule", name}, {"ticks", claim.plan.overlapping}});
  }
}

Result<void> Scheduler::look(Session& session) {
  std::size_t under_way = 0;
  for (const Claim& claim : claims_) under_way += claim.unanswered;
  const Pressure pressure = parts_.pressure();
  const Settings& settings = parts_.settings;
  if (under_way >= settings.schedule_starts || pressure.starts > settings.queue_high ||
      pressure.bytes > settings.queue_bytes_high)
    return {};
  ScheduleClaim claim;
  claim.incarnation = parts_.incarnation;
  claim.lease = settings.claim_lease;
  claim.maximum = settings.schedule_starts - under_way;
  const auto pauses = parts_.pauses.now();
  for (const SagaDefinition& saga : parts_.registry.sagas())
    if (!pauses->definitions.contains(saga.name)) claim.definitions.emplace_back(saga.name);
  auto due = session.claim_schedules(claim);
  if (!due) return due.error();
  if (due->size() == claim.maximum) look_at_ = {};  // there may be more
  for (DueSchedule& one : *due) begin(std::move(one), claim.maximum / due->size());
  return move_on(session);
}

void Scheduler::begin(DueSchedule due, std::size_t maximum) {
  if (has(due.schedule.name)) return;  // its starts outlasted the lease; they are still under way
  Claim& claim = claims_.emplace_back();
  claim.due = std::move(due);
  const Schedule& schedule = claim.due.schedule;
  claim.plan.next_at = schedule.next_at;
  claim.plan.waiting_at = schedule.waiting_at;
  const auto ticks = schedules::Ticks::of(schedule.timing);
  if (!ticks) {
    claim.held = std::min(schedule.next_at, schedule.waiting_at.value_or(schedule.next_at));
    claim.keeps_lease = true;
    parts_.seams.logger.error("A schedule cannot be read here; it waits for a process that can.",
                              {{"schedule", schedule.name}, {"reason", ticks.error().message}});
    return;
  }
  claim.plan = schedules::plan(claim.due, *ticks, maximum);
  std::vector<Work> works;
  for (const Time tick : claim.plan.start) {
    if (claim.held) break;
    if (auto work = work_of(claim, tick)) works.push_back(std::move(*work));
  }
  claim.unanswered = works.size();
  if (!works.empty()) parts_.router.route(std::move(works));
}

/// None: the saga is another database's, which has the schedule as well, or it cannot start.
std::optional<Work> Scheduler::work_of(Claim& claim, Time tick) {
  const Schedule& schedule = claim.due.schedule;
  auto work = parts_.decoder.start(schedule.definition, schedules::saga_id_of(schedule.name, tick),
                                   schedule.input, {}, "schedule " + schedule.name);
  if (!work && work.error().kind == ErrorKind::kRefused) return std::nullopt;
  if (!work) {  // a newer build's input, perhaps: others may try after the lease
    claim.held = tick;
    claim.keeps_lease = true;
    parts_.seams.logger.error(
        "A schedule cannot start its saga; it waits until it can.",
        {{"schedule", schedule.name}, {"code", work.error().code}, {"reason", work.error().message}});
    return std::nullopt;
  }
  work->settled = [answers = answers_, name = schedule.name, tick](const Settlement& settlement) {
    const std::scoped_lock lock(answers->mutex);
    answers->all.push_back({name, tick, settlement.kind, settlement.reason});
  };
  return std::move(work).value();
}

}  // namespace skald::runtime
