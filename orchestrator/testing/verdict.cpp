// What has to hold of an end.
#include "verdict.hpp"

#include <algorithm>
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
  std::string text = ended;
  text.append(", but ").append(called(entry)).append(" stands: it took effect and ");
  if (entry.step->has_compensation) return text + "was not undone";
  return text.append("has no compensation (\"")
      .append(entry.step->no_compensation_reason)
      .append(
          "\"). Give it one, move it behind the pivot, or say Explore().leaves<…>() if that does no harm");
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
  const auto torn = std::find_if(options.pairs.begin(), options.pairs.end(), [&standing](const auto& pair) {
    return standing.contains(pair.first) != standing.contains(pair.second);
  });
  if (torn != options.pairs.end()) {
    const bool first = standing.contains(torn->first);
    return ended + ": " + torn->sentence + " (" + (first ? torn->first : torn->second) + " stands, " +
           (first ? torn->second : torn->first) + " does not)";
  }
  const auto often =
      std::find_if(options.single.begin(), options.single.end(), [&standing](const auto& step) {
        const auto found = standing.find(step);
        return found != standing.end() && found->second > 1;
      });
  if (often == options.single.end()) return {};
  return ended + ", and " + *often + " stands " + std::to_string(standing[*often]) + " times";
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
