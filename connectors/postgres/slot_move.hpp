// Moving slots, with all their sagas, from one database to another, while no process works on either. The target
// takes the sagas in one transaction; just before it commits, the source gives the slots up; then the source deletes
// the sagas. Stopped in between, nobody can work on these slots before it was run again and came to its end. Used by
// `slots move`, on one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "postgres/postgres_store.hpp"
#include "wire/slots.hpp"

namespace skald::postgres {

struct SlotMove {
  StoreOptions from;  ///< of the same namespace as `to`
  StoreOptions to;
  std::string from_name;  ///< what the configuration calls them
  std::string to_name;
  wire::SlotSet slots;
  /// Topics that only one of the two reads. How far the others are read is aligned: the target reads again what the
  /// source had not applied yet.
  std::vector<std::string> reply_topics;
  std::string who;
  std::string why;
  /// Processes that ended without saying so count as ended once their lease has passed. Else they are refused: one
  /// that is only frozen would go on.
  bool silent_are_ended = false;
};

struct SlotMoveReport {
  std::int64_t sagas = 0;
  std::int64_t transitions = 0;
  std::int64_t parked = 0;
  wire::SlotSet source_slots;  ///< as they are now
  wire::SlotSet target_slots;
};

/// kRefused (SKALD-339): something stands against it, and what; nothing was changed by this call. Any other error:
/// run it again.
[[nodiscard]] Result<SlotMoveReport> move_slots(const SlotMove& move);

/// What a database says of its slots.
struct RecordedSlots {
  std::optional<wire::SlotSet> slots;  ///< nullopt: nobody has worked on it yet
  wire::SlotSet leaving;
};
[[nodiscard]] Result<RecordedSlots> read_slots(const StoreOptions& options);

}  // namespace skald::postgres
