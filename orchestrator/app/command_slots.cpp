// slots show and slots move: which database has which share of the sagas (docs/databases.md).
#include <algorithm>

#include "app/commands.hpp"
#include "app/open_database.hpp"
#include "postgres/slot_move.hpp"

namespace skald::app {
namespace {

Error usage(const std::string& message) { return {ErrorKind::kInvalid, kCodeUsage, message}; }

const DatabaseConfig* find_database(const Config& config, const std::string& name) {
  const auto found = std::find_if(config.databases.begin(), config.databases.end(),
                                  [&name](const auto& one) { return one.name == name; });
  return found == config.databases.end() ? nullptr : &*found;
}

Error no_such(const std::string& option, const std::string& name) {
  return usage(option + " " + name + ": the configuration has no such database");
}

}  // namespace

int run_slots_show(const Program& program) {
  const auto config = program.config({.database = true});
  if (!config) return program.fail(config.error());
  bool differ = false;
  std::string text;
  for (const DatabaseConfig& one : config->databases) {
    const auto owned = postgres::read_slots(store_of(*config, one));
    if (!owned) {
      return program.fail(of_database(one, owned.error()));
    }
    const std::string recorded = owned->slots ? owned->slots->text() : "not recorded yet";
    const bool same = !owned->slots || (*owned->slots == one.slots && owned->leaving.empty());
    differ = differ || !same;
    text += (one.name.empty() ? "the only database" : one.name) + ": configured " + one.slots.text() +
            ", in the database " + recorded;
    if (!owned->leaving.empty()) text += ", on their way to another one " + owned->leaving.text();
    text += same ? "\n" : "  <- differ: no process works on it\n";
  }
  print(text);
  return differ ? kExitNo : kExitOk;
}

int run_slots_move(const Program& program, const SlotsOptions& options) {
  const auto config = program.config({.database = true});
  if (!config) return program.fail(config.error());
  const auto slots = wire::SlotSet::parse(options.slots);
  if (!slots) return program.fail(usage(slots.error().message));
  const DatabaseConfig* from = find_database(*config, options.from);
  const DatabaseConfig* to = find_database(*config, options.to);
  if (from == nullptr) return program.fail(no_such("--from", options.from));
  if (to == nullptr) return program.fail(no_such("--to", options.to));
  if (from == to) return program.fail(usage("--from and --to are the same database"));
  postgres::SlotMove move{store_of(*config, *from),
                          store_of(*config, *to),
                          from->name,
                          to->name,
                          *slots,
                          {from->replies, to->replies},
                          options.who,
                          options.why,
                          options.silent_are_ended};
  const auto moved = postgres::move_slots(move);
  if (!moved && moved.error().kind == ErrorKind::kRefused && moved.error().code == "SKALD-339") {
    program.complain(moved.error());
    return kExitNo;
  }
  if (!moved) return program.fail(moved.error());
  print("moved slots " + slots->text() + " from " + from->name + " to " + to->name + ": " +
        std::to_string(moved->sagas) + " sagas, " + std::to_string(moved->transitions) + " transitions, " +
        std::to_string(moved->parked) + " parked inputs\n" +
        "Now change the configuration of every process:\n" + "  databases." + from->name +
        ".slots: " + moved->source_slots.text() + "\n" + "  databases." + to->name +
        ".slots: " + moved->target_slots.text() + "\n");
  return kExitOk;
}

}  // namespace skald::app
