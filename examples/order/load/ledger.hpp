// The ledger of one load: which orders went out, which outcomes came back, how long each took. It notices what must
// never happen: an acknowledged order without outcome, two outcomes under different ids. Pure, one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "skald/fields.hpp"
#include "skald/record.hpp"

namespace shop {

/// What `order-load` prints last, as one line of JSON.
struct LoadReport {
  std::int64_t orders = 0;   ///< acknowledged by Kafka
  std::int64_t refused = 0;  ///< never taken by Kafka
  std::int64_t completed = 0;
  std::int64_t compensated = 0;
  std::map<std::string, std::int64_t> outcomes;  ///< by event type
  std::int64_t lost = 0;                         ///< acknowledged, no outcome
  std::int64_t contradicted = 0;                 ///< a second outcome under another id
  std::int64_t repeated = 0;                     ///< the same outcome again: allowed
  double sagas_per_second = 0;
  std::int64_t p50_ms = 0;
  std::int64_t p90_ms = 0;
  std::int64_t p99_ms = 0;
  std::int64_t maximum_ms = 0;
  double seconds = 0;
  std::vector<std::string> examples;  ///< of what is lost or contradicted
};
SKALD_FIELDS(LoadReport, orders, refused, completed, compensated, outcomes, lost, contradicted, repeated,
             sagas_per_second, p50_ms, p90_ms, p99_ms, maximum_ms, seconds, examples)

class Ledger {
 public:
  /// The first `warm_up` outcomes count for everything but the rate and the latencies.
  explicit Ledger(std::size_t warm_up) : warm_up_(warm_up) {}

  void sent(const std::string& order_id, const std::string& scenario, skald::Time at);
  void acknowledged(const std::string& order_id);
  void refused(const std::string& order_id);
  /// An outcome event as read from the lifecycle topic; of orders that are not ours nothing happens.
  void outcome(std::string_view order_id, std::string_view event_id, std::string_view type, skald::Time at);

  [[nodiscard]] std::size_t sent_count() const { return entries_.size(); }
  [[nodiscard]] std::size_t outcome_count() const { return outcomes_; }
  /// Sent, not refused, without outcome so far.
  [[nodiscard]] std::size_t open_count() const { return entries_.size() - refused_ - outcomes_; }
  [[nodiscard]] LoadReport report() const;
  /// A line for each order: id, scenario, outcome or "lost", separated by tabs.
  void write(std::ostream& out) const;

 private:
  struct Entry {
    std::string scenario;
    skald::Time sent_at{};
    bool acknowledged = false;
    bool refused = false;
    bool contradicted = false;
    std::string event_id;  ///< empty: no outcome
    std::string type;
  };

  [[nodiscard]] double rate() const;

  std::size_t warm_up_;
  std::unordered_map<std::string, Entry> entries_;
  std::size_t outcomes_ = 0;
  std::size_t refused_ = 0;
  std::int64_t repeated_ = 0;
  std::vector<std::int64_t> latencies_ms_;  ///< after the warm-up
  std::optional<skald::Time> first_sent_;
  std::optional<skald::Time> measured_from_;
  skald::Time last_outcome_{};
};

}  // namespace shop
