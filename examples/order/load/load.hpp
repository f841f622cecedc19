// The load itself: produces orders at a rate or as fast as they are answered, and follows the lifecycle topic until
// every order has its outcome. One thread; delivery reports come from the producer's and are queued.
#pragma once

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

 private:
  using Clock = std::chrono::steady_clock;

  /// Delivery reports, handed from the producer's thread to ours.
  struct Reports {
    std::mutex mutex;  ///< guards list
    std::vector<std::pair<std::string, skald::Delivery>> list;
  };

  skald::Result<void> start();
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
  Clock::time_point started_{};
  Clock::time_point last_outcome_{};
};

}  // namespace shop
