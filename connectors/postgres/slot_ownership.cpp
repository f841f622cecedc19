// Reading, claiming and writing the row of slot_ownership.
#include "postgres/slot_ownership.hpp"

#include "postgres/values.hpp"

namespace skald::postgres {
namespace {

constexpr Statement kRecord{"record_slots", R"(
INSERT INTO slot_ownership (namespace, slots) VALUES ($1, $2) ON CONFLICT (namespace) DO NOTHING)"};

constexpr Statement kShare{"share_slots", R"(
SELECT slots, leaving, leaving_to FROM slot_ownership WHERE namespace = $1 FOR SHARE)"};

constexpr Statement kLock{"lock_slots", R"(
SELECT slots, leaving, leaving_to FROM slot_ownership WHERE namespace = $1 FOR UPDATE)"};

constexpr Statement kWrite{"write_slots", R"(
INSERT INTO slot_ownership AS o (namespace, slots, leaving, leaving_to)
VALUES ($1, $2, nullif($3, 'none'), nullif($4, ''))
ON CONFLICT (namespace) DO UPDATE
SET slots = excluded.slots, leaving = excluded.leaving, leaving_to = excluded.leaving_to, changed_at = clock_timestamp())"};

wire::SlotSet slots_of(const std::string& text) {
  auto slots = wire::SlotSet::parse(text);
  if (!slots)
    throw Refusal{
        {ErrorKind::kRefused, kOtherSlots, "table slot_ownership is damaged: " + slots.error().message}};
  return *slots;
}

std::optional<SlotOwnership> ownership_of(const pqxx::result& rows) {
  if (rows.empty()) return std::nullopt;
  const std::string leaving = text_of(rows[0][1]);
  return SlotOwnership{slots_of(text_of(rows[0][0])), slots_of(leaving.empty() ? "none" : leaving),
                       text_of(rows[0][2])};
}

}  // namespace

std::optional<SlotOwnership> lock_ownership(Connection& connection, pqxx::work& transaction,
                                            const std::string& name_space) {
  return ownership_of(connection.exec(transaction, kLock, shim::Parameters{name_space}));
}

void write_ownership(Connection& connection, pqxx::work& transaction, const std::string& name_space,
                     const SlotOwnership& ownership) {
  connection.exec(
      transaction, kWrite,
      shim::Parameters{name_space, ownership.slots.text(), ownership.leaving.text(), ownership.leaving_to});
}

void claim_slots(Connection& connection, pqxx::work& transaction, const std::string& name_space,
                 const wire::SlotSet& configured) {
  connection.exec(transaction, kRecord, shim::Parameters{name_space, configured.text()});
  const auto recorded = ownership_of(connection.exec(transaction, kShare, shim::Parameters{name_space}));
  const SlotOwnership owned = recorded.value_or(SlotOwnership{});
  if (!owned.leaving.empty())
    throw Refusal{{ErrorKind::kRefused, kOtherSlots,
                   "slots " + owned.leaving.text() + " of namespace " + name_space +
                       " are on their way from this database to database " + owned.leaving_to +
                       ": run `slots move` again, to its end"}};
  if (owned.slots != configured)
    throw Refusal{{ErrorKind::kRefused, kOtherSlots,
                   "this database has the slots " + owned.slots.text() + " of namespace " + name_space +
                       ", and the configuration says " + configured.text() +
                       ": correct the configuration, or move slots with `slots move`"}};
}

}  // namespace skald::postgres
