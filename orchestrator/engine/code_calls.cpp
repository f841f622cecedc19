// What the saga's code calls beside steps and timers: giving up a step, signals, recorded values, patches, numbers.
#include <tuple>

#include "engine/state.hpp"
#include "skald/assert.hpp"
#include "skald/step.hpp"

namespace skald::engine {

void Instance::State::abandon(detail::Slot& slot) {
  if (slot.settled) return;
  Failure failure{std::string(failure_code::kAbandoned), "the saga gave it up", Retry::never, false};
  if (is_void() ||
      slot.ordinal == 0) {  // nobody's business but the code's, which may ask for the outcome at once
    slot.settled = true;
    slot.failure = std::move(failure);
    return;
  }
  const StepState& step = *this->step(slot.ordinal);
  SKALD_ASSERT(!step.pivot, "a pivot gives no handle by which it could be given up");
  Event event;
  event.kind = EventKind::kAbandoned;
  event.ordinal = slot.ordinal;
  event.step = slot.step->name;
  event.failure = std::move(failure);
  if (replaying_ == nullptr) given_up_.push_back(step);
  code_event(std::move(event));
}

/// Empty for what is no child saga. On replay history has it.
std::optional<std::string> Instance::State::child_id(const StepDefinition& definition,
                                                     std::string_view input) {
  if (definition.kind != StepKind::child || replaying_ != nullptr) return std::string();
  const int depth = parent_ ? parent_->depth + 1 : 1;
  if (depth > environment_.limits.maximum_depth) {
    defect("child-limit", "child saga " + std::string(definition.child) + " would be the " +
                              std::to_string(depth) + "th in a row of children; the limit is " +
                              std::to_string(environment_.limits.maximum_depth));
    return std::nullopt;
  }
  auto id = definition.child_id == nullptr
                ? Result<std::string>(address_.saga_id + '/' +
                                      std::to_string(steps_before_ + static_cast<int>(steps_.size()) + 1))
                : definition.child_id(input);
  constexpr std::size_t kRetryBytes = 16;  // an operator's retry adds to the id
  if (id && wire::is_valid_saga_id(*id) && id->size() + kRetryBytes <= wire::kMaximumSagaIdBytes)
    return std::move(id).value();
  defect("child-id", !id ? id.error().message
                         : "the id of child saga " + std::string(definition.child) + " is not 1 to " +
                               std::to_string(wire::kMaximumSagaIdBytes - kRetryBytes) +
                               " visible ASCII characters");
  return std::nullopt;
}

detail::SignalSlot& Instance::State::expect_signal(std::string_view name) {
  if (takes_nothing() || starts_too_much()) return dead_signal_;
  for (const SignalDefinition& known : definition_.signals)
    if (known.name == name) return mailbox_.expect(name);
  defect("undeclared-signal", "the code waits for signal " + std::string(name) +
                                  ", which does not stand in the saga's `signals`: nobody could send it");
  return dead_signal_;
}

std::optional<std::string> Instance::State::record(std::string_view name,
                                                   const std::function<std::string()>& value) {
  if (takes_nothing() || starts_too_much()) return std::nullopt;
  ++records_;
  if (!detail::is_name(name)) {
    defect("invalid-name", "saga.record takes a name of 1 to 63 characters of A-Z a-z 0-9 . _ -");
    return std::nullopt;
  }
  Event event;
  event.kind = EventKind::kRecorded;
  event.name = name;
  if (replaying_ == nullptr) {
    event.data = taken(name, value);
    if (is_void()) return std::nullopt;
  } else if (const Event* had = next_code_event(); had != nullptr && had->kind == EventKind::kRecorded) {
    event.data = had->data;
  }
  if (event.data.size() > environment_.limits.maximum_payload_bytes) {
    defect("payload-limit", "record " + std::string(name) + " has " + std::to_string(event.data.size()) +
                                " bytes; the limit is " +
                                std::to_string(environment_.limits.maximum_payload_bytes));
    return std::nullopt;
  }
  std::string data = event.data;
  code_event(std::move(event));
  if (is_void()) return std::nullopt;
  return data;
}

/// What `value` gives. It is called this once and never on replay: so what it throws is a defect, which the code could
/// not catch again, and so is what it asks of the saga.
std::string Instance::State::taken(std::string_view name, const std::function<std::string()>& value) {
  const auto touched = [this] {
    return std::tuple(pending_.size(), mailbox_.waits(), draws_, patches_.size());
  };
  const auto before = touched();
  const std::string what = "the value of record " + std::string(name);
  if (environment_.values != nullptr) {
    auto given = environment_.values->take(name);
    if (!given) defect("no-value", what + " is not in the history");
    return given ? std::move(*given) : std::string();
  }
  std::string data;
  try {
    data = value();
  } catch (const std::exception& error) {
    defect("exception", what + " threw " + error.what());
  } catch (...) {
    defect("exception", what + " threw an exception not derived from std::exception");
  }
  if (touched() != before)
    defect("nested-call", what + " comes from the saga's own calls: make them before it");
  return data;
}

/// The event by the code that comes next in the history that is replayed, patches left out; null: none.
const Event* Instance::State::next_code_event() {
  skip_patches();
  const auto& events = *replaying_->events;
  if (replaying_->next >= events.size() || origin_of(events[replaying_->next].kind) != EventOrigin::kCode)
    return nullptr;
  return &events[replaying_->next];
}

bool Instance::State::patched(std::string_view name) {
  if (is_void()) return false;
  if (const auto known = patches_.find(name); known != patches_.end()) return known->second;
  if (!detail::is_name(name)) {
    defect("invalid-name", "saga.patched takes a name of 1 to 63 characters of A-Z a-z 0-9 . _ -");
    return false;
  }
  bool has = true;
  if (replaying_ != nullptr) {
    has = false;
    const auto& events = *replaying_->events;
    for (std::size_t next = replaying_->next;
         next < events.size() && events[next].kind == EventKind::kPatched; ++next)
      has = has || events[next].name == name;
  } else {
    Event event;
    event.kind = EventKind::kPatched;
    event.name = name;
    record(std::move(event));
  }
  patches_.emplace(name, has);
  return has;
}

void Instance::State::continue_as_new(std::string input) {
  if (takes_nothing()) return;
  if (input.size() > environment_.limits.maximum_payload_bytes)
    return defect("payload-limit", "the input of the next run has " + std::to_string(input.size()) +
                                       " bytes; the limit is " +
                                       std::to_string(environment_.limits.maximum_payload_bytes));
  auto canonical = definition_.canonical_input(input);
  if (!canonical)
    return defect("unreadable-input",
                  "saga.continue_as_new: the input does not fit the saga's: " + canonical.error().message);
  Event event;
  event.kind = EventKind::kContinued;
  event.data = std::move(canonical).value();
  code_event(std::move(event));
}

void Instance::State::rollback_group(int open) {
  open_groups_ += open;
  if (open > 0 && open_groups_ == 1) ++groups_;
}

void Instance::State::shield(int up) {
  shields_ += up;
  if (!is_void() && cancel_takes_effect()) cancel_due_ = true;
}

/// SplitMix64 (Steele, Lea, Flood 2014), seeded by the saga's key: each saga has its own sequence, always the same.
std::uint64_t Instance::State::random() {
  std::uint64_t mixed =
      static_cast<std::uint64_t>(key_) * 0xd1342543de82ef95ULL + ++draws_ * 0x9e3779b97f4a7c15ULL;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
  return mixed ^ (mixed >> 31);
}

Result<std::string> Instance::State::query(std::string_view name, std::string_view input) const {
  if (!execution_)
    return Error{ErrorKind::kRefused, "", "the saga's code has not run: there is nothing to ask"};
  return execution_->query(name, input);
}

}  // namespace skald::engine
