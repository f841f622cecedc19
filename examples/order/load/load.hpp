// The load itself: produces orders at a rate or as fast as they are answered, and follows the lifecycle topic until
// every order has its outcome, or only produces. One thread; delivery reports come from the producer's and are queued.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ledger.hpp"
#include "orders.hpp"
#include "ports/bus.hpp"

namespace shop {

struct LoadOptions {
  std::string orders_topic = "orders";
  std::string lifecycle_topic = "skald.shop.lifecycle";
  std::size_t orders = 1000;
  double rate = 0;                      ///< orders a second; 0: as fast as possible
  std::size_t in_flight = 0;            ///< orders without outcome at most; 0: no bound
  bool only_produce = false;            ///< keeps no account of orders and waits for no outcome
  std::size_t warm_up = 0;              ///< outcomes that are not measured
  std::size_t notify_at = 0;            ///< calls `notify` once so many outcomes are in; 0: never
  std::chrono::seconds timeout{120};    ///< without any outcome for this long, what is open is lost
  std::chrono::milliseconds settle{0};  ///< reads on after the last outcome: is there a second one?
  OrderMix mix;
};

class Load {
 public:
  /// Progress: orders sent, outcomes in. Called at least every second.
  using Progress = std::function<void(std::size_t sent, std::size_t outcomes)>;

  Load(skald::Bus& bus, LoadOptions options);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  /// An error when Kafka could not be used at all. `stop` is asked often; true ends the load early.
  skald::Result<void> run(const Progress& progress, const std::function<void()>& notify,
                          const std::function<bool()>& stop);
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  [[nodiscard]] std::size_t sent_count() const { return sent_; }
  /// Of those: Kafka has them.
  [[nodiscard]] std::size_t acknowledged_count() const { return reports_->acknowledged; }

 private:
  using Clock = std::chrono::steady_clock;

  /// Delivery reports, handed from the producer's thread to ours.
  struct Reports {
    /// Until one comes, at most so long.
    void await(std::chrono::milliseconds patience) {
      std::unique_lock lock{mutex};
      answered.wait_for(lock, patience);
    }

    std::atomic<std::size_t> acknowledged{0};
    std::condition_variable answered;
    std::mutex mutex;  ///< guards list
    std::vector<std::pair<std::string, skald::Delivery>> list;
  };

  skald::Result<void> start();
  skald::Result<void> start_following();
  void produce();
  [[nodiscard]] std::size_t allowance() const;
  bool send(const NewOrder& order);
  void take_reports();
  void follow(std::chrono::milliseconds timeout);
  [[nodiscard]] bool finished() const;

  class FromTheEnd;

  skald::Bus& bus_;
  LoadOptions options_;
  Ledger ledger_;
  std::unique_ptr<FromTheEnd> listener_;
  std::unique_ptr<skald::Consumer> consumer_;
  std::unique_ptr<skald::Producer> producer_;
  std::unique_ptr<OrderMaker> maker_;
  std::shared_ptr<Reports> reports_ = std::make_shared<Reports>();
  std::vector<NewOrder> waiting_;  ///< made, and not taken by the producer's full queue
  std::size_t sent_ = 0;
  Clock::time_point started_{};
  Clock::time_point last_outcome_{};
};

}  // namespace shop
