// Publishing outbox rows. What the client's callbacks touch lives in Shared, which outlives the last of them.
#include "runtime/outbox_publisher.hpp"

#include "ports/footprint.hpp"
#include "wire/cloud_events.hpp"
#include "wire/command_id.hpp"

namespace skald::runtime {

namespace {
/// Between two tries while the client's own queue is full.
constexpr std::chrono::milliseconds kFullQueueWait{5};
constexpr std::size_t kMaximumDelete = 1'000;
constexpr std::chrono::seconds kRefusalInterval{10};

/// Ours and the client's copy, which is as large: until Kafka has acknowledged there may be both.
std::size_t bytes_of(const Message& message) { return 2 * memory_bytes(message); }
}  // namespace

struct OutboxPublisher::Tracked {
  explicit Tracked(OutboxRow taken)
      : row(std::move(taken)), outstanding(row.messages.size()), ends(row.messages.size()) {}
  OutboxRow row;
  std::atomic<std::size_t> outstanding;
  /// Of each message: what is over of its being sent. The acknowledgement may come before produce() returns, which
  /// reads the message to its end; the later one frees it.
  std::vector<std::atomic<std::uint8_t>> ends;
  static constexpr std::uint8_t kReturned = 1;
  static constexpr std::uint8_t kAcknowledged = 2;
  std::chrono::nanoseconds taken_at{0};
};

struct OutboxPublisher::Shared {
  struct Done {
    std::int64_t outbox_id;
    std::chrono::nanoseconds at;
  };
  explicit Shared(const Seams& all) : seams(all) {}

  /// One message of the row needs no more care.
  void settle(const Item& item) {
    --messages;
    if (--item.row->outstanding > 0) return;
    const auto now = seams.clock.monotonic();
    seams.observer.outbox_row_published(now - item.row->taken_at);
    const std::scoped_lock lock(mutex);
    done.push_back({item.row->row.outbox_id, now});
    known.erase(item.row->row.outbox_id);
  }

  /// Nobody needs what it says any more.
  void free(const Item& item) {
    Message& message = item.row->row.messages[item.index];
    bytes -= bytes_of(message);
    message = Message{};
  }
  void over(const Item& item, std::uint8_t end) {
    if (item.row->ends[item.index].fetch_or(end) != 0) free(item);
  }

  Seams seams;
  std::atomic<std::size_t> messages{0};
  std::atomic<std::size_t> bytes{0};
  std::mutex mutex;  ///< guards everything below
  std::condition_variable changed;
  std::deque<std::shared_ptr<Tracked>> incoming;
  std::vector<Problem> problems;
  std::deque<Done> done;
  std::unordered_set<std::int64_t> known;  ///< rows on their way
  bool woken = false;
};

OutboxPublisher::OutboxPublisher(const Seams& seams, const Settings& settings, const StoreClock& store_clock,
                                 LaneRouter& lanes)
    : seams_(seams),
      settings_(settings),
      store_clock_(store_clock),
      lanes_(lanes),
      link_(seams, settings, "outbox"),
      backoff_(settings, seams.random),
      shared_(std::make_shared<Shared>(seams)) {}

OutboxPublisher::~OutboxPublisher() = default;

void OutboxPublisher::publish(OutboxRow row) {
  auto tracked = std::make_shared<Tracked>(std::move(row));
  std::size_t bytes = 0;
  for (const Message& message : tracked->row.messages) bytes += bytes_of(message);
  tracked->taken_at = seams_.clock.monotonic();
  {
    const std::scoped_lock lock(shared_->mutex);
    if (!shared_->known.insert(tracked->row.outbox_id).second) return;
    if (tracked->row.messages.empty()) {
      shared_->known.erase(tracked->row.outbox_id);
      shared_->done.push_back({tracked->row.outbox_id, tracked->taken_at});
      return;
    }
    shared_->messages += tracked->row.messages.size();
    shared_->bytes += bytes;
    shared_->incoming.push_back(std::move(tracked));
  }
  shared_->changed.notify_one();
}

std::vector<std::int64_t> OutboxPublisher::take_done(std::size_t maximum) {
  std::vector<std::int64_t> ids;
  const std::scoped_lock lock(shared_->mutex);
  while (!shared_->done.empty() && ids.size() < maximum) {
    ids.push_back(shared_->done.front().outbox_id);
    shared_->done.pop_front();
  }
  return ids;
}

void OutboxPublisher::give_back_done(const std::vector<std::int64_t>& outbox_ids) {
  const auto now = seams_.clock.monotonic();
  const std::scoped_lock lock(shared_->mutex);
  for (const std::int64_t id : outbox_ids) shared_->done.push_back({id, now});
}

void OutboxPublisher::run_once(std::chrono::milliseconds wait) {
  {
    std::unique_lock lock(shared_->mutex);
    if (wait.count() > 0 && waiting_.empty())
      shared_->changed.wait_for(lock, wait, [this] {
        return shared_->woken || !shared_->incoming.empty() || !shared_->problems.empty();
      });
    else if (wait.count() > 0)
      shared_->changed.wait_for(lock, kFullQueueWait, [this] { return shared_->woken; });
    shared_->woken = false;
  }
  take_incoming();
  look_at_problems();
  if (ensure_producer()) send_waiting();
  delete_done();
}

void OutboxPublisher::wake() {
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->woken = true;
  }
  shared_->changed.notify_one();
}

bool OutboxPublisher::ensure_producer() {
  if (producer_) return true;
  if (seams_.clock.monotonic() < produce_at_) return false;
  auto producer = seams_.bus.producer();
  if (!producer) {
    produce_at_ = seams_.clock.monotonic() + backoff_.next();
    seams_.logger.warning("No producer yet; trying again.",
                          {{"code", producer.error().code}, {"reason", producer.error().message}});
    return false;
  }
  producer_ = std::move(producer).value();
  backoff_.reset();
  return true;
}

