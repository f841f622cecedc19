// The breaker's states; see the table in circuit_breaker.hpp.
#include "limits/circuit_breaker.hpp"

#include <algorithm>

namespace skald::limits {

CircuitBreaker::CircuitBreaker(const BreakerOptions& options) : options_(options) {
  if (options.failures > 0)
    outcomes_.resize(static_cast<std::size_t>(std::max(options.failures, options.attempts)));
}

CircuitBreaker::State CircuitBreaker::state(Nanoseconds now) const {
  if (!open_until_) return State::kClosed;
  return now < *open_until_ ? State::kOpen : State::kHalfOpen;
}

bool CircuitBreaker::lets_through(Nanoseconds now) const {
  switch (state(now)) {
    case State::kClosed: return true;
    case State::kOpen: return false;
    case State::kHalfOpen: return !trying_;
  }
  return true;
}

std::optional<Nanoseconds> CircuitBreaker::half_open_at() const {
  return trying_ ? std::nullopt : open_until_;
}

CircuitBreaker::Epoch CircuitBreaker::begin(Nanoseconds now) {
  if (state(now) == State::kHalfOpen) {
    trying_ = true;
    ++epoch_;  // whatever began earlier and comes to its end now is not the attempt that counts
  }
  return epoch_;
}

BreakerChange CircuitBreaker::tell(Epoch epoch, bool failed, Nanoseconds now) {
  if (!enabled() || epoch != epoch_) return BreakerChange::kNone;
  if (open_until_) {
    if (failed) return open(now);
    close();
    return BreakerChange::kClosed;
  }
  failures_ += (failed ? 1 : 0) - (outcomes_[place_] ? 1 : 0);
  outcomes_[place_] = failed;
  place_ = (place_ + 1) % outcomes_.size();
  return failures_ >= options_.failures ? open(now) : BreakerChange::kNone;
}

void CircuitBreaker::end(Epoch epoch) {
  if (epoch == epoch_) trying_ = false;
}

BreakerChange CircuitBreaker::open(Nanoseconds now) {
  const bool again = open_until_.has_value();
  open_until_ = now + options_.open_for;
  trying_ = false;
  ++epoch_;
  return again ? BreakerChange::kReopened : BreakerChange::kOpened;
}

void CircuitBreaker::close() {
  open_until_.reset();
  trying_ = false;
  ++epoch_;
  std::fill(outcomes_.begin(), outcomes_.end(), false);
  place_ = 0;
  failures_ = 0;
}

}  // namespace skald::limits
