// What has to hold of an end.
#include "verdict.hpp"

#include <array>
#include <map>

namespace skald::testing::detail {
namespace {

using engine::Event;
using engine::EventKind;

/// Reasons of which somebody else than the code is the cause: an operator decides.
constexpr std::array<std::string_view, 3> kOperators{"compensation-refused", "failed-after-pivot",
                                                     "pivot-unknown"};

std::string called(const Ledger::Entry& entry) {
  return "step #" + std::to_string(entry.ordinal) + " " + std::string(entry.step->name);
}

/// The step as the saga sees it.
struct Seen {
  bool succeeded = false;
  bool pivot = false;
};

std::map<int, Seen> seen_by(const Drive& drive) {
  std::map<int, Seen> seen;
  for (const Event& event : drive.events()) {
    Seen& step = seen[event.ordinal];
    if (event.kind == EventKind::kStep) step.pivot = event.pivot;
    if (event.kind == EventKind::kSucceeded) step.succeeded = true;
    if (event.kind == EventKind::kAbandoned) step.succeeded = false;
  }
  return seen;
}

/// It stands, and should not.
std::string stands(const Ledger::Entry& entry, const std::string& ended) {
  const std::string start = ended + ", but " + called(entry) + " stands: ";
  if (entry.step->has_compensation) return start + "it took effect and was not undone";
  return start + "it took effect and has no compensation (\"" +
         std::string(entry.step->no_compensation_reason) +
         "\"). Give it one, move it behind the pivot, or say Explore().leaves<…>() if that does no harm";
}

std::string of_effects(const Drive& drive, const std::string& ended, const Explore& options) {
  const bool completed = drive.stored().row.status == SagaStatus::kCompleted;
  const auto seen = seen_by(drive);
  for (const Ledger::Entry* entry : drive.ledger().entries()) {
    if (!entry->stands()) continue;
    const auto place = seen.find(entry->ordinal);
    const Seen step = place == seen.end() ? Seen{} : place->second;
    if (!completed && step.pivot)
      return ended + ", though its pivot, " + called(*entry) +
             ", took effect: from there it only goes forward";
    if (completed && step.succeeded) continue;
    if (!entry->step->has_compensation && options.left.contains(std::string(entry->step->name))) continue;
    return stands(*entry, completed ? ended + ", taking it for failed" : ended);
  }
  return {};
}

std::string of_pairs(const Drive& drive, const std::string& ended, const Explore& options) {
  std::map<std::string, int> standing;
  for (const Ledger::Entry* entry : drive.ledger().entries())
    if (entry->stands()) ++standing[std::string(entry->step->name)];
  for (const Explore::Pair& pair : options.pairs) {
    const bool first = standing.contains(pair.first);
    if (first == standing.contains(pair.second)) continue;
    return ended + ": " + pair.sentence + " (" + (first ? pair.first : pair.second) + " stands, " +
           (first ? pair.second : pair.first) + " does not)";
  }
  for (const std::string& step : options.single)
    if (standing.contains(step) && standing[step] > 1)
      return ended + ", and " + step + " stands " + std::to_string(standing[step]) + " times";
  return {};
}

}  // namespace

std::string end_of(const Drive& drive) {
  const SagaRow& row = drive.stored().row;
  if (!drive.defect().empty()) return "defect";
  if (row.status == SagaStatus::kStuck) return "stuck: " + row.stuck_reason;
  return is_ended(row.status) ? std::string(to_string(row.status)) : "waits for ever";
}

std::string inconsistency(const Drive& drive, const std::string& saga, const Explore& options) {
  if (!drive.defect().empty()) return saga + ": " + drive.defect();
  const SagaRow& row = drive.stored().row;
  if (row.status == SagaStatus::kStuck) {
    for (const std::string_view reason : kOperators)
      if (row.stuck_reason == reason) return {};
    return saga + " becomes stuck, " + row.stuck_reason + ": " + drive.last_event().failure.message;
  }
  if (!is_ended(row.status))
    return saga +
           " waits for ever: nothing is under way, and no time is set. Give the step a timeout or the wait a "
           "duration; a signal that comes is told by Explore().signal(…)";
  const std::string ended = saga + " ends " + std::string(to_string(row.status));
  if (std::string found = of_effects(drive, ended, options); !found.empty()) return found;
  return of_pairs(drive, ended, options);
}

}  // namespace skald::testing::detail