void OutboxPublisher::take_incoming() {
  const std::scoped_lock lock(shared_->mutex);
  for (; !shared_->incoming.empty(); shared_->incoming.pop_front()) {
    const auto& row = shared_->incoming.front();
    for (std::size_t index = 0; index < row->row.messages.size(); ++index) waiting_.push_back({row, index});
  }
}

void OutboxPublisher::send_waiting() {
  const auto now = seams_.clock.monotonic();
  while (!resends_.empty() && resends_.begin()->first <= now)
    waiting_.push_front(resends_.extract(resends_.begin()).mapped());
  while (!waiting_.empty()) {
    const Item& item = waiting_.front();
    const Message& message = item.row->row.messages[item.index];
    if (expired(message)) {
      shared_->free(item);
      shared_->settle(item);
      waiting_.pop_front();
      continue;
    }
    item.row->ends[item.index] = 0;
    auto produced =
        producer_->produce(message, [shared = shared_, item](Delivery delivery, const std::string& reason) {
          if (delivery == Delivery::kAcknowledged) {
            shared->over(item, Tracked::kAcknowledged);
            return shared->settle(item);
          }
          {
            const std::scoped_lock lock(shared->mutex);
            shared->problems.push_back({item, delivery, reason});
          }
          shared->changed.notify_one();
        });
    if (!produced && produced.error().kind == ErrorKind::kUnavailable) {
      blocked_ = true;
      return;
    }
    const Item taken = std::move(waiting_.front());
    waiting_.pop_front();
    if (produced)
      shared_->over(taken, Tracked::kReturned);
    else
      refused(taken, produced.error().message);
  }
  blocked_ = false;
}

bool OutboxPublisher::expired(const Message& message) const {
  if (message.command_id.empty() || !store_clock_.known()) return false;
  for (const Header& header : message.headers) {
    if (header.name != "ce_expirytime") continue;
    const auto expiry = wire::parse_time(header.value);
    return expiry && *expiry <= store_clock_.now();
  }
  return false;
}

void OutboxPublisher::look_at_problems() {
  std::vector<Problem> problems;
  {
    const std::scoped_lock lock(shared_->mutex);
    problems.swap(shared_->problems);
  }
  for (const Problem& problem : problems) {
    if (problem.delivery == Delivery::kRefused) {
      refused(problem.item, problem.reason);
      continue;
    }
    seams_.observer.message_unknown(problem.item.row->row.messages[problem.item.index].topic);
    resends_.emplace(seams_.clock.monotonic() + backoff_.next(), problem.item);
  }
  if (problems.empty() && resends_.empty()) backoff_.reset();
}

void OutboxPublisher::refused(const Item& item, const std::string& reason) {
  const Message& message = item.row->row.messages[item.index];
  seams_.observer.message_refused(message.topic);
  const auto id = wire::parse_command_id(message.command_id);
  if (!id) return refused_without_saga(item, reason);
  seams_.logger.error("Kafka refuses a command for good; its saga is told.",
                      {{"topic", message.topic}, {"command", message.command_id}, {"reason", reason}});
  Work work;
  work.address = {id->definition, id->saga_id};
  work.what = engine::Input(engine::Undeliverable{{id->ordinal, id->phase, id->attempt}, reason});
  work.settled = [shared = shared_, item](const Settlement&) { shared->settle(item); };
  shared_->free(item);  // its saga decides what is sent next
  std::vector<Work> works;
  works.push_back(std::move(work));
  lanes_.route(std::move(works));
}

/// An outcome event or a dead letter has no saga that could be told, and exists nowhere else: its row stays until the
/// topic is there, or the right to write to it.
void OutboxPublisher::refused_without_saga(const Item& item, const std::string& reason) {
  Message& message = item.row->row.messages[item.index];
  const auto now = seams_.clock.monotonic();
  if (message.partition) {  // its dead-letter topic has fewer partitions than its own
    message.partition.reset();
    resends_.emplace(now, item);
    return;
  }
  if (now >= refusal_told_at_ + kRefusalInterval) {
    refusal_told_at_ = now;
    seams_.logger.error("Kafka refuses a message that belongs to no step; it is kept and tried again.",
                        {{"topic", message.topic}, {"reason", reason}});
  }
  resends_.emplace(now + settings_.backoff_maximum, item);
}

void OutboxPublisher::delete_done() {
  std::vector<std::int64_t> ids;
  {
    const std::scoped_lock lock(shared_->mutex);
    const auto wait = hurry_ ? std::chrono::milliseconds(0) : settings_.outbox_delete_after;
    const auto old = seams_.clock.monotonic() - wait;
    while (!shared_->done.empty() && shared_->done.front().at <= old && ids.size() < kMaximumDelete) {
      ids.push_back(shared_->done.front().outbox_id);
      shared_->done.pop_front();
    }
  }
  if (ids.empty()) return;
  Session* session = link_.session();
  if (session == nullptr) return give_back_done(ids);
  auto deleted = session->delete_outbox(ids);
  if (deleted) return link_.succeeded();
  link_.failed(deleted.error());
  give_back_done(ids);
}

std::size_t OutboxPublisher::backlog() const noexcept { return shared_->messages; }

std::size_t OutboxPublisher::backlog_bytes() const noexcept { return shared_->bytes; }

bool OutboxPublisher::idle() const {
  const std::scoped_lock lock(shared_->mutex);
  return shared_->messages == 0 && shared_->done.empty();
}

}  // namespace skald::runtime
