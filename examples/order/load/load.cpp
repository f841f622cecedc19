// Produces and follows in turns, so that an outcome is seen while orders still go out.
#include "load.hpp"

#include <algorithm>
#include <set>

namespace shop {
namespace {

constexpr std::size_t kMaximumChunk = 500;
constexpr std::chrono::milliseconds kBrokerTimeout{10'000};

skald::Time wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace

/// Reads each partition from its present end: outcomes of earlier loads are none of ours.
class Load::FromTheEnd : public skald::RebalanceListener {
 public:
  std::vector<skald::PartitionOffset> assigned(
      const std::vector<skald::TopicPartition>& partitions) override {
    unstarted.insert(partitions.begin(), partitions.end());
    return {};
  }
  void revoked(const std::vector<skald::TopicPartition>& partitions) override {
    for (const auto& partition : partitions) unstarted.erase(partition);
  }

  std::set<skald::TopicPartition> unstarted;
};

Load::Load(skald::Bus& bus, LoadOptions options)
    : bus_(bus), options_(std::move(options)), ledger_(options_.warm_up) {}
Load::~Load() = default;

skald::Result<void> Load::start() {
  auto producer = bus_.producer();
  if (!producer) return producer.error();
  producer_ = std::move(producer).value();
  if (options_.only_produce) return {};
  return start_following();
}

skald::Result<void> Load::start_following() {
  listener_ = std::make_unique<FromTheEnd>();
  auto consumer = bus_.consumer(
      {.topics = {options_.lifecycle_topic}, .group = "order-load", .assign_all = true}, *listener_);
  if (!consumer) return consumer.error();
  consumer_ = std::move(consumer).value();
  const auto deadline = Clock::now() + kBrokerTimeout;
  bool assigned = false;
  while (!assigned || !listener_->unstarted.empty()) {
    if (Clock::now() > deadline)
      return skald::Error{skald::ErrorKind::kUnavailable, "",
                          "topic " + options_.lifecycle_topic + " cannot be read"};
    static_cast<void>(consumer_->poll(1, std::chrono::milliseconds{20}));
    const auto unstarted = listener_->unstarted;
    for (const auto& partition : unstarted) {
      const auto range = consumer_->log_range(partition, kBrokerTimeout);
      if (!range) break;  // a new topic has no leader for a moment; the deadline judges
      consumer_->seek({partition, range.value().end});
      consumer_->resume(std::vector<skald::TopicPartition>{partition});
      listener_->unstarted.erase(partition);
      assigned = true;
    }
  }
  return {};
}

skald::Result<void> Load::run(const Progress& progress, const std::function<void()>& notify,
                              const std::function<bool()>& stop) {
  if (auto ready = start(); !ready) return ready;
  maker_ = std::make_unique<OrderMaker>(options_.mix);
  started_ = last_outcome_ = Clock::now();
  auto next_progress = started_;
  bool notified = options_.notify_at == 0;
  std::optional<Clock::time_point> settled;
  while (!stop()) {
    produce();
    take_reports();
    const auto before = ledger_.outcome_count();
    if (options_.only_produce)
      reports_->await(std::chrono::milliseconds{1});  // room in the producer, or the next order's time
    else
      follow(std::chrono::milliseconds{allowance() > 0 ? 1 : 10});
    const auto now = Clock::now();
    if (options_.only_produce || ledger_.outcome_count() != before) last_outcome_ = now;
    if (!notified && ledger_.outcome_count() >= options_.notify_at) {
      notified = true;
      notify();
    }
    if (now >= next_progress) {
      progress(sent_, ledger_.outcome_count());
      next_progress = now + std::chrono::milliseconds{500};
    }
    if (finished() && !settled) settled = now + options_.settle;
    if (settled && now >= *settled) break;
    if (now - last_outcome_ > options_.timeout) break;
  }
  producer_->flush(kBrokerTimeout);
  take_reports();
  progress(sent_, ledger_.outcome_count());
  return {};
}

std::size_t Load::allowance() const {
  auto allowed = options_.orders - std::min(options_.orders, sent_);
  if (options_.in_flight > 0)
    allowed = std::min(allowed, options_.in_flight - std::min(options_.in_flight, ledger_.open_count()));
  if (options_.rate > 0) {
    const std::chrono::duration<double> elapsed = Clock::now() - started_;
    const auto due = static_cast<std::size_t>(elapsed.count() * options_.rate) + 1;
    allowed = std::min(allowed, due - std::min(due, sent_));
  }
  return std::min(allowed, kMaximumChunk);
}

void Load::produce() {
  while (!waiting_.empty()) {
    if (!send(waiting_.back())) return;
    waiting_.pop_back();
  }
  for (auto allowed = allowance(); allowed > 0; --allowed) {
    auto order = maker_->next();
    ++sent_;
    if (!options_.only_produce) ledger_.sent(order.id, order.scenario, wall_now());
    if (send(order)) continue;
    waiting_.push_back(std::move(order));
    return;
  }
}

bool Load::send(const NewOrder& order) {
  skald::Message message;
  message.topic = options_.orders_topic;
  message.key = order.id;
  message.value = order.json;
  auto report = [reports = reports_, account = !options_.only_produce, id = order.id](
                    skald::Delivery delivery, const std::string&) {
    if (delivery == skald::Delivery::kAcknowledged) ++reports->acknowledged;
    if (!account) return reports->answered.notify_one();
    const std::scoped_lock lock{reports->mutex};
    reports->list.emplace_back(id, delivery);
  };
  return static_cast<bool>(producer_->produce(message, std::move(report)));
}

void Load::take_reports() {
  std::vector<std::pair<std::string, skald::Delivery>> list;
  {
    const std::scoped_lock lock{reports_->mutex};
    list.swap(reports_->list);
  }
  for (const auto& [id, delivery] : list) {
    if (delivery == skald::Delivery::kAcknowledged)
      ledger_.acknowledged(id);
    else
      ledger_.refused(id);  // of unknown outcome: if it is there after all, its outcome says so
  }
}

void Load::follow(std::chrono::milliseconds timeout) {
  const auto records = consumer_->poll(1000, timeout);
  if (!records) return;
  for (const auto& record : records.value()) {
    const auto id = record.header("ce_correlationid");
    const auto event = record.header("ce_id");
    const auto type = record.header("ce_type");
    if (id && event && type) ledger_.outcome(*id, *event, *type, record.timestamp);
  }
}

bool Load::finished() const {
  return waiting_.empty() && sent_ >= options_.orders && ledger_.open_count() == 0;
}

}  // namespace shop
