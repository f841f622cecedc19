// A run with participants who do as their script says.
#include <algorithm>

#include "drive.hpp"
#include "skald/testing.hpp"

namespace skald::testing::detail {
namespace {

using engine::Event;
using engine::EventKind;

Reaction reaction_of(const Turn& turn, const Attempt& attempt) {
  Reaction reaction;
  reaction.latency = turn.latency;
  const bool undo = attempt.id.phase == engine::Phase::kCompensation;
  if (!undo)
    reaction.output = turn.output                               ? turn.output(attempt.input)
                      : attempt.step->example_output != nullptr ? attempt.step->example_output()
                                                                : "{}";
  switch (turn.kind) {
    case Turn::Kind::succeeds: break;
    case Turn::Kind::refuses:
      reaction.effect = Reaction::Effect::refused;
      reaction.failure = {turn.code, "scripted", Retry::never, false};
      break;
    case Turn::Kind::fails:
      reaction.effect = Reaction::Effect::not_now;
      reaction.failure = {turn.code, "scripted", Retry::allowed, false};
      break;
    case Turn::Kind::is_lost:
      reaction.effect = Reaction::Effect::none;
      reaction.answers = 0;
      break;
    case Turn::Kind::answer_is_lost: reaction.answers = 0; break;
  }
  return reaction;
}

/// A line of the log; empty: nothing an author counts.
std::string line_of(const Event& event) {
  std::string name = event.step;
  switch (event.kind) {
    case EventKind::kSucceeded: return name;
    case EventKind::kFailed:
      if (event.retry_at) return name + " failed";
      return name + (event.failure.unknown || event.failure.code == failure_code::kTimeout ? " timed out"
                                                                                           : " refused");
    case EventKind::kCompensated: return "undo " + name;
    case EventKind::kCompensationFailed: return "undo " + name + (event.retry_at ? " failed" : " refused");
    case EventKind::kFired: return "timer";
    case EventKind::kSignal: return "signal " + event.name;
    case EventKind::kCancel: return "cancelled";
    default: return {};
  }
}

Status status_of(SagaStatus status) {
  switch (status) {
    case SagaStatus::kCompleted: return Status::completed;
    case SagaStatus::kCompensated: return Status::compensated;
    case SagaStatus::kCancelled: return Status::cancelled;
    case SagaStatus::kStuck: return Status::stuck;
    default: return Status::waiting;
  }
}

std::string step_name(const Drive& drive, int ordinal) {
  for (const Event& event : drive.events())
    if (event.kind == EventKind::kStep && event.ordinal == ordinal) return event.step;
  return {};
}

Ending ending_of(const Drive& drive, std::vector<Ending::Sent> sent) {
  Ending ending;
  ending.status = status_of(drive.stored().row.status);
  ending.took = drive.elapsed();
  ending.defect = drive.defect();
  ending.sent = std::move(sent);
  for (Event& event : drive.events()) {
    if (event.step.empty() && event.ordinal > 0) event.step = step_name(drive, event.ordinal);
    if (std::string line = line_of(event); !line.empty()) ending.log.push_back(std::move(line));
    if (event.kind != EventKind::kEnded && event.kind != EventKind::kStuck) continue;
    ending.code = event.kind == EventKind::kStuck ? event.reason : event.failure.code;
    ending.message = event.failure.message;
    ending.output = event.data;
  }
  if (!ending.defect.empty()) {
    ending.status = Status::defect;
    ending.log.push_back("defect: " + ending.defect);
  }
  for (const Ledger::Entry* entry : drive.ledger().entries())
    if (entry->stands()) ending.standing.emplace_back(entry->step->name);
  return ending;
}

}  // namespace

Ending run_script(const SagaDefinition& definition, const Script& script, const std::string& saga_id,
                  const std::string& input) {
  std::map<std::pair<std::string, engine::Phase>, std::size_t> turns;  // by key
  std::vector<Ending::Sent> sent;
  Drive drive(definition, [&](const Attempt& attempt) -> std::optional<Reaction> {
    const bool undo = attempt.id.phase == engine::Phase::kCompensation;
    sent.push_back({std::string(attempt.step->name), undo, attempt.id.attempt, attempt.input});
    const auto found = script.steps.find(std::string(attempt.step->name));
    static const std::vector<Turn> kNone;
    const auto& all = found == script.steps.end() ? kNone
                      : undo                      ? found->second.compensation
                                                  : found->second.action;
    if (all.empty()) return reaction_of({}, attempt);
    std::size_t& turn = turns[{attempt.key, attempt.id.phase}];
    return reaction_of(all[std::min(turn++, all.size() - 1)], attempt);
  });
  std::size_t number = 0;
  for (const ScriptedSignal& signal : script.signals)
    drive.plan(signal.after,
               engine::SignalInput{signal.name, "/test", std::to_string(++number), signal.data, false},
               signal.name);
  if (script.cancel_after)
    drive.plan(*script.cancel_after,
               engine::OperatorAction{engine::OperatorVerb::cancel, 0, 0, {}, "test", "the test says so"},
               "cancel");
  static_cast<void>(drive.run(saga_id, input));
  return ending_of(drive, std::move(sent));
}

}  // namespace skald::testing::detail
