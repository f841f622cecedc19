// All tables are maps in one Database behind one mutex; a session only holds a pointer to it. Each call locks once,
// so each call is a transaction. The order inside commit() follows connectors/postgres/commit.cpp.
#include "memory/memory_store.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <tuple>

#include <unordered_map>
#include <utility>

#include "memory/rows.hpp"
#include "memory/saga_queries.hpp"
#include "memory/schedule_table.hpp"
#include "ports/footprint.hpp"
#include "wire/batch_check.hpp"

namespace skald::memory {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstIncarnationLease{30000};

bool has_messages(const Batch& batch) {
  return !batch.messages.empty() ||
         std::any_of(batch.writes.begin(), batch.writes.end(),
                     [](const SagaWrite& write) { return !write.messages.empty(); });
}

Error away() { return {ErrorKind::kUnavailable, "", "the memory store was made unavailable"}; }

}  // namespace

struct MemoryStore::Database {
  explicit Database(const Clock& given_clock) : clock(given_clock) {}

  const Clock& clock;
  mutable std::mutex mutex;  // guards everything below
  bool available = true;
  std::deque<CommitFault> faults;
  std::function<CommitFault(const Batch&)> hook;
  std::map<SagaKey, SagaEntry> sagas;
  std::unordered_map<SagaAddress, SagaKey> keys;
  std::set<std::pair<Time, SagaKey>> open;  // by wake_at
  std::map<std::int64_t, OutboxEntry> outbox;
  std::map<std::int64_t, ParkedEntry> parked;
  std::map<Incarnation, IncarnationEntry> incarnations;
  Incarnation last_incarnation = 0;
  std::map<std::pair<std::string, TopicPartition>, Position> positions;
  std::map<std::string, LeaseEntry> leases;
  std::map<std::pair<PauseKind, std::string>, Pause> pauses;
  ScheduleTable schedules;

  [[nodiscard]] Time now() const { return clock.wall(); }

  [[nodiscard]] bool is_open(const SagaAddress& saga) const {
    const auto found = keys.find(saga);
    return found != keys.end() && !is_ended(sagas.at(found->second).row.status);
  }

  [[nodiscard]] bool is_live(Incarnation incarnation) const {
    const auto found = incarnations.find(incarnation);
    return found != incarnations.end() && found->second.expires_at > now();
  }

  /// Writes the row's new state; `open` follows wake_at.
  void store(SagaEntry& entry, const SagaWrite& write) {
    SagaRow& row = entry.row;
    if (row.sequence != write.sequence) {
      row.sequence = write.sequence;
      row.run_from = write.run_from;
      row.status = write.status;
      row.stuck_reason = write.status == SagaStatus::kStuck ? write.stuck_reason : "";
      row.stuck_step = write.status == SagaStatus::kStuck ? write.stuck_step : "";
    }
    open.erase({row.wake_at, row.key});
    if (is_ended(row.status)) {
      if (!row.ended_at) row.ended_at = now();
      row.wake_at = kNever;
    } else {
      row.ended_at.reset();
      row.wake_at = write.wake_at;
      open.insert({row.wake_at, row.key});
    }
    entry.lease_until.reset();
    entry.leased_by = 0;
    entry.history.insert(entry.history.end(), write.history.begin(), write.history.end());
  }

  /// True if the write won; a start whose address is taken is reported as a conflict.
  bool apply(const SagaWrite& write, CommitResult& result) {
    const auto found = sagas.find(write.key);
    if (write.judged_at != 0) {
      if (found == sagas.end() || found->second.row.sequence != write.judged_at) {
        result.lost.push_back(write.key);
        return false;
      }
      store(found->second, write);
      return true;
    }
    if (const auto taken = keys.find(write.address); taken != keys.end()) {
      result.conflicts.push_back({write.key, sagas.at(taken->second).row});
      return false;
    }
    if (found != sagas.end()) {
      result.lost.push_back(write.key);
      return false;
    }
    SagaEntry& entry = sagas[write.key];
    entry.row.key = write.key;
    entry.row.address = write.address;
    entry.row.revision = write.revision;
    entry.row.route = write.route;
    entry.row.input_hash = write.input_hash;
    entry.row.started_at = now();
    keys.emplace(write.address, write.key);
    store(entry, write);
    return true;
  }

