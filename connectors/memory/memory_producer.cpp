// The memory bus's producer: accepts, then writes and answers in produce() or in flush(), in order.
#include <utility>

#include "memory/memory_cluster.hpp"

namespace skald::memory {

void answer_queued(MemoryCluster& cluster, ProducerQueue& queue, const std::optional<Answer>& forced) {
  std::unique_lock lock(cluster.mutex);
  while (!queue.waiting.empty() && (forced || cluster.available)) {
    auto entry = std::move(queue.waiting.front());
    queue.waiting.pop_front();
    const Answer answer = forced ? *forced : cluster.write_locked(entry.message);
    lock.unlock();
    if (entry.callback) entry.callback(answer.delivery, answer.reason);
    lock.lock();
    --queue.unanswered;
  }
  cluster.changed.notify_all();
}

namespace {

class MemoryProducer final : public Producer {
 public:
  explicit MemoryProducer(std::shared_ptr<MemoryCluster> cluster)
      : cluster_(std::move(cluster)), queue_(std::make_shared<ProducerQueue>()) {
    const std::lock_guard lock(cluster_->mutex);
    cluster_->queues.insert(queue_);
  }

  ~MemoryProducer() override {
    {
      const std::lock_guard lock(cluster_->mutex);
      cluster_->queues.erase(queue_);
    }
    answer_queued(*cluster_, *queue_, Answer{Delivery::kUnknown, "the producer was closed"});
  }

  Result<void> produce(const Message& message, Callback callback) override {
    {
      const std::lock_guard lock(cluster_->mutex);
      if (takes_full_queue_locked(message.topic) ||
          queue_->unanswered >= cluster_->options.queued_messages_limit)
        return Error{ErrorKind::kUnavailable, "SKALD-206", "the producer's queue is full"};
      queue_->waiting.push_back({message, std::move(callback)});
      ++queue_->unanswered;
      if (cluster_->options.answering == Answering::kInFlush) return {};
    }
    answer_queued(*cluster_, *queue_, std::nullopt);
    return {};
  }

  bool flush(std::chrono::milliseconds timeout) override {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (true) {
      answer_queued(*cluster_, *queue_, std::nullopt);
      std::unique_lock lock(cluster_->mutex);
      const auto settled = [&] {
        return queue_->unanswered == 0 || (cluster_->available && !queue_->waiting.empty());
      };
      if (!cluster_->changed.wait_until(lock, deadline, settled)) return false;
      if (queue_->unanswered == 0) return true;
    }
  }

 private:
  bool takes_full_queue_locked(const std::string& topic) {
    const auto planned = cluster_->planned_faults.find(topic);
    if (planned == cluster_->planned_faults.end() || planned->second.front() != ProduceFault::kQueueFull)
      return false;
    planned->second.pop_front();
    if (planned->second.empty()) cluster_->planned_faults.erase(planned);
    return true;
  }

  std::shared_ptr<MemoryCluster> cluster_;
  std::shared_ptr<ProducerQueue> queue_;
};

}  // namespace

std::unique_ptr<Producer> make_producer(std::shared_ptr<MemoryCluster> cluster) {
  return std::make_unique<MemoryProducer>(std::move(cluster));
}

}  // namespace skald::memory
