// Which slots of a namespace a database has, as the database itself says: the row by which a process with another
// configuration is kept from working on it, and which a move of slots changes (docs/databases.md).
#pragma once

#include <optional>
#include <string>

#include "postgres/connection.hpp"
#include "wire/slots.hpp"

namespace skald::postgres {

struct SlotOwnership {
  wire::SlotSet slots;
  wire::SlotSet leaving{};   ///< of a move that has not come to its end
  std::string leaving_to{};  ///< the database's name in the configuration
};

/// Locked until the transaction ends, so that no process registers meanwhile; nullopt: nobody has worked here yet.
/// Inside Connection::run only; throws.
[[nodiscard]] std::optional<SlotOwnership> lock_ownership(Connection& connection, pqxx::work& transaction,
                                                          const std::string& name_space);
void write_ownership(Connection& connection, pqxx::work& transaction, const std::string& name_space,
                     const SlotOwnership& ownership);

/// Records `configured` if nothing is recorded; throws Refusal (SKALD-339) if something else is. Holds off moves until
/// the transaction ends. Inside Connection::run only.
void claim_slots(Connection& connection, pqxx::work& transaction, const std::string& name_space,
                 const wire::SlotSet& configured);

inline constexpr const char* kOtherSlots = "SKALD-339";

}  // namespace skald::postgres
