// Looking for the traces of commits in doubt.
#include "runtime/doubts.hpp"

#include <algorithm>

#include "ports/footprint.hpp"

namespace skald::runtime {

Doubts::Doubts(const Clock& clock, const Settings& settings, FoundRow row, FoundAttempts attempts)
    : clock_(clock), settings_(settings), row_(std::move(row)), attempts_(std::move(attempts)) {}

void Doubts::add(std::int64_t outbox_id, const std::vector<Turn>& turns) {
  Doubt doubt;
  doubt.outbox_id = outbox_id;
  for (const Turn& turn : turns)
    if (!turn.attempts.empty() && turn.write && !turn.write->history.empty())
      doubt.turns.push_back({turn.address, turn.write->history.front(), turn.attempts});
  for (const DoubtfulTurn& turn : doubt.turns) {
    doubt.bytes += sizeof(DoubtfulTurn) + heap_bytes(turn.row.events);
    for (const engine::LocalAttempt& attempt : turn.attempts)
      doubt.bytes += sizeof(attempt) + heap_bytes(attempt.input) + heap_bytes(attempt.output);
  }
  if (doubt.outbox_id == 0 && doubt.turns.empty()) return;
  doubt.next = clock_.monotonic();
  doubt.until = doubt.next + settings_.doubt_period;
  bytes_ += doubt.bytes;
  doubts_.push_back(std::move(doubt));
}

bool Doubts::look(Session& session, StoreLink& link) {
  const auto now = clock_.monotonic();
  for (Doubt& doubt : doubts_) {
    if (doubt.next > now) continue;
    if (!look_for_row(doubt, session, link) || !look_for_turns(doubt, session, link)) return false;
    doubt.next = now + settings_.doubt_interval;
  }
  std::erase_if(doubts_, [this, now](const Doubt& doubt) {
    const bool over = doubt.until <= now || (doubt.outbox_id == 0 && doubt.turns.empty());
    if (over) bytes_ -= doubt.bytes;
    return over;
  });
  return true;
}

bool Doubts::look_for_row(Doubt& doubt, Session& session, StoreLink& link) {
  if (doubt.outbox_id == 0) return true;
  auto row = session.outbox_row(doubt.outbox_id);
  if (!row) {
    link.failed(row.error());
    return false;
  }
  if (!*row) return true;
  row_(std::move(**row));
  doubt.outbox_id = 0;
  return true;
}

bool Doubts::look_for_turns(Doubt& doubt, Session& session, StoreLink& link) {
  std::vector<SagaAddress> addresses;
  addresses.reserve(doubt.turns.size());
  for (const DoubtfulTurn& turn : doubt.turns) addresses.push_back(turn.address);
  while (!addresses.empty()) {
    auto stored = session.load(addresses, settings_.maximum_batch_bytes);
    if (!stored) {
      link.failed(stored.error());
      return false;
    }
    addresses.clear();
    for (const StoredSaga& saga : *stored) {
      if (saga.left_out)
        addresses.push_back(saga.row.address);
      else
        look_at(doubt, saga);
    }
  }
  return true;
}

void Doubts::look_at(Doubt& doubt, const StoredSaga& saga) {
  std::erase_if(doubt.turns, [&](DoubtfulTurn& turn) {
    if (saga.row.address != turn.address) return false;
    // Word for word: an attempt's row names the incarnation, so nobody else can have written it.
    const bool ours = std::any_of(saga.history.begin(), saga.history.end(), [&](const HistoryRow& row) {
      return row.sequence == turn.row.sequence && row.events == turn.row.events;
    });
    if (ours) attempts_(turn.address, std::move(turn.attempts));
    return ours;
  });
}

}  // namespace skald::runtime
