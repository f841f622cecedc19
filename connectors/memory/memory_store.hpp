// Store in the process: for unit tests, the simulator and trying things out. It keeps every promise of
// ports/store.hpp (fences, conflicts, leases, incarnations) under one mutex, reads time from the Clock it is given,
// and can be told to fail the way a database fails. Any number of sessions, from any threads.
#pragma once

#include <functional>
#include <memory>

#include "ports/clock.hpp"
#include "ports/store.hpp"

namespace skald::memory {

/// What becomes of one commit.
enum class CommitFault {
  kNone,
  kUnknownApplied,     ///< kUnknown, and it took effect
  kUnknownNotApplied,  ///< kUnknown, and it did not
  kRetry,              ///< kRetry: deadlock, lock timeout
  kUnavailable,        ///< kUnavailable: connection lost before COMMIT
  kInvalid,            ///< kInvalid: the database refuses the data
};

class MemoryStore : public Store {
 public:
  /// `clock.wall()` is the database's time; it must outlive the store and its sessions.
  explicit MemoryStore(const Clock& clock);
  ~MemoryStore() override;

  Result<std::unique_ptr<Session>> open() override;

  // --- faults, from any thread ---
  /// The next `count` commits meet this fault.
  void fail_next_commits(CommitFault fault, int count = 1);
  /// Asked at every commit, outside the mutex (so it may block: a slow database); kNone lets it through.
  /// Faults of fail_next_commits come first. Empty: none.
  void set_commit_hook(std::function<CommitFault(const Batch&)> hook);
  /// False: every call answers kUnavailable, open() included.
  void set_available(bool available);

  // --- what tests look at ---
  /// Every outbox row that is still there, oldest id first.
  [[nodiscard]] std::vector<OutboxRow> outbox() const;
  [[nodiscard]] std::vector<StoredSaga> sagas() const;
  [[nodiscard]] std::vector<ParkedInput> parked() const;

  struct Database;

 private:
  std::shared_ptr<Database> database_;
};

}  // namespace skald::memory
