// Doubts: batches whose commit has an unknown outcome. Their inputs are judged again at once, which is safe by
// the sequences; but if the transaction did take effect, now or a little later, its messages and local
// attempts have nobody: this looks for its traces in the database (the outbox row, the history row word for
// word) for a while, and hands over what it finds. Part of a lane, used by its thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "runtime/judge.hpp"
#include "runtime/store_link.hpp"

namespace skald::runtime {

class Doubts {
 public:
  using FoundRow = std::function<void(OutboxRow)>;
  using FoundAttempts = std::function<void(const SagaAddress&, std::vector<engine::LocalAttempt>)>;
  Doubts(const Clock& clock, const Settings& settings, FoundRow row, FoundAttempts attempts);

  /// `outbox_id`: 0 if the batch had no messages.
  void add(std::int64_t outbox_id, const std::vector<Turn>& turns);
  /// Looks when it is time to. False: the session failed and `link` was told.
  bool look(Session& session, StoreLink& link);
  /// What they occupy: the lane takes nothing more while it is too much.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct DoubtfulTurn {
    SagaAddress address;
    HistoryRow row;  ///< the write's first
    std::vector<engine::LocalAttempt> attempts;
  };
  struct Doubt {
    std::int64_t outbox_id = 0;
    std::vector<DoubtfulTurn> turns;
    std::size_t bytes = 0;
    std::chrono::nanoseconds until{0};
    std::chrono::nanoseconds next{0};
  };
  /// False: the session failed.
  bool look_for_row(Doubt& doubt, Session& session, StoreLink& link);
  bool look_for_turns(Doubt& doubt, Session& session, StoreLink& link);
  void look_at(Doubt& doubt, const StoredSaga& saga);

  const Clock& clock_;
  const Settings& settings_;
  FoundRow row_;
  FoundAttempts attempts_;
  std::vector<Doubt> doubts_;
  std::size_t bytes_ = 0;
};

}  // namespace skald::runtime
