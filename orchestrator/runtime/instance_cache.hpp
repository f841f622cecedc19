// InstanceCache: the sagas a lane holds in memory, least recently used first out, bounded by bytes. Used by one
// thread. An entry mirrors what the lane believes is stored; whoever finds that belief wrong erases it.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>

#include "engine/instance.hpp"
#include "ports/store.hpp"

namespace skald::runtime {

struct CachedSaga {
  SagaAddress address;
  SagaKey key = 0;
  std::int32_t revision = 0;
  std::int64_t stored_sequence = 0;  ///< 0: its start is not durable yet
  Time stored_wake{};                ///< the row's bound
  std::int64_t run_from = 1;
  SagaStatus status = SagaStatus::kRunning;
  std::string stuck_reason, stuck_step;
  std::uint64_t input_hash = 0;
  Time started_at{};
  std::unique_ptr<engine::Instance> instance;  ///< null: this binary has no code for its revision
  std::optional<engine::ReplayProblem> problem;
  bool history_removed = false;  ///< it has ended, and nothing but its row is left: there is no instance
  std::size_t bytes = 0;
};

class InstanceCache {
 public:
  /// Null if it is not there; else it counts as used now. Stays valid until it is erased or trimmed.
  [[nodiscard]] CachedSaga* find(const SagaAddress& address);
  CachedSaga& put(CachedSaga saga);
  void erase(const SagaAddress& address);
  /// Its instance has changed: count its bytes again.
  void measure(CachedSaga& saga);
  /// Drops the least recently used above this; how many.
  std::size_t trim(std::size_t maximum_bytes);
  [[nodiscard]] std::size_t size() const noexcept { return by_address_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::list<CachedSaga> entries_;  ///< most recently used first
  std::unordered_map<SagaAddress, std::list<CachedSaga>::iterator> by_address_;
  std::size_t bytes_ = 0;
};

}  // namespace skald::runtime
