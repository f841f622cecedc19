// The three transactions of a move, and what stands against it.
#include "postgres/slot_move.hpp"

#include "postgres/migrator.hpp"
#include "postgres/slot_copy.hpp"
#include "postgres/slot_ownership.hpp"
#include "postgres/values.hpp"

namespace skald::postgres {
namespace {

constexpr Statement kProcess{"move_process", R"(
SELECT incarnation, host, expires_at <= clock_timestamp()
FROM incarnation
WHERE namespace = $1 AND NOT ($2::boolean AND expires_at <= clock_timestamp())
ORDER BY expires_at DESC LIMIT 1)"};

constexpr Statement kBuryAll{"move_bury", "DELETE FROM incarnation WHERE namespace = $1"};

constexpr Statement kUnpublished{"move_unpublished", "SELECT count(*) FROM outbox WHERE namespace = $1"};

constexpr Statement kAudit{"move_audit", R"(
INSERT INTO slot_audit (who, why, namespace, slots, direction, other, sagas)
VALUES ($1, $2, $3, $4, $5, $6, $7::bigint))"};

using Parameters = shim::Parameters;

ConnectionSettings settings_of(const StoreOptions& options) {
  using std::chrono::milliseconds;
  return {.uri = options.uri,
          .schema = options.schema,
          .application_name = "skald-slots",
          .connect_timeout = options.connect_timeout,
          .lock_timeout = options.lock_timeout,
          // One end waits while the other one works.
          .idle_in_transaction_timeout = std::chrono::hours{12},
          .statement_timeout = std::chrono::hours{12},
          .call_timeout = std::chrono::hours{24}};
}

[[noreturn]] void refuse(const std::string& message) {
  throw Refusal{{ErrorKind::kRefused, kOtherSlots, message}};
}

class Mover {
 public:
  explicit Mover(const SlotMove& move)
      : move_(move),
        source_(settings_of(move.from), std::make_shared<Watchdog>()),
        target_(settings_of(move.to), std::make_shared<Watchdog>()) {}

  Result<SlotMoveReport> run() {
    auto moved = source_.run([this](Connection&) -> Result<void> {
      pqxx::work from{source_.raw()};
      give_up(from);
      auto taken = target_.run([&](Connection&) -> Result<void> {
        take(from);
        return {};
      });
      return taken;
    });
    if (!moved) return moved.error();
    auto finished = source_.run([this](Connection&) -> Result<void> {
      finish();
      return {};
    });
    if (!finished) return finished.error();
    return report_;
  }

 private:
  /// Nobody may work on it: a process registers only after it has looked at the ownership, which is locked.
  void refuse_processes(Connection& connection, pqxx::work& transaction, const char* where) {
    const auto running = connection.exec(transaction, kProcess,
                                         Parameters{name_space(), move_.silent_are_ended ? "true" : "false"});
    if (running.empty()) {
      connection.exec(transaction, kBuryAll, Parameters{name_space()});
      return;
    }
    const std::string process = "process " + text_of(running[0][0]) + " on host " + text_of(running[0][1]);
    if (running[0][2].as<bool>())
      refuse(process + " has worked on the " + where +
             " and never said that it ended: make sure that it has, then add --silent-are-ended");
    refuse(process + " works on the " + std::string(where) + ": end all processes of both databases first");
  }

  void give_up(pqxx::work& from) {
    const auto owned = lock_ownership(source_, from, name_space());
    if (!owned) refuse("nobody has worked on the source yet: there is nothing to move, only to configure");
    refuse_processes(source_, from, "source");
    if (owned->leaving == move_.slots && owned->leaving_to == move_.to_name)
      return;  // an earlier run came this far
    if (!owned->leaving.empty())
      refuse("slots " + owned->leaving.text() + " are on their way from this source to database " +
             owned->leaving_to + " already: run that move to its end first");
    if (const auto others = move_.slots.without(owned->slots); !others.empty())
      refuse("the source does not have the slots " + others.text() + "; it has " + owned->slots.text());
    const auto unpublished = source_.exec(from, kUnpublished, Parameters{name_space()});
    if (unpublished[0][0].as<std::int64_t>() > 0)
      refuse(
          "the source has messages that Kafka has not taken yet: start a process on it and end it with "
          "SIGTERM");
    write_ownership(source_, from, name_space(),
                    {owned->slots.without(move_.slots), move_.slots, move_.to_name});
  }

  void take(pqxx::work& from) {
    pqxx::work to{target_.raw()};
    if (!lock_ownership(target_, to, name_space()))
      write_ownership(target_, to, name_space(), SlotOwnership{});
    const auto owned = lock_ownership(target_, to, name_space()).value_or(SlotOwnership{});
    report_.target_slots = owned.slots.either(move_.slots);
    if (owned.slots.both(move_.slots) == move_.slots) return;  // an earlier run came this far
    refuse_processes(target_, to, "target");
    if (!owned.leaving.empty())
      refuse("the target is giving slots up itself: let that move come to its end first");
    const SlotCopy copy{source_, from, target_, to, name_space(), slots_literal(move_.slots)};
    const SlotMoveReport copied = copy_slots(copy);
    report_.transitions = copied.transitions;
    report_.parked = copied.parked;
    align_positions(copy, move_);
    align_schedules(copy);
    write_ownership(target_, to, name_space(), {report_.target_slots, {}, {}});
    audit(target_, to, "in", move_.from_name, copied.sagas);
    // Given up before they are taken: in between they are nobody's, never two databases'.
    source_.commit(from);
    target_.commit(to);
  }

  void finish() {
    pqxx::work transaction{source_.raw()};
    const auto owned = lock_ownership(source_, transaction, name_space()).value_or(SlotOwnership{});
    const std::int64_t sagas = delete_slots(source_, transaction, name_space(), slots_literal(move_.slots));
    write_ownership(source_, transaction, name_space(), {owned.slots, {}, {}});
    audit(source_, transaction, "out", move_.to_name, sagas);
    report_.sagas = sagas;
    report_.source_slots = owned.slots;
    source_.commit(transaction);
  }

  void audit(Connection& connection, pqxx::work& transaction, const char* direction, const std::string& other,
             std::int64_t sagas) {
    connection.exec(transaction, kAudit,
                    Parameters{move_.who, move_.why, name_space(), move_.slots.text(), direction, other,
                               std::to_string(sagas)});
  }

  [[nodiscard]] const std::string& name_space() const { return move_.from.namespace_name; }

  const SlotMove& move_;
  Connection source_;
  Connection target_;
  SlotMoveReport report_;
};

}  // namespace

Result<RecordedSlots> read_slots(const StoreOptions& options) {
  Connection connection(settings_of(options), std::make_shared<Watchdog>());
  return connection.run([&](Connection&) -> Result<RecordedSlots> {
    if (auto fits = check_schema(connection, options.schema, Migrator::binary_version()); !fits)
      return fits.error();
    pqxx::work transaction{connection.raw()};
    const auto owned = lock_ownership(connection, transaction, options.namespace_name);
    if (!owned) return RecordedSlots{};
    return RecordedSlots{owned->slots, owned->leaving};
  });
}

Result<SlotMoveReport> move_slots(const SlotMove& move) {
  if (move.slots.empty())
    return Error{ErrorKind::kRefused, kOtherSlots, "no slots are named that could be moved"};
  return Mover(move).run();
}

}  // namespace skald::postgres
