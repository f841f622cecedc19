// The timekeeper's round.
#include "runtime/timekeeper.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "runtime/parked.hpp"
#include "wire/murmur2.hpp"

namespace skald::runtime {

namespace {
/// While groups wait for replies to be read.
constexpr std::chrono::milliseconds kGroupInterval{10};
constexpr std::size_t kMaximumAdopt = 100;
constexpr std::size_t kMaximumParked = 1'000;  ///< they come with their bytes
constexpr std::chrono::milliseconds kLiveFor{500};
}  // namespace

Timekeeper::Timekeeper(Parts parts)
    : parts_(std::move(parts)),
      link_(parts_.seams, parts_.settings, "timekeeper"),
      scheduler_({parts_.seams, parts_.settings, parts_.registry, parts_.decoder, parts_.router,
                  parts_.pauses, parts_.incarnation, parts_.pressure}) {}

std::chrono::milliseconds Timekeeper::run_once() {
  const Settings& settings = parts_.settings;
  Session* session = link_.session();
  if (session == nullptr) return settings.backoff_initial;
  // Before the process is registered, and its lanes begin: they know what is paused.
  bool good = !due(pauses_at_, settings.pauses_interval) || read_pauses(*session);
  good = good && heartbeat(*session);
  if (good && !quiet_) {
    if (due(claim_at_, settings.claim_interval)) good = claim(*session);
    good = good && look_at_groups(*session);
    if (good && (parked_soon_.exchange(false) || due(parked_at_, settings.parked_interval)))
      good = claim_parked(*session);
    if (good && due(adopt_at_, settings.adopt_interval)) good = adopt(*session);
    if (good && due(gauges_at_, settings.gauges_interval)) good = gauges(*session);
  }
  good = good && fine(scheduler_.run_once(*session, !quiet_));
  if (!good) return settings.backoff_initial;
  return groups_.empty() ? settings.claim_interval : kGroupInterval;
}

bool Timekeeper::due(Ns& at, std::chrono::milliseconds interval) {
  const auto now = parts_.seams.clock.monotonic();
  if (now < at) return false;
  at = now + interval;
  return true;
}

bool Timekeeper::heartbeat(Session& session) {
  if (parts_.incarnation == 0) return enroll(session);
  if (!due(heartbeat_at_, parts_.settings.heartbeat_interval)) return true;
  auto alive = session.heartbeat(parts_.incarnation, parts_.settings.incarnation_lease);
  if (!fine(alive)) {
    heartbeat_at_ = Ns(0);
    return false;
  }
  if (*alive) {
    note_beat();
    return true;
  }
  parts_.seams.observer.incarnation_lost();
  parts_.seams.logger.warning(
      "We were silent for so long that others took us for dead; going on as a new incarnation.",
      {{"incarnation", parts_.incarnation.load()}});
  return enroll(session);
}

/// While the database was away nobody could beat: after a gap of our own, everyone gets the time to come back.
void Timekeeper::note_beat() {
  const auto now = parts_.seams.clock.monotonic();
  if (beat_at_ < Ns(0) || now - beat_at_ > parts_.settings.incarnation_lease / 2) steady_since_ = now;
  beat_at_ = now;
}

bool Timekeeper::enroll(Session& session) {
  auto incarnation = session.register_incarnation(parts_.settings.host, parts_.build);
  if (!fine(incarnation)) return false;
  auto alive = session.heartbeat(*incarnation, parts_.settings.incarnation_lease);
  if (!fine(alive) || !*alive) return false;
  heartbeat_at_ = parts_.seams.clock.monotonic() + parts_.settings.heartbeat_interval;
  beat_at_ = Ns(-1);
  note_beat();
  parts_.keys.set_incarnation(*incarnation);
  parts_.incarnation = *incarnation;
  parts_.seams.logger.info("Registered.", {{"incarnation", *incarnation}, {"build", parts_.build}});
  return true;
}

void Timekeeper::retire() {
  const Incarnation incarnation = parts_.incarnation.exchange(0);
  if (incarnation == 0) return;
  if (Session* session = link_.session()) static_cast<void>(session->retire_incarnation(incarnation));
}

ClaimSpec Timekeeper::spec(std::chrono::milliseconds lease) const {
  ClaimSpec spec;
  spec.maximum = parts_.settings.maximum_claim;
  spec.maximum_bytes = parts_.settings.maximum_batch_bytes;
  spec.lease = lease;
  spec.incarnation = parts_.incarnation;
  const auto pauses = parts_.pauses.now();
  for (const SagaDefinition& saga : parts_.registry.sagas())
    if (!pauses->definitions.contains(saga.name))
      spec.revisions.emplace_back(std::string(saga.name), saga.revision);
  spec.reply_partitions = std::max(parts_.progress.reply_partitions(), 1);
  spec.owned_partitions = parts_.progress.owned();
  spec.grace = parts_.settings.foreign_grace;
  return spec;
}

/// The lanes take no more replies either.
bool Timekeeper::full(const Pressure& pressure) const {
  return pressure.urgent > parts_.settings.queue_urgent_high ||
         pressure.bytes > 2 * parts_.settings.queue_bytes_high;
}

bool Timekeeper::may_claim() {
  if (parts_.progress.reply_partitions() == 0)
    return false;  // Kafka was never reached: replies may wait there
  const Pressure pressure = parts_.pressure();
  if (full(pressure) || pressure.outbox > parts_.settings.outbox_high ||
      pressure.outbox_bytes > parts_.settings.outbox_bytes_high)
    return false;
  if (waiting_.size() >= 4 * parts_.settings.maximum_claim) return false;
  // In a rebalance nobody reads replies: let it end first, within reason.
  const auto now = parts_.seams.clock.monotonic();
  if (parts_.progress.assigned()) {
    unassigned_since_ = Ns(-1);
    return true;
  }
  if (unassigned_since_ < Ns(0)) unassigned_since_ = now;
  return now - unassigned_since_ > 4 * parts_.settings.foreign_grace;
}

bool Timekeeper::claim(Session& session) {
  if (!may_claim()) return true;
  auto claimed = session.claim_due(spec(parts_.settings.claim_lease));
  if (!fine(claimed)) return false;
  parts_.store_clock.tell(claimed->now);
  if (claimed->sagas.size() >= parts_.settings.maximum_claim) claim_at_ = Ns(0);  // there is more
  std::map<std::int32_t, Group> groups;
  for (DueSaga& saga : claimed->sagas) {
    if (!waiting_.insert(saga.key).second) continue;
    const std::int32_t partition =
        wire::route_of(saga.address.saga_id) % std::max(parts_.progress.reply_partitions(), 1);
    groups[partition].sagas.push_back(std::move(saga));
  }
  const auto now = parts_.seams.clock.monotonic();
  for (auto& [partition, group] : groups) {
    group.partition = partition;
    group.ticket = parts_.progress.ask(partition);
    group.give_up_at = now + patience(partition);
    groups_.push_back(std::move(group));
  }
  return true;
}

Timekeeper::Ns Timekeeper::patience(std::int32_t partition) const {
  return parts_.progress.handed_over(partition) ? parts_.settings.reply_wait
                                                : parts_.settings.foreign_reply_wait;
}

bool Timekeeper::look_at_groups(Session& session) {
  if (groups_.empty()) return true;
  // How far another process has read its partitions stands in the store.
  const bool foreign = std::any_of(groups_.begin(), groups_.end(), [this](const Group& group) {
    return group.end && !parts_.progress.handed_over(group.partition);
  });
  if (foreign && due(positions_at_, parts_.settings.save_positions_interval)) {
    auto positions = session.positions(parts_.progress.cluster_id());
    if (!fine(positions)) return false;
    positions_ = std::move(positions).value();
  }
  std::vector<Group> ready;
  std::erase_if(groups_, [&](Group& group) {
    const bool ripe = caught_up(group, &positions_);
    if (ripe) ready.push_back(std::move(group));
    return ripe;
  });
  return ready.empty() || hand_over(session, std::move(ready));
}

bool Timekeeper::caught_up(Group& group, const std::vector<Position>* foreign) {
  const auto now = parts_.seams.clock.monotonic();
  if (!group.end) group.end = parts_.progress.end(group.partition, group.ticket);
  std::int64_t next = 0;
  if (const auto own = parts_.progress.handed_over(group.partition)) {
    next = *own;
  } else {
    for (const Position& position : *foreign)
      if (position.partition.partition == group.partition &&
          position.partition.topic == parts_.decoder.reply_topic())
        next = position.next_offset;
  }
  if (group.end && next >= *group.end) return true;
  if (next > group.handed_over) {
    if (group.handed_over >= 0) group.give_up_at = now + patience(group.partition);
    group.handed_over = next;
  }
  return now >= group.give_up_at;
}

/// Who lives. Who is missing was dead when it was asked, or has come since and has a higher number; who has died since
/// is asked about again. So an answer that is a little old does no harm, and many that fall due at once share one.
Result<void> Timekeeper::ask_who_lives(Session& session) {
  if (parts_.seams.clock.monotonic() < live_until_) return {};
  const auto lease = parts_.settings.incarnation_lease;
  const bool steady = parts_.seams.clock.monotonic() - steady_since_ >= lease;
  if (steady)
    if (auto buried = session.bury_incarnations(lease); !buried) return buried.error();
  const auto live = session.live_incarnations();
  if (!live) return live.error();
  live_.clear();
  for (const IncarnationInfo& process : *live) live_.push_back(process.incarnation);
  live_until_ = parts_.seams.clock.monotonic() + kLiveFor;
  return {};
}

bool Timekeeper::hand_over(Session& session, std::vector<Group> groups) {
  const auto live = ask_who_lives(session);
  engine::Wake wake{live_, {}};
  std::vector<Work> works;
  const Time now = parts_.store_clock.now();
  for (Group& group : groups) {
    for (DueSaga& saga : group.sagas) {
      waiting_.erase(saga.key);
      if (!live) continue;  // claimed again after its lease
      parts_.seams.observer.timer_lateness(now - saga.wake_at);
      Work work;
      work.address = std::move(saga.address);
      work.waiting_since = wake.at = saga.wake_at;
      work.what = engine::Input(wake);
      works.push_back(std::move(work));
    }
  }
  if (!fine(live)) return false;
  parts_.router.route(std::move(works));
  return true;
}

bool Timekeeper::claim_parked(Session& session) {
  if (full(parts_.pressure())) return true;
  ClaimSpec bounded = spec(parts_.settings.parked_lease);
  bounded.maximum = std::min(bounded.maximum, kMaximumParked);
  auto claimed = session.claim_parked(bounded);
  if (!fine(claimed)) return false;
  if (claimed->size() >= bounded.maximum) parked_soon_.store(true);
  std::vector<Work> works;
  for (ParkedInput& parked : *claimed) {
    const std::int64_t parked_id = parked.parked_id;
    auto work = work_of(std::move(parked), parts_.decoder, parts_.seams.logger);
    if (!work) continue;
    work->settled = parts_.waiter_of(parked_id);
    works.push_back(std::move(*work));
  }
  parts_.router.route(std::move(works));
  return true;
}

bool Timekeeper::adopt(Session& session) {
  const Pressure pressure = parts_.pressure();
  if (pressure.outbox > parts_.settings.outbox_high ||
      pressure.outbox_bytes > parts_.settings.outbox_bytes_high)
    return true;
  auto rows = session.adopt_outbox(parts_.incarnation, kMaximumAdopt, adopted_unseen_,
                                   parts_.settings.outbox_bytes_high / 8);
  adopted_unseen_ = !rows;  // rows may be ours now and we never saw them
  if (!fine(rows)) return false;
  if (!rows->empty())
    parts_.seams.logger.info("Publishing what a dead process had committed.", {{"rows", rows->size()}});
  for (OutboxRow& row : *rows) parts_.publisher.publish(std::move(row));
  return true;
}

void Timekeeper::tell_changes(const std::vector<Pause>& pauses, const PauseSet& before,
                              const PauseSet& after) const {
  for (const Pause& pause : pauses) {
    const auto& had = pause.kind == PauseKind::definition ? before.definitions : before.steps;
    if (!had.contains(pause.name))
      parts_.seams.logger.info("Paused.", {{"kind", std::string(to_string(pause.kind))},
                                           {"name", pause.name},
                                           {"who", pause.who},
                                           {"why", pause.why}});
  }
  for (const auto& [kind, had, has] :
       {std::tuple(PauseKind::definition, &before.definitions, &after.definitions),
        std::tuple(PauseKind::step, &before.steps, &after.steps)})
    for (const std::string& name : *had)
      if (!has->contains(name))
        parts_.seams.logger.info("Resumed.", {{"kind", std::string(to_string(kind))}, {"name", name}});
}

bool Timekeeper::read_pauses(Session& session) {
  const auto pauses = session.pauses();
  const auto failed = [this] {
    pauses_at_ = Ns(0);
    return false;
  };
  if (!fine(pauses)) return failed();
  const auto before = parts_.pauses.now();
  PauseSet set;
  for (const Pause& pause : *pauses)
    (pause.kind == PauseKind::definition ? set.definitions : set.steps).insert(pause.name);
  const bool known = before->began != Time{};
  if (known && set.definitions == before->definitions && set.steps == before->steps) return true;
  const auto now = session.now();
  if (!fine(now)) return failed();
  set.began = known ? before->began : *now;
  set.resumed = before->resumed;
  for (const std::string& name : before->definitions)
    if (!set.definitions.contains(name)) set.resumed[name] = *now;
  parts_.pauses.tell(set);
  parts_.seams.observer.paused(set);
  parked_soon_.store(true);
  tell_changes(*pauses, *before, set);
  return true;
}

bool Timekeeper::gauges(Session& session) {
  auto held = session.hold_lease("gauges", parts_.incarnation, 2 * parts_.settings.gauges_interval);
  if (!fine(held)) return false;
  if (!*held) {
    if (std::exchange(held_gauges_, false)) parts_.seams.observer.gauges(false, {});
    return true;
  }
  auto gauges = session.gauges();
  if (!fine(gauges)) return false;
  held_gauges_ = true;
  parts_.seams.observer.gauges(true, *gauges);
  return true;
}

}  // namespace skald::runtime
