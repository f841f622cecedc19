// Tickets for commands, and the settings they come from.
#include "command_limits.hpp"

#include <charconv>
#include <utility>

#include "log.hpp"
#include "wire/command_id.hpp"

namespace skald::participant::detail {

using limits::BreakerChange;
using limits::StepLimiter;

CommandLimits::CommandLimits(const Limits& limits, Statistics& statistics) : statistics_(statistics) {
  for (const auto& [step, limit] : limits) {
    if (!limits::is_limited(limit)) continue;
    if (step == kAllSteps)
      all_.emplace(limit);
    else
      steps_.emplace(step, limit);
  }
}

const StepLimiter* CommandLimits::find(std::string_view step) const {
  const auto found = steps_.find(step);
  return found == steps_.end() ? nullptr : &found->second;
}

StepLimiter* CommandLimits::find(std::string_view step) {
  return const_cast<StepLimiter*>(std::as_const(*this).find(step));
}

std::optional<CommandLimits::Ticket> CommandLimits::start(std::string_view step, Now now) {
  auto* own = find(step);
  if ((own != nullptr && !own->may_start(now)) || (all_ && !all_->may_start(now))) return std::nullopt;
  Ticket ticket;
  if (own != nullptr) ticket.own = own->start(now);
  if (all_) ticket.all = all_->start(now);
  return ticket;
}

bool CommandLimits::still_lets_through(std::string_view step, const Ticket& ticket) const {
  const auto* own = find(step);
  return (own == nullptr || own->still_lets_through(ticket.own)) &&
         (!all_ || all_->still_lets_through(ticket.all));
}

void CommandLimits::tell(std::string_view step, Ticket& ticket, bool failed, Now now) {
  ticket.executed = true;
  if (auto* own = find(step); own != nullptr) report(step, own->tell(ticket.own, failed, now));
  if (all_) report(kAllSteps, all_->tell(ticket.all, failed, now));
}

void CommandLimits::end(std::string_view step, const Ticket& ticket) {
  if (auto* own = find(step); own != nullptr) own->end(ticket.own, ticket.executed);
  if (all_) all_->end(ticket.all, ticket.executed);
}

std::optional<CommandLimits::Now> CommandLimits::next_start(std::string_view step, Now now) const {
  Now at = now;
  for (const auto* limiter : {find(step), all_ ? &*all_ : nullptr}) {
    if (limiter == nullptr) continue;
    const auto next = limiter->next_start(now);
    if (!next) return std::nullopt;
    at = std::max(at, *next);
  }
  return at;
}

void CommandLimits::report(std::string_view step, BreakerChange change) {
  const std::string name(step);
  switch (change) {
    case BreakerChange::kNone: return;
    case BreakerChange::kOpened:
      ++statistics_.breakers_open;
      return log_warning("a circuit breaker opened; its commands stay in Kafka", {{"step", name}});
    case BreakerChange::kReopened:
      return log_warning("a circuit breaker stays open; the command let through failed", {{"step", name}});
    case BreakerChange::kClosed:
      --statistics_.breakers_open;
      return log_info("a circuit breaker closed", {{"step", name}});
  }
}

// --- settings ----------------------------------------------------------------------------------------------------

namespace {

template <class Number>
bool read(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

/// A whole number with its unit: 500ms, 10s, 2m, 1h.
bool read(std::string_view text, std::chrono::milliseconds& duration) {
  constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
  for (const auto& [unit, milliseconds] : kUnits) {
    std::int32_t count = 0;
    if (!text.ends_with(unit) || !read(text.substr(0, text.size() - unit.size()), count)) continue;
    duration = std::chrono::milliseconds(count * milliseconds);
    return true;
  }
  return false;
}

/// False: there is no such key, or it does not take this.
bool set(StepLimits& limits, std::string_view key, std::string_view value) {
  if (key == "maximum_concurrent") return read(value, limits.maximum_concurrent);
  if (key == "maximum_starts_per_second") return read(value, limits.maximum_starts_per_second);
  if (key == "breaker.failures") return read(value, limits.breaker.failures);
  if (key == "breaker.attempts") return read(value, limits.breaker.attempts);
  if (key == "breaker.open_for") return read(value, limits.breaker.open_for);
  return false;
}

constexpr std::string_view kKeys[] = {"maximum_concurrent", "maximum_starts_per_second", "breaker.failures",
                                      "breaker.attempts", "breaker.open_for"};

}  // namespace

std::optional<std::string> problem_of(std::string_view step, const StepLimits& limits) {
  const auto problem = limits::problem_of(limits);
  if (!problem) return std::nullopt;
  return std::string(step) + "." + problem->key + " " + problem->what;
}

std::optional<std::string> set_limit(CommandLimits::Limits& limits, const std::string& setting) {
  const std::string_view all = setting;
  const auto equals = all.find('=');
  const auto path = all.substr(0, equals);
  for (const auto key : kKeys) {  // a step's name may have dots in it, so its end is told by the key
    if (equals == std::string_view::npos || path.size() < key.size() + 2 || !path.ends_with(key)) continue;
    const auto step = path.substr(0, path.size() - key.size() - 1);
    if (path[step.size()] != '.' || (step != kAllSteps && !wire::is_valid_name(step))) continue;
    const auto known = limits.find(step);
    auto changed = known == limits.end() ? StepLimits() : known->second;
    const auto value = all.substr(equals + 1);
    if (!set(changed, key, value))
      return std::string(path) + " does not take '" + std::string(value) + "'; it takes a number" +
             (key == "breaker.open_for" ? " with its unit, like 500ms, 10s, 2m or 1h" : "");
    limits[std::string(step)] = changed;
    return std::nullopt;
  }
  return "'" + setting +
         "' is not STEP.KEY=VALUE; KEY is maximum_concurrent, maximum_starts_per_second, breaker.failures, "
         "breaker.attempts or breaker.open_for, STEP a step's name or * for all together";
}

}  // namespace skald::participant::detail