  Result<CommitResult> commit(const Batch& batch) {
    CommitResult result;
    result.now = now();
    if (outbox.contains(batch.outbox_id) && has_messages(batch))
      return Error{ErrorKind::kInvalid, "", "outbox id " + std::to_string(batch.outbox_id) + " is taken"};
    for (const SagaWrite& write : batch.writes)
      if (apply(write, result))
        result.messages.insert(result.messages.end(), write.messages.begin(), write.messages.end());
    for (const Fence& fence : batch.fences) {
      const auto found = sagas.find(fence.key);
      if (found == sagas.end() || found->second.row.sequence != fence.sequence)
        result.lost.push_back(fence.key);
    }
    result.messages.insert(result.messages.end(), batch.messages.begin(), batch.messages.end());
    if (!result.messages.empty()) {
      outbox[batch.outbox_id] = {batch.incarnation, result.now, result.messages};
      result.outbox_id = batch.outbox_id;
    }
    for (const ParkedInput& input : batch.park) park(input, result.now);
    for (const std::int64_t parked_id : batch.parked_done) parked.erase(parked_id);
    for (const std::int64_t outbox_id : batch.outbox_done) outbox.erase(outbox_id);
    return result;
  }

  void park(const ParkedInput& input, Time at) {
    auto [place, fresh] = parked.try_emplace(input.parked_id, ParkedEntry{input, std::nullopt});
    ParkedInput& kept = place->second.parked;
    if (fresh) {
      kept.parked_at = at;
    } else {
      kept.reason = input.reason;
      kept.revision = input.revision;
    }
  }

  /// When this process may claim the saga: nullopt if it has no code for it, or if inputs came before.
  std::optional<Time> claimable_at(const SagaEntry& entry, const ClaimSpec& spec,
                                   const Revisions& revisions) const {
    const SagaRow& row = entry.row;
    if (!revisions.contains({row.address.definition, row.revision})) return std::nullopt;
    const bool behind = std::any_of(parked.begin(), parked.end(), [&row](const auto& one) {
      const ParkedInput& input = one.second.parked;
      return input.address == row.address &&
             (input.reason == ParkReason::kNoCode || input.reason == ParkReason::kPaused);
    });
    if (behind) return std::nullopt;
    const std::int32_t partition = row.route % std::max(spec.reply_partitions, 1);
    const auto& owned = spec.owned_partitions;
    const bool owner = std::find(owned.begin(), owned.end(), partition) != owned.end();
    const Time due = owner ? row.wake_at : row.wake_at + spec.grace;
    const bool abandoned = entry.leased_by != 0 && !is_live(entry.leased_by);
    return abandoned ? due : std::max(due, entry.lease_until.value_or(due));
  }

  Claimed claim_due(const ClaimSpec& spec) {
    Claimed claimed;
    claimed.now = now();
    const Revisions revisions{spec.revisions.begin(), spec.revisions.end()};
    for (const auto& [wake_at, key] : open) {
      if (wake_at > claimed.now) {
        if (wake_at < kNever) claimed.next_due = std::min(wake_at, claimed.next_due.value_or(wake_at));
        break;
      }
      SagaEntry& entry = sagas.at(key);
      const auto at = claimable_at(entry, spec, revisions);
      if (!at) continue;
      if (*at <= claimed.now && claimed.sagas.size() < spec.maximum) {
        entry.lease_until = claimed.now + spec.lease;
        entry.leased_by = spec.incarnation;
        claimed.sagas.push_back({key, entry.row.address, entry.row.revision, wake_at});
      } else {
        claimed.next_due = std::min(std::max(*at, claimed.now), claimed.next_due.value_or(*at));
      }
    }
    return claimed;
  }

