// Bookkeeping by order id; the sums are made once, at the end.
#include "ledger.hpp"

#include <algorithm>
#include <ostream>

namespace shop {
namespace {

constexpr std::size_t kMaximumExamples = 10;

std::int64_t percentile(const std::vector<std::int64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto place = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
  return sorted[std::min(place, sorted.size() - 1)];
}

}  // namespace

void Ledger::sent(const std::string& order_id, const std::string& scenario, skald::Time at) {
  Entry entry;
  entry.scenario = scenario;
  entry.sent_at = at;
  entries_.emplace(order_id, std::move(entry));
  if (!first_sent_) first_sent_ = at;
}

void Ledger::acknowledged(const std::string& order_id) {
  if (const auto found = entries_.find(order_id); found != entries_.end()) found->second.acknowledged = true;
}

void Ledger::refused(const std::string& order_id) {
  const auto found = entries_.find(order_id);
  if (found == entries_.end() || found->second.refused || !found->second.event_id.empty()) return;
  found->second.refused = true;
  ++refused_;
}

void Ledger::outcome(std::string_view order_id, std::string_view event_id, std::string_view type,
                     skald::Time at) {
  const auto found = entries_.find(std::string(order_id));
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (!entry.event_id.empty()) {
    if (entry.event_id == event_id)
      ++repeated_;
    else
      entry.contradicted = true;
    return;
  }
  if (entry.refused) {  // given up without an answer, and there all the same
    entry.refused = false;
    --refused_;
  }
  entry.acknowledged = true;
  entry.event_id = event_id;
  entry.type = type;
  ++outcomes_;
  last_outcome_ = std::max(last_outcome_, at);
  if (outcomes_ == warm_up_) measured_from_ = at;
  if (outcomes_ > warm_up_) latencies_ms_.push_back((at - entry.sent_at).count());
}

double Ledger::rate() const {
  const auto from = warm_up_ == 0 ? first_sent_ : measured_from_;
  if (!from || last_outcome_ <= *from) return 0;
  return static_cast<double>(latencies_ms_.size()) * 1000.0 /
         static_cast<double>((last_outcome_ - *from).count());
}

LoadReport Ledger::report() const {
  LoadReport report;
  for (const auto& [id, entry] : entries_) {
    report.orders += entry.acknowledged ? 1 : 0;
    report.refused += entry.refused ? 1 : 0;
    const bool lost = entry.acknowledged && entry.event_id.empty();
    report.lost += lost ? 1 : 0;
    report.contradicted += entry.contradicted ? 1 : 0;
    if ((lost || entry.contradicted) && report.examples.size() < kMaximumExamples)
      report.examples.push_back(id);
    if (!entry.event_id.empty()) ++report.outcomes[entry.type];
  }
  report.completed = report.outcomes["saga.completed"];
  report.compensated = report.outcomes["saga.compensated"];
  report.repeated = repeated_;
  auto sorted = latencies_ms_;
  std::sort(sorted.begin(), sorted.end());
  report.p50_ms = percentile(sorted, 0.50);
  report.p90_ms = percentile(sorted, 0.90);
  report.p99_ms = percentile(sorted, 0.99);
  report.maximum_ms = sorted.empty() ? 0 : sorted.back();
  report.sagas_per_second = static_cast<double>(static_cast<std::int64_t>(rate() * 10)) / 10;
  if (first_sent_ && outcomes_ > 0)
    report.seconds = static_cast<double>((last_outcome_ - *first_sent_).count()) / 1000.0;
  return report;
}

void Ledger::write(std::ostream& out) const {
  for (const auto& [id, entry] : entries_) {
    if (entry.acknowledged || !entry.event_id.empty())
      out << id << '\t' << entry.scenario << '\t' << (entry.event_id.empty() ? "lost" : entry.type) << '\n';
  }
}

}  // namespace shop
