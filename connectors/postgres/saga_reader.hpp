// Reading many sagas with their histories for a tool: in one read-only snapshot, a batch at a time, without a process
// that runs them. One thread.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "ports/store.hpp"
#include "postgres/postgres_store.hpp"

namespace skald::postgres {

struct SagaSelection {
  std::string definition;  ///< empty: all
  std::string saga_id;     ///< empty: all
  std::optional<SagaStatus> status;
  bool open_only = false;
  Runs runs = Runs::kLast;
  std::size_t maximum = std::numeric_limits<std::int64_t>::max();  ///< the newest so many
  std::size_t batch = 1'000;
  std::size_t batch_bytes = 64u << 20;  ///< a batch ends when its histories have so many
};

/// Gives the sagas to `take`, the newest first; false from it ends the reading. How many there were.
Result<std::size_t> read_sagas(const StoreOptions& options, const SagaSelection& selection,
                               const std::function<bool(const std::vector<StoredSaga>&)>& take);

}  // namespace skald::postgres