  std::vector<ParkedInput> claim_parked(const ClaimSpec& spec) {
    std::vector<ParkedInput> claimed;
    std::size_t bytes = 0;
    const Revisions revisions{spec.revisions.begin(), spec.revisions.end()};
    std::set<SagaAddress> blocked;  // an earlier input of theirs is not ours to take: order is kept
    for (auto& [id, entry] : parked) {
      if (claimed.size() >= spec.maximum || bytes >= spec.maximum_bytes) break;
      const bool leased = entry.lease_until && *entry.lease_until > now();
      if (leased || !has_code(spec, revisions, entry.parked)) blocked.insert(entry.parked.address);
      if (blocked.contains(entry.parked.address)) continue;
      // The longer one has waited in vain the rarer it is tried.
      const auto waited = std::chrono::duration_cast<milliseconds>(now() - entry.parked.parked_at) / 4;
      entry.lease_until = now() + std::max(spec.lease, std::min(waited, milliseconds{60'000}));
      bytes += entry.parked.input.size();
      claimed.push_back(entry.parked);
    }
    return claimed;
  }

  std::vector<OutboxRow> adopt(Incarnation incarnation, std::size_t maximum, bool own_too,
                               std::size_t maximum_bytes) {
    std::vector<OutboxRow> rows;
    std::size_t bytes = 0;
    if (!is_live(incarnation)) return rows;
    for (auto& [id, entry] : outbox) {
      if (rows.size() >= maximum || bytes >= maximum_bytes) break;
      const bool own = own_too && entry.incarnation == incarnation;
      if (!own && is_live(entry.incarnation)) continue;
      entry.incarnation = incarnation;
      for (const Message& message : entry.messages) bytes += memory_bytes(message);
      rows.push_back({id, entry.messages});
    }
    return rows;
  }

  [[nodiscard]] Gauges gauges() const {
    Gauges gauges;
    std::map<std::pair<std::string, SagaStatus>, std::pair<std::int64_t, Time>> open_count;
    std::map<std::array<std::string, 3>, std::int64_t> stuck_count;
    for (const auto& [wake_at, key] : open) {
      const SagaRow& row = sagas.at(key).row;
      auto& [count, oldest] =
          open_count.try_emplace({row.address.definition, row.status}, 0, row.started_at).first->second;
      ++count;
      oldest = std::min(oldest, row.started_at);
      if (row.status == SagaStatus::kStuck)
        ++stuck_count[{row.address.definition, row.stuck_step, row.stuck_reason}];
    }
    for (const auto& [what, of] : open_count)
      gauges.open.push_back({what.first, what.second, of.first, of.second});
    for (const auto& [what, count] : stuck_count) gauges.stuck.push_back({what[0], what[1], what[2], count});
    for (const auto& [id, entry] : outbox)
      if (!gauges.outbox_oldest || entry.created_at < *gauges.outbox_oldest)
        gauges.outbox_oldest = entry.created_at;
    gauges.outbox_pending = static_cast<std::int64_t>(outbox.size());
    gauges.parked = static_cast<std::int64_t>(parked.size());
    gauges.now = now();
    return gauges;
  }

  CommitFault next_fault(const Batch& batch) {
    std::function<CommitFault(const Batch&)> asked;
    {
      const std::lock_guard lock{mutex};
      if (!faults.empty()) {
        const CommitFault fault = faults.front();
        faults.pop_front();
        return fault;
      }
      asked = hook;
    }
    return asked ? asked(batch) : CommitFault::kNone;
  }
};

namespace {

class MemorySession : public Session {
 public:
  explicit MemorySession(std::shared_ptr<MemoryStore::Database> database) : database_(std::move(database)) {}

  Result<CommitResult> commit(Batch& batch) override {
    const CommitFault fault = database_->next_fault(batch);
    return call([&](auto& database) -> Result<CommitResult> {
      if (fault == CommitFault::kRetry) return Error{ErrorKind::kRetry, "", "injected: deadlock"};
      if (fault == CommitFault::kUnavailable) return away();
      if (fault == CommitFault::kInvalid) return Error{ErrorKind::kInvalid, "", "injected: data refused"};
      if (fault == CommitFault::kUnknownNotApplied) return in_doubt();
      if (auto checked = wire::check_batch(batch); !checked) return checked.error();
      auto committed = database.commit(batch);
      if (fault == CommitFault::kUnknownApplied) return in_doubt();
      return committed;
    });
  }

  Result<std::vector<StoredSaga>> load(std::span<const SagaAddress> addresses, std::size_t maximum_bytes,
                                       Runs runs) override {
    return call([&](auto& database) -> Result<std::vector<StoredSaga>> {
      std::vector<StoredSaga> loaded;
      std::size_t bytes = 0;
      for (const SagaAddress& address : addresses) {
        const auto key = database.keys.find(address);
        if (key == database.keys.end()) continue;
        const auto& entry = database.sagas.at(key->second);
        const bool room = bytes < maximum_bytes;
        StoredSaga& saga = loaded.emplace_back(StoredSaga{entry.row, {}, !room});
        for (const HistoryRow& row : entry.history) {
          if (runs == Runs::kLast && row.sequence < entry.row.run_from) continue;
          bytes += row.events.size();
          if (room) saga.history.push_back(row);
        }
      }
      return loaded;
    });
  }

  Result<Claimed> claim_due(const ClaimSpec& spec) override {
    return call([&](auto& database) -> Result<Claimed> { return database.claim_due(spec); });
  }

  Result<Time> now() override {
    return call([](auto& database) -> Result<Time> { return database.now(); });
  }

  Result<Incarnation> register_incarnation(const std::string& host, const std::string& build) override {
    return call([&](auto& database) -> Result<Incarnation> {
      const Incarnation incarnation = ++database.last_incarnation;
      database.incarnations[incarnation] = {{incarnation, host, build},
                                            database.now() + kFirstIncarnationLease};
      return incarnation;
    });
  }

  Result<bool> heartbeat(Incarnation incarnation, milliseconds lease) override {
    return call([&](auto& database) -> Result<bool> {
      const auto found = database.incarnations.find(incarnation);
      if (found == database.incarnations.end()) return false;
      found->second.expires_at = database.now() + lease;
      return true;
    });
  }

  Result<void> retire_incarnation(Incarnation incarnation) override {
    return call([&](auto& database) -> Result<void> {
      database.incarnations.erase(incarnation);
      return {};
    });
  }

  Result<void> bury_incarnations(milliseconds expired_for) override {
    return call([&](auto& database) -> Result<void> {
      std::erase_if(database.incarnations, [&](const auto& entry) {
        return entry.second.expires_at <= database.now() - expired_for;
      });
      return {};
    });
  }

  Result<std::vector<IncarnationInfo>> live_incarnations() override {
    return call([](auto& database) -> Result<std::vector<IncarnationInfo>> {
      std::vector<IncarnationInfo> live;
      live.reserve(database.incarnations.size());
      for (const auto& [incarnation, entry] : database.incarnations) live.push_back(entry.info);
      return live;
    });
  }

  Result<std::optional<OutboxRow>> outbox_row(std::int64_t outbox_id) override {
    return call([&](auto& database) -> Result<std::optional<OutboxRow>> {
      const auto found = database.outbox.find(outbox_id);
      if (found == database.outbox.end()) return std::optional<OutboxRow>{};
      return std::optional<OutboxRow>{OutboxRow{outbox_id, found->second.messages}};
    });
  }

  Result<std::vector<OutboxRow>> adopt_outbox(Incarnation incarnation, std::size_t maximum, bool own_too,
                                              std::size_t maximum_bytes) override {
    return call([&](auto& database) -> Result<std::vector<OutboxRow>> {
      return database.adopt(incarnation, maximum, own_too, maximum_bytes);
    });
  }

  Result<void> delete_outbox(std::span<const std::int64_t> outbox_ids) override {
    return call([&](auto& database) -> Result<void> {
      for (const std::int64_t outbox_id : outbox_ids) database.outbox.erase(outbox_id);
      return {};
    });
  }

  Result<std::vector<ParkedInput>> claim_parked(const ClaimSpec& spec) override {
    return call(
        [&](auto& database) -> Result<std::vector<ParkedInput>> { return database.claim_parked(spec); });
  }

  Result<std::vector<ParkedInput>> parked_of(std::span<const SagaAddress> sagas,
                                             std::size_t maximum) override {
    return call([&](auto& database) -> Result<std::vector<ParkedInput>> {
      std::vector<ParkedInput> found;
      for (const auto& [id, entry] : database.parked)
        if (found.size() < maximum &&
            std::find(sagas.begin(), sagas.end(), entry.parked.address) != sagas.end())
          found.push_back(entry.parked);
      return found;
    });
  }

  Result<std::vector<Position>> positions(const std::string& cluster_id) override {
    return call([&](auto& database) -> Result<std::vector<Position>> {
      std::vector<Position> found;
      for (const auto& [where, position] : database.positions)
        if (where.first == cluster_id) found.push_back(position);
      return found;
    });
  }

  Result<void> save_positions(const std::string& cluster_id, std::span<const Position> positions) override {
    return call([&](auto& database) -> Result<void> {
      for (const Position& position : positions) {
        auto [place, fresh] = database.positions.try_emplace({cluster_id, position.partition}, position);
        if (!fresh && position.next_offset > place->second.next_offset) place->second = position;
      }
      return {};
    });
  }

  Result<void> accept_position(const std::string& cluster_id, const Position& position,
                               const std::string& who, const std::string& why) override {
    if (who.empty() || why.empty())
      return Error{ErrorKind::kInvalid, "", "accepting a position needs who and why"};
    return call([&](auto& database) -> Result<void> {
      database.positions[{cluster_id, position.partition}] = position;
      return {};
    });
  }

  Result<std::vector<Pause>> pauses() override {
    return call([](auto& database) -> Result<std::vector<Pause>> {
      std::vector<Pause> all;
      all.reserve(database.pauses.size());
      for (const auto& [what, pause] : database.pauses) all.push_back(pause);
      return all;
    });
  }

  Result<bool> pause(const Pause& pause) override {
    if (pause.who.empty() || pause.why.empty()) return nobody_says_why();
    return call([&](auto& database) -> Result<bool> {
      Pause now = pause;
      now.since = database.now();
      return database.pauses.try_emplace({pause.kind, pause.name}, std::move(now)).second;
    });
  }

  Result<bool> resume(PauseKind kind, const std::string& name, const std::string& who,
                      const std::string& why) override {
    if (who.empty() || why.empty()) return nobody_says_why();
    return call([&](auto& database) -> Result<bool> { return database.pauses.erase({kind, name}) == 1; });
  }

  Result<std::vector<Schedule>> schedules() override {
    return call([](auto& database) -> Result<std::vector<Schedule>> { return database.schedules.all(); });
  }

  Result<void> put_schedule(const Schedule& schedule) override {
    if (schedule.who.empty() || schedule.why.empty()) return nobody_says_why();
    return call([&](auto& database) -> Result<void> {
      database.schedules.put(schedule, database.now());
      return {};
    });
  }

  Result<bool> change_schedule(const ScheduleChange& change) override {
    if (change.who.empty() || change.why.empty()) return nobody_says_why();
    return call(
        [&](auto& database) -> Result<bool> { return database.schedules.change(change, database.now()); });
  }

  Result<std::vector<DueSchedule>> claim_schedules(const ScheduleClaim& claim) override {
    return call([&](auto& database) -> Result<std::vector<DueSchedule>> {
      return database.schedules.claim(
          claim, database.now(), [&](const SagaAddress& saga) { return database.is_open(saga); },
          [&](Incarnation incarnation) { return database.is_live(incarnation); });
    });
  }

  Result<bool> advance_schedule(const ScheduleProgress& progress) override {
    return call([&](auto& database) -> Result<bool> { return database.schedules.advance(progress); });
  }

  Result<std::vector<SagaRow>> list(const ListFilter& filter) override {
    return call(
        [&](auto& database) -> Result<std::vector<SagaRow>> { return list_sagas(database.sagas, filter); });
  }

  Result<EndedPage> ended_with_history(Time ended_before, SagaKey behind, SagaKey below,
                                       std::size_t maximum) override {
    return call([&](auto& database) -> Result<EndedPage> {
      return memory::ended_with_history(database.sagas, ended_before, behind, below, maximum);
    });
  }

  Result<std::size_t> remove_histories(std::span<const Fence> sagas) override {
    return call([&](auto& database) -> Result<std::size_t> {
      return memory::remove_histories(database.sagas, sagas);
    });
  }

  Result<RemovedPage> remove_ended(Time ended_before, SagaKey behind, SagaKey below,
                                   std::size_t maximum) override {
    return call([&](auto& database) -> Result<RemovedPage> {
      std::vector<SagaAddress> removed;
      auto page = memory::remove_ended(database.sagas, ended_before, behind, below, maximum, removed);
      for (const SagaAddress& saga : removed) database.keys.erase(saga);
      return page;
    });
  }

  Result<Gauges> gauges() override {
    return call([](auto& database) -> Result<Gauges> { return database.gauges(); });
  }

  Result<bool> hold_lease(const std::string& name, Incarnation incarnation, milliseconds lease) override {
    return call([&](auto& database) -> Result<bool> {
      LeaseEntry& entry = database.leases[name];
      if (entry.incarnation != incarnation && entry.expires_at > database.now()) return false;
      entry = {incarnation, database.now() + lease};
      return true;
    });
  }

 private:
  static Error nobody_says_why() { return {ErrorKind::kInvalid, "", "this needs who and why"}; }
  static Error in_doubt() { return {ErrorKind::kUnknown, "", "injected: the commit's outcome is unknown"}; }

  template <class Work>
  auto call(Work&& work) -> decltype(work(std::declval<MemoryStore::Database&>())) {
    const std::lock_guard lock{database_->mutex};
    if (!database_->available) return away();
    return work(*database_);
  }

  std::shared_ptr<MemoryStore::Database> database_;
};

}  // namespace

MemoryStore::MemoryStore(const Clock& clock) : database_(std::make_shared<Database>(clock)) {}
MemoryStore::~MemoryStore() = default;

Result<std::unique_ptr<Session>> MemoryStore::open() {
  const std::lock_guard lock{database_->mutex};
  if (!database_->available) return away();
  return std::unique_ptr<Session>{std::make_unique<MemorySession>(database_)};
}

void MemoryStore::fail_next_commits(CommitFault fault, int count) {
  const std::lock_guard lock{database_->mutex};
  database_->faults.insert(database_->faults.end(), static_cast<std::size_t>(count), fault);
}

void MemoryStore::set_commit_hook(std::function<CommitFault(const Batch&)> hook) {
  const std::lock_guard lock{database_->mutex};
  database_->hook = std::move(hook);
}

void MemoryStore::set_available(bool available) {
  const std::lock_guard lock{database_->mutex};
  database_->available = available;
}

std::vector<OutboxRow> MemoryStore::outbox() const {
  const std::lock_guard lock{database_->mutex};
  std::vector<OutboxRow> rows;
  for (const auto& [id, entry] : database_->outbox) rows.push_back({id, entry.messages});
  return rows;
}

std::vector<StoredSaga> MemoryStore::sagas() const {
  const std::lock_guard lock{database_->mutex};
  std::vector<StoredSaga> all;
  for (const auto& [key, entry] : database_->sagas) all.push_back({entry.row, entry.history});
  return all;
}

std::vector<ParkedInput> MemoryStore::parked() const {
  const std::lock_guard lock{database_->mutex};
  std::vector<ParkedInput> all;
  for (const auto& [id, entry] : database_->parked) all.push_back(entry.parked);
  return all;
}

}  // namespace skald::memory
