// The lane's round: take, load, judge, commit.
#include "runtime/lane.hpp"

#include <algorithm>

#include "runtime/parked.hpp"

namespace skald::runtime {

namespace {
constexpr std::size_t kMaximumDone = 1'000;  ///< outbox and parked rows deleted with one transaction
constexpr std::chrono::milliseconds kRoomWait{20};
constexpr std::size_t kDoubtfulBatches = 2;
constexpr std::size_t kMaximumEarly = 1'000;  ///< inputs parked before their sagas, of a batch
}  // namespace

Lane::Lane(const LaneServices& services, std::size_t index)
    : services_(services),
      index_(index),
      judge_({services.environment, services.registry, services.settings, services.keys, cache_,
              services.seams.logger, services.seams.observer}),
      link_(services.seams, services.settings, "lane-" + std::to_string(index)),
      doubts_(
          services.seams.clock, services.settings,
          [this](OutboxRow row) { services_.publisher.publish(std::move(row)); },
          [this](const SagaAddress& address, std::vector<engine::LocalAttempt> attempts) {
            run_locally(address, std::move(attempts));
            hand_over();
          }),
      dead_letters_(services.seams.logger) {
  progressed_ns_ = services.seams.clock.monotonic().count();
}

bool Lane::run_once(std::chrono::milliseconds wait) {
  const bool worked = round(wait);
  progressed_ns_ = services_.seams.clock.monotonic().count();
  return worked;
}

bool Lane::idle() const noexcept {
  const auto waiting = load();
  return waiting.urgent + waiting.starts == 0;
}

LaneQueue::Load Lane::load() const noexcept {
  LaneQueue::Load load = queue_.load();
  load.starts += held_;
  load.bytes += held_bytes_;
  return load;
}

bool Lane::round(std::chrono::milliseconds wait) {
  Session* session = services_.incarnation == 0 ? nullptr : link_.session();
  if (session == nullptr) {
    queue_.rest(wait);
    return false;
  }
  if (!services_.store_clock.known()) {
    auto now = session->now();
    if (!now) {
      link_.failed(now.error());
      return false;
    }
    services_.store_clock.tell(*now);
  }
  if (!doubts_.look(*session, link_)) return false;
  if (!has_room()) {
    queue_.rest(std::min(wait, kRoomWait));
    return false;
  }
  std::vector<Turn> turns = group(next_works(wait));
  if (turns.empty() && parked_done_.empty()) return false;
  if (!add_early_signals(*session, turns) || !load_missing(*session, turns)) {
    judge_again(std::move(turns));
    return false;
  }
  const auto pauses = services_.pauses.now();
  const engine::Moment moment{services_.store_clock.now(), services_.incarnation, pauses.get()};
  for (Turn& turn : turns) judge_.judge(turn, moment);
  commit(*session, std::move(turns));
  const std::size_t evicted = cache_.trim(services_.settings.cache_bytes / services_.settings.lanes);
  if (evicted > 0) services_.seams.observer.cache_evicted(evicted);
  services_.seams.observer.cache_size(index_, cache_.size(), cache_.bytes());
  return true;
}

/// For what a batch sends, should Kafka take nothing, and for what is remembered of it, should its commit be in doubt.
bool Lane::has_room() const {
  const Settings& settings = services_.settings;
  return services_.publisher.backlog_bytes() <= 2 * settings.outbox_bytes_high &&
         doubts_.bytes() <= kDoubtfulBatches * settings.maximum_batch_bytes;
}

std::vector<Work> Lane::next_works(std::chrono::milliseconds wait) {
  std::vector<Work> works;
  if (!splits_.empty()) {
    works = std::move(splits_.front());
    splits_.pop_front();
    return works;
  }
  const std::size_t maximum = services_.settings.maximum_batch;
  std::size_t bytes = services_.settings.maximum_batch_bytes;
  while (!again_.empty() && works.size() < maximum && bytes > 0) {
    bytes -= std::min(bytes, again_.front().bytes);
    works.push_back(std::move(again_.front()));
    again_.pop_front();
  }
  if (!again_.empty()) return works;  // nothing newer before them
  if (!works.empty() || !parked_done_.empty()) wait = std::chrono::milliseconds(0);
  const std::size_t held = works.size();
  queue_.take(works, maximum, bytes, wait, held_);
  for (std::size_t index = held; index < works.size(); ++index) held_bytes_ += works[index].bytes;
  return works;
}

std::vector<Turn> Lane::group(std::vector<Work> works) {
  std::vector<Turn> turns;
  turns.reserve(works.size());
  std::unordered_map<SagaAddress, std::size_t> places;
  places.reserve(works.size());
  for (Work& work : works) {
    std::size_t place = turns.size();
    if (!work.passes_through()) place = places.emplace(work.address, turns.size()).first->second;
    if (place == turns.size()) {
      turns.emplace_back();
      turns.back().address = work.address;
    }
    turns[place].works.push_back(std::move(work));
  }
  return turns;
}

bool Lane::add_early_signals(Session& session, std::vector<Turn>& turns) {
  std::unordered_map<SagaAddress, Turn*> starting;
  std::vector<SagaAddress> addresses;
  for (Turn& turn : turns) {
    std::vector<Work>& works = turn.works;
    const auto start = std::find_if(works.begin(), works.end(), [](const Work& work) {
      const auto* request = std::get_if<StartRequest>(&work.what);
      return request != nullptr && !request->definition->signals.empty();
    });
    if (start == works.end()) continue;
    std::rotate(works.begin(), start, start + 1);  // what came in the same moment is not parked before it
    starting[turn.address] = &turn;
    addresses.push_back(turn.address);
  }
  if (addresses.empty()) return true;
  auto parked = session.parked_of(addresses, kMaximumEarly);
  if (!parked) {
    link_.failed(parked.error());
    return false;
  }
  std::unordered_map<SagaAddress, std::ptrdiff_t> places;
  for (ParkedInput& input : *parked) {
    std::vector<Work>& works = starting.at(input.address)->works;
    const bool there = std::any_of(works.begin(), works.end(),
                                   [&input](const Work& work) { return work.parked_id == input.parked_id; });
    const bool early = input.reason == ParkReason::kNoSaga || input.reason == ParkReason::kPaused;
    if (there || !early) continue;
    std::ptrdiff_t& place = places[input.address];
    auto work = work_of(std::move(input), services_.decoder, services_.seams.logger);
    if (!work) continue;
    work->bytes = measure(*work);
    ++held_;
    held_bytes_ += work->bytes;
    works.insert(works.begin() + ++place, std::move(*work));
  }
  return true;
}

bool Lane::load_missing(Session& session, std::vector<Turn>& turns) {
  std::vector<SagaAddress> missing;
  for (Turn& turn : turns) {
    if (turn.works.front().passes_through()) continue;
    turn.saga = cache_.find(turn.address);
    if (turn.saga != nullptr) {
      services_.seams.observer.cache_hit();
    } else if (!turn.works.front().is_first()) {  // a start is tried; the insert tells if the saga exists
      services_.seams.observer.cache_miss();
      missing.push_back(turn.address);
    }
  }
  if (missing.empty()) return true;
  auto stored = session.load(missing, services_.settings.maximum_batch_bytes);
  if (!stored) {
    link_.failed(stored.error());
    return false;
  }
  std::unordered_map<SagaAddress, CachedSaga*> admitted;  // null: there was no room for it
  for (StoredSaga& saga : *stored) {
    admitted[saga.row.address] = saga.left_out ? nullptr : &judge_.admit(saga);
    saga.history.clear();  // it stands in the cache now
    saga.history.shrink_to_fit();
  }
  std::vector<Turn> now;
  std::vector<Turn> later;
  for (Turn& turn : turns) {
    const auto found = admitted.find(turn.address);
    if (found != admitted.end()) turn.saga = found->second;
    const bool left_out = found != admitted.end() && found->second == nullptr;
    (left_out ? later : now).push_back(std::move(turn));
  }
  turns = std::move(now);
  judge_again(std::move(later));
  return true;
}

Batch Lane::gather(std::vector<Turn>& turns) {
  Batch batch;
  batch.incarnation = services_.incarnation;
  bool messages = false;
  for (Turn& turn : turns) {
    if (turn.write) {
      messages = messages || !turn.write->messages.empty();
      batch.writes.push_back(std::move(*turn.write));
    }
    if (turn.fence) batch.fences.push_back(*turn.fence);
    batch.messages.insert(batch.messages.end(), turn.messages.begin(), turn.messages.end());
    batch.park.insert(batch.park.end(), turn.park.begin(), turn.park.end());
  }
  std::sort(batch.writes.begin(), batch.writes.end(),
            [](const SagaWrite& left, const SagaWrite& right) { return left.key < right.key; });
  if (messages || !batch.messages.empty()) batch.outbox_id = services_.keys.next();
  return batch;
}

/// The writes go back to their turns: whatever comes of the commit is decided by them.
static void return_writes(std::vector<Turn>& turns, std::vector<SagaWrite> writes) {
  std::unordered_map<SagaKey, SagaWrite*> by_key;
  for (SagaWrite& write : writes) by_key[write.key] = &write;
  for (Turn& turn : turns)
    if (turn.write) turn.write = std::move(*by_key.at(turn.key));
}

void Lane::commit(Session& session, std::vector<Turn> turns) {
  Batch batch = gather(turns);
  const bool nothing = batch.writes.empty() && batch.fences.empty() && batch.messages.empty() &&
                       batch.park.empty() && parked_done_.empty();
  if (nothing) return settle(std::move(turns), {});
  std::vector<std::int64_t> parked;
  parked.swap(parked_done_);
  if (parked.size() > kMaximumDone) {
    parked_done_.assign(parked.begin() + kMaximumDone, parked.end());
    parked.resize(kMaximumDone);
  }
  batch.parked_done = parked;
  batch.outbox_done = outbox_done_ = services_.publisher.take_done(kMaximumDone);

  const auto began = services_.seams.clock.monotonic();
  auto result = session.commit(batch);
  return_writes(turns, std::move(batch.writes));
  if (result) {
    link_.succeeded();
    std::size_t inputs = 0;
    for (const Turn& turn : turns) inputs += turn.works.size();
    services_.seams.observer.batch_committed(inputs, services_.seams.clock.monotonic() - began);
    return settle(std::move(turns), std::move(result).value());
  }
  services_.seams.observer.batch_failed(result.error().kind);
  services_.publisher.give_back_done(outbox_done_);
  parked_done_.insert(parked_done_.end(), parked.begin(), parked.end());
  if (result.error().kind == ErrorKind::kInvalid) return split(std::move(turns), result.error());
  if (result.error().kind == ErrorKind::kUnknown) {
    services_.seams.logger.warning("A commit's outcome is unknown; its inputs are judged again.",
                                   {{"lane", index_}, {"reason", result.error().message}});
    doubts_.add(batch.outbox_id, turns);
  }
  link_.failed(result.error());
  judge_again(std::move(turns));
}

void Lane::judge_again(std::vector<Turn> turns) {
  for (auto turn = turns.rbegin(); turn != turns.rend(); ++turn) {
    cache_.erase(turn->address);
    for (auto work = turn->works.rbegin(); work != turn->works.rend(); ++work)
      again_.push_front(std::move(*work));
  }
}

}  // namespace skald::runtime
