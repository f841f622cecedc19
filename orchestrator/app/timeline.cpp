// Histories and lists as text; see timeline.hpp. Everything foreign is escaped: a payload cannot paint the terminal.
#include "app/timeline.hpp"

#include <algorithm>

#include "app/config_text.hpp"
#include "engine/event.hpp"
#include "wire/cloud_events.hpp"

namespace skald::app {
namespace {

using engine::Event;
using engine::EventKind;

constexpr std::size_t kDataWidth = 100;

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

std::string right(const std::string& text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::string clock_time(Time time) { return wire::format_time(time).substr(11, 12); }

std::string step_of(const Event& event) {
  return "step " + std::to_string(event.ordinal) + (event.step.empty() ? "" : " " + printable(event.step));
}

std::string attempt_of(const Event& event) {
  return event.attempt > 1 ? ", attempt " + std::to_string(event.attempt) : "";
}

std::string due_of(const Event& event) {
  std::string text;
  if (event.until) text += ", attempt due " + clock_time(*event.until);
  if (event.close) text += ", due " + wire::format_time(*event.close);
  return text;
}

std::string held_of(const Event& event) {
  return event.held ? ", held: " + printable(event.step) + " is paused" : "";
}

std::string failure_of(const Event& event) {
  if (event.failure.code.empty()) return "";
  return ": " + printable(event.failure.what(), 300) + (event.failure.unknown ? " (outcome unknown)" : "");
}

std::string again_of(const Event& event, const char* final_words) {
  return event.retry_at ? ", again at " + clock_time(*event.retry_at) : final_words;
}

std::string reset_of(const Event& event) {
  if (event.to == 0) return "";
  return " to transition " + std::to_string(event.to) +
         (event.keeps ? ", what took effect since is kept" : ", what took effect since is compensated");
}

std::string described(const Event& event) {
  switch (event.kind) {
    case EventKind::kStarted:
      return "started" + (event.why.empty() ? "" : " by " + printable(event.why)) + due_of(event);
    case EventKind::kParent:
      return event.phase == wire::Phase::kCompensation ? "its parent rolls back: " + printable(event.id, 255)
                                                       : "its parent asks again: " + printable(event.id, 255);
    case EventKind::kSucceeded: return step_of(event) + " succeeded" + attempt_of(event);
    case EventKind::kFailed:
      return step_of(event) + " failed" + attempt_of(event) + failure_of(event) +
             again_of(event, ", for good");
    case EventKind::kAttempt:
      return step_of(event) + (event.phase == wire::Phase::kCompensation ? " compensation" : "") +
             (event.attempt > 1 ? " sent again" : " sent") + attempt_of(event) + due_of(event);
    case EventKind::kLateSuccess: return step_of(event) + " succeeded late: will be compensated";
    case EventKind::kCompensated: return step_of(event) + " compensated" + attempt_of(event);
    case EventKind::kCompensationFailed:
      return step_of(event) + " compensation failed" + attempt_of(event) + failure_of(event) +
             again_of(event, ", refused");
    case EventKind::kTimer:
      return "timer " + std::to_string(event.ordinal) + " until " +
             wire::format_time(event.until.value_or(Time{}));
    case EventKind::kSignal: return "signal " + printable(event.name) + " from " + printable(event.who);
    case EventKind::kUpdate: return "update " + printable(event.name) + " from " + printable(event.who);
    case EventKind::kAnswered: return "answered";
    case EventKind::kCancel:
      return "cancelled" + (event.who.empty()
                                ? failure_of(event)
                                : " by " + printable(event.who) + ", because " + printable(event.why, 300));
    case EventKind::kRecorded: return "recorded " + printable(event.name);
    case EventKind::kPatched: return "has patch " + printable(event.name);
    case EventKind::kAbandoned: return step_of(event) + " given up by the saga";
    case EventKind::kHeartbeat: return step_of(event) + " lives" + attempt_of(event);
    case EventKind::kDeferred:
      return step_of(event) + " is left to be completed by its token" + attempt_of(event);
    case EventKind::kFired: return "timer " + std::to_string(event.ordinal) + " fired";
    case EventKind::kOperator:
      return "operator " + printable(event.who) + ": " + event.reason + reset_of(event) +
             (event.why.empty() ? "" : ", because " + printable(event.why, 300));
    case EventKind::kStep:
      if (event.again) return step_of(event) + " counts as done: it took effect before the reset";
      return step_of(event) + " scheduled" + (event.pivot ? " (pivot)" : "") +
             (event.id.empty() ? "" : " as child saga " + printable(event.id, 255)) + held_of(event) +
             due_of(event);
    case EventKind::kResumed: return "goes on from transition " + std::to_string(event.to);
    case EventKind::kCarried: return "carries on from the run before";
    case EventKind::kContinued: return "continues as new";
    case EventKind::kReturned: return "the saga's code returned";
    case EventKind::kThrew: return "the saga's code failed" + failure_of(event);
    case EventKind::kRollback: return "rolls back" + failure_of(event);
    case EventKind::kCompensating: return step_of(event) + " compensation scheduled" + held_of(event);
    case EventKind::kStuck:
      return "STUCK: " + printable(event.reason) +
             (event.failure.message.empty() ? "" : ": " + printable(event.failure.message, 300));
    case EventKind::kEnded: return "ended: " + event.reason + failure_of(event);
  }
  return "";
}

/// An operator holds it: the last word on that in its history.
bool is_paused(const StoredSaga& saga) {
  if (is_ended(saga.row.status)) return false;
  for (auto row = saga.history.rbegin(); row != saga.history.rend(); ++row) {
    const auto entry = engine::read_entry(row->events);
    if (!entry) continue;
    for (const Event& event : entry->events)
      if (event.kind == EventKind::kOperator && (event.reason == "pause" || event.reason == "resume"))
        return event.reason == "pause";
  }
  return false;
}

std::string why_stuck(const SagaRow& row) {
  return printable(row.stuck_reason) + (row.stuck_step.empty() ? "" : " at " + printable(row.stuck_step));
}

std::string head(const StoredSaga& saga) {
  const SagaRow& row = saga.row;
  std::string text = row.address.definition + " " + printable(row.address.saga_id, 255) + "   " +
                     std::string(to_string(row.status));
  if (!row.stuck_reason.empty()) text += " (" + why_stuck(row) + ")";
  if (is_paused(saga)) text += ", paused";
  text += "   revision " + std::to_string(row.revision) + ", sequence " + std::to_string(row.sequence) + "\n";
  text += "started " + wire::format_time(row.started_at);
  if (row.ended_at)
    text += ", ended " + wire::format_time(*row.ended_at) + " after " +
            format_span(*row.ended_at - row.started_at);
  else if (row.wake_at != kNever && row.status != SagaStatus::kStuck)
    text += ", looked at again by " + wire::format_time(row.wake_at);
  return text + "\n\n";
}

}  // namespace

std::string format_span(std::chrono::milliseconds span) {
  const std::int64_t ms = std::max<std::int64_t>(span.count(), 0);
  const auto pair = [](std::int64_t big, const char* big_unit, std::int64_t small, const char* small_unit) {
    return std::to_string(big) + big_unit + (small == 0 ? "" : " " + std::to_string(small) + small_unit);
  };
  if (ms < 1'000) return std::to_string(ms) + "ms";
  if (ms < 60'000) return std::to_string(ms / 1000) + "." + std::to_string(ms % 1000 / 100) + "s";
  if (ms < 3'600'000) return pair(ms / 60'000, "m", ms % 60'000 / 1000, "s");
  if (ms < 86'400'000) return pair(ms / 3'600'000, "h", ms % 3'600'000 / 60'000, "m");
  return pair(ms / 86'400'000, "d", ms % 86'400'000 / 3'600'000, "h");
}

std::string timeline(const StoredSaga& saga) {
  if (saga.history_removed()) return head(saga) + "Its history was removed (runtime.history_retention).\n";
  std::string text =
      head(saga) + right("#", 4) + "  " + padded("time (UTC)", 12) + right("+", 9) + "  event\n";
  Time before = saga.row.started_at;
  std::string build;
  for (const HistoryRow& row : saga.history) {
    const std::string number = right(std::to_string(row.sequence), 4);
    const auto entry = engine::read_entry(row.events);
    if (!entry) {
      text += number + "  unreadable: " + printable(entry.error().message, 300) + "\n";
      continue;
    }
    std::string front =
        number + "  " + clock_time(entry->at) + right("+" + format_span(entry->at - before), 9) + "  ";
    before = entry->at;
    if (!entry->build.empty() && entry->build != build) {
      if (!build.empty()) text += std::string(29, ' ') + "(build " + printable(entry->build) + ")\n";
      build = entry->build;
    }
    for (const Event& event : entry->events) {
      text += front + described(event);
      if (!event.data.empty()) text += "  " + printable(event.data, kDataWidth);
      text += "\n";
      front.assign(front.size(), ' ');
    }
  }
  return text;
}

std::string saga_table(const std::vector<SagaRow>& rows, Time now) {
  std::size_t definition_width = 10, id_width = 2;
  for (const SagaRow& row : rows) {
    definition_width = std::max(definition_width, row.address.definition.size());
    id_width = std::max(id_width, std::min<std::size_t>(row.address.saga_id.size(), 60));
  }
  const auto line = [&](const std::string& definition, const std::string& id, const std::string& status,
                        const std::string& sequence, const std::string& started, const std::string& took) {
    return padded(definition, definition_width + 2) + padded(id, id_width + 2) + padded(status, 14) +
           right(sequence, 5) + "  " + padded(started, 26) + took + "\n";
  };
  std::string text = line("DEFINITION", "ID", "STATUS", "SEQ", "STARTED", "TOOK");
  for (const SagaRow& row : rows) {
    const std::string took = row.ended_at ? format_span(*row.ended_at - row.started_at)
                                          : "open for " + format_span(now - row.started_at);
    text +=
        line(row.address.definition, printable(row.address.saga_id, 255), std::string(to_string(row.status)),
             std::to_string(row.sequence), wire::format_time(row.started_at),
             took + (row.stuck_reason.empty() ? "" : "  " + why_stuck(row)));
  }
  return text;
}

}  // namespace skald::app
