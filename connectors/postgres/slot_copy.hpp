// Copying the sagas of some slots between two open transactions on two databases: rows travel as JSON, a page at a
// time. Part of a move of slots; inside Connection::run only, everything throws.
#pragma once

#include "postgres/connection.hpp"
#include "postgres/slot_move.hpp"

namespace skald::postgres {

/// Both ends of a copy. The same namespace; what is copied is `slots`, as an array literal.
struct SlotCopy {
  Connection& source;
  pqxx::work& from;
  Connection& target;
  pqxx::work& to;
  std::string name_space;
  std::string slots;
};

/// Sagas with their histories under keys that are free in the target, and parked inputs in their order. Counts are
/// compared at the end: a difference throws.
[[nodiscard]] SlotMoveReport copy_slots(const SlotCopy& copy);

/// A partition that both have read goes on, in the target, where the one stands that has read less of it; one that
/// only the source has read, where the source stands; one that only the target has read, from its beginning, as the
/// source would have. What is read twice is recognised. Recorded in position_audit.
void align_positions(const SlotCopy& copy, const SlotMove& move);

/// The source's schedules that the target lacks; one that it has goes on where the one stands that has come less far: a
/// tick belongs to whoever has its saga's slot, and the target did not have them.
void align_schedules(const SlotCopy& copy);

/// In the source: all that copy_slots copied.
[[nodiscard]] std::int64_t delete_slots(Connection& source, pqxx::work& transaction,
                                        const std::string& name_space, const std::string& slots);

[[nodiscard]] std::string slots_literal(const wire::SlotSet& slots);

}  // namespace skald::postgres
