// Retention: what has ended is removed after a time, first its history, later its row, which until then tells a trigger that
// comes again. One process of a database does it at a time, page by page, on a thread and a connection of its own. A child
// saga keeps its history until the saga at the top has ended, which until then may roll it back.
#pragma once

#include <atomic>
#include <chrono>
#include <vector>

#include "runtime/store_link.hpp"
#include "runtime/waiter.hpp"
#include "wire/slots.hpp"

namespace skald::runtime {

class Retention {
 public:
  struct Parts {
    Seams seams;
    const Settings& settings;
    const std::string& name_space;
    const wire::SlotSet& slots;  ///< of the sagas in this database
    std::atomic<Incarnation>& incarnation;
  };
  explicit Retention(Parts parts);

  [[nodiscard]] bool wanted() const {
    return parts_.settings.history_retention || parts_.settings.saga_retention;
  }
  /// One page; how long to wait before the next.
  std::chrono::milliseconds run_once();

 private:
  enum class Stage { kHistories, kSagas };

  Result<bool> page(Session& session);
  /// `now`: by the database's clock; a wrong one of this machine would remove too early.
  Result<bool> histories(Session& session, Time now);
  Result<bool> sagas(Session& session, Time now);
  [[nodiscard]] Result<std::vector<Fence>> removable(Session& session,
                                                     const std::vector<EndedSaga>& ended) const;
  void next_stage();

  const Parts parts_;
  StoreLink link_;
  Stage stage_ = Stage::kHistories;
  SagaKey behind_ = 0;                     ///< of this pass and stage, what has been looked at
  std::size_t histories_ = 0, sagas_ = 0;  ///< removed in this pass
};

}  // namespace skald::runtime
