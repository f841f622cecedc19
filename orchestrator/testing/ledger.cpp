// Deciding attempts.
#include "ledger.hpp"

#include <algorithm>

namespace skald::testing::detail {

using State = Ledger::Entry::State;

Decision Ledger::decide(const Attempt& attempt, const Reaction& reaction) {
  Entry& entry = entries_[attempt.key];
  entry.step = attempt.step;
  entry.ordinal = attempt.id.ordinal;
  return attempt.id.phase == engine::Phase::kAction ? act(entry, reaction) : undo(entry, reaction);
}

Decision Ledger::act(Entry& entry, const Reaction& reaction) {
  switch (entry.state) {
    case State::done: return {true, entry.output, {}};
    case State::refused: return {false, {}, entry.failure};
    case State::cancelled:
    case State::undone:
      return {false, {}, {"cancelled", "its compensation came before it", Retry::never, false}};
    case State::open: break;
  }
  if (reaction.effect == Reaction::Effect::applies) {
    entry.state = State::done;
    entry.output = reaction.output;
    return {true, reaction.output, {}};
  }
  if (reaction.effect == Reaction::Effect::refused) {
    entry.state = State::refused;
    entry.failure = reaction.failure;
  }
  return {false, {}, reaction.failure};
}

Decision Ledger::undo(Entry& entry, const Reaction& reaction) {
  if (reaction.effect != Reaction::Effect::applies) return {false, {}, reaction.failure};
  if (entry.state == State::done) entry.state = State::undone;
  if (entry.state == State::open) entry.state = State::cancelled;
  return {true, "{}", {}};
}

std::vector<const Ledger::Entry*> Ledger::entries() const {
  std::vector<const Entry*> all;
  all.reserve(entries_.size());
  for (const auto& [key, entry] : entries_) all.push_back(&entry);
  std::sort(all.begin(), all.end(),
            [](const Entry* left, const Entry* right) { return left->ordinal < right->ordinal; });
  return all;
}

std::string Ledger::situation() const {
  std::string text;
  for (const auto& [key, entry] : entries_)
    text += key + ' ' + std::to_string(static_cast<int>(entry.state)) + ' ';
  return text;
}

}  // namespace skald::testing::detail
