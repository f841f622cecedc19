// Whose turn it is, and whose it cannot be.
#include "runtime/local_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace skald::runtime {

LocalQueue::LocalQueue(const StepLimitsByName& limits) {
  for (const auto& [name, limit] : limits)
    if (limits::is_limited(limit)) steps_[name].limiter.emplace(limit);
}

void LocalQueue::push(LocalTask task) {
  auto place = steps_.find(task.step);
  if (place == steps_.end()) place = steps_.try_emplace(task.step).first;
  place->second.tasks.push_back(std::move(task));
  ++size_;
}

std::optional<LocalQueue::Started> LocalQueue::pop(Nanoseconds now) {
  if (size_ == 0) return std::nullopt;
  for (std::size_t steps = steps_.size(); steps > 0; --steps) {
    if (turn_ == steps_.end() || ++turn_ == steps_.end()) turn_ = steps_.begin();
    Step& step = turn_->second;
    if (!step.can_pop(now)) continue;
    Started started{std::move(step.tasks.front()), {}};
    step.tasks.pop_front();
    --size_;
    if (step.limiter) started.ticket = step.limiter->start(now);
    return started;
  }
  return std::nullopt;
}

bool LocalQueue::can_pop(Nanoseconds now) const {
  return size_ > 0 && std::any_of(steps_.begin(), steps_.end(),
                                  [now](const auto& named) { return named.second.can_pop(now); });
}

std::optional<LocalQueue::Nanoseconds> LocalQueue::next_pop(Nanoseconds now) const {
  std::optional<Nanoseconds> earliest;
  if (size_ == 0) return earliest;
  for (const auto& [name, step] : steps_) {
    if (step.tasks.empty() || step.can_pop(now)) continue;
    const auto next = step.limiter->next_start(now);
    if (next && (!earliest || *next < *earliest)) earliest = next;
  }
  return earliest;
}

limits::BreakerChange LocalQueue::end(std::string_view step, limits::StepLimiter::Ticket ticket, bool failed,
                                      Nanoseconds now) {
  const auto place = steps_.find(step);
  if (place == steps_.end() || !place->second.limiter) return limits::BreakerChange::kNone;
  const auto change = place->second.limiter->tell(ticket, failed, now);
  place->second.limiter->end(ticket, true);
  return change;
}

std::vector<LocalTask> LocalQueue::take_overdue(Nanoseconds now, bool all_limited) {
  std::vector<LocalTask> overdue;
  if (size_ == 0) return overdue;
  for (auto& [name, step] : steps_) {
    const bool all = all_limited && step.limiter;
    const auto kept = std::stable_partition(
        step.tasks.begin(), step.tasks.end(),
        [now, all](const LocalTask& task) { return !all && !(task.stop_at && *task.stop_at <= now); });
    std::move(kept, step.tasks.end(), std::back_inserter(overdue));
    step.tasks.erase(kept, step.tasks.end());
  }
  size_ -= overdue.size();
  return overdue;
}

std::vector<LocalQueue::Waiting> LocalQueue::waiting() const {
  std::vector<Waiting> all;
  for (const auto& [name, step] : steps_)
    if (step.limiter) all.push_back({name, step.tasks.size()});
  return all;
}

}  // namespace skald::runtime
