// Writing of sagas and events; see saga_view.hpp.
#include "api/saga_view.hpp"

#include "engine/event.hpp"
#include "wire/cloud_events.hpp"

namespace skald::api {
namespace {

void text_member(json::Writer& writer, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  writer.key(name);
  writer.string(value);
}

void time_member(json::Writer& writer, std::string_view name, const std::optional<Time>& time) {
  if (!time || *time == kNever) return;
  writer.key(name);
  writer.string(wire::format_time(*time));
}

void number_member(json::Writer& writer, std::string_view name, std::int64_t value) {
  if (value == 0) return;
  writer.key(name);
  writer.integer(value);
}

void write_event(json::Writer& writer, const engine::Event& event) {
  writer.begin_object();
  text_member(writer, "type", engine::to_string(event.kind));
  number_member(writer, "ordinal", event.ordinal);
  text_member(writer, "step", event.step);
  text_member(writer, "name", event.name);
  using engine::EventKind;
  const bool of_child = event.kind == EventKind::kStep;
  const bool of_parent = event.kind == EventKind::kStarted || event.kind == EventKind::kParent;
  text_member(writer, of_child ? "child_id" : of_parent ? "parent_command" : "message_id", event.id);
  number_member(writer, "attempt", event.attempt);
  if (event.phase == wire::Phase::kCompensation) text_member(writer, "phase", "compensation");
  if (event.pivot) {
    writer.key("pivot");
    writer.boolean(true);
  }
  if (event.held) {
    writer.key("held");
    writer.boolean(true);
  }
  if (!event.failure.code.empty()) {
    writer.key("failure");
    writer.begin_object();
    text_member(writer, "code", event.failure.code);
    text_member(writer, "message", event.failure.message);
    writer.end_object();
  }
  text_member(writer, "reason", event.reason);
  text_member(writer, "who", event.who);
  text_member(writer, "why", event.why);
  time_member(writer, event.kind == engine::EventKind::kTimer ? "due" : "attempt_due", event.until);
  time_member(writer, "due", event.close);
  time_member(writer, "retry_at", event.retry_at);
  number_member(writer, "runner", event.runner);
  if (!event.data.empty()) {
    writer.key("data");
    if (auto document = json::Document::parse(event.data))
      writer.raw(document->root().text());
    else
      writer.string(event.data);
  }
  writer.end_object();
}

/// The step at which it stands; 0 for none. The last row says so, or the row that an operator's action followed.
int stuck_ordinal(const StoredSaga& saga) {
  for (auto row = saga.history.rbegin(); row != saga.history.rend(); ++row) {
    const auto entry = engine::read_entry(row->events);
    if (!entry) continue;
    for (auto event = entry->events.rbegin(); event != entry->events.rend(); ++event)
      if (event->kind == engine::EventKind::kStuck) return event->ordinal;
  }
  return 0;
}

}  // namespace

std::optional<SagaStatus> parse_status(std::string_view text) {
  for (const SagaStatus status :
       {SagaStatus::kRunning, SagaStatus::kRollingBack, SagaStatus::kStuck, SagaStatus::kCompleted,
        SagaStatus::kCompensated, SagaStatus::kCancelled, SagaStatus::kTerminated})
    if (to_string(status) == text) return status;
  return std::nullopt;
}

void write_saga(json::Writer& writer, const SagaRow& row) {
  text_member(writer, "definition", row.address.definition);
  text_member(writer, "id", row.address.saga_id);
  text_member(writer, "status", to_string(row.status));
  text_member(writer, "stuck_reason", row.stuck_reason);
  text_member(writer, "stuck_step", row.stuck_step);
  number_member(writer, "revision", row.revision);
  writer.key("sequence");
  writer.integer(row.sequence);
  time_member(writer, "started_at", row.started_at);
  time_member(writer, "ended_at", row.ended_at);
  if (!is_ended(row.status)) time_member(writer, "wakes_at", row.wake_at);
  writer.key("key");  // as text: it does not fit the numbers of JavaScript
  writer.string(std::to_string(row.key));
}

std::string saga_json(const StoredSaga& saga) {
  json::Writer writer;
  writer.begin_object();
  write_saga(writer, saga.row);
  if (saga.row.status == SagaStatus::kStuck) number_member(writer, "stuck_ordinal", stuck_ordinal(saga));
  writer.key("history");
  writer.begin_array();
  for (const HistoryRow& row : saga.history) {
    writer.begin_object();
    writer.key("sequence");
    writer.integer(row.sequence);
    if (const auto entry = engine::read_entry(row.events)) {
      time_member(writer, "at", entry->at);
      text_member(writer, "build", entry->build);
      writer.key("events");
      writer.begin_array();
      for (const engine::Event& event : entry->events) write_event(writer, event);
      writer.end_array();
    } else {
      text_member(writer, "unreadable", entry.error().message);
    }
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
  return writer.take();
}

void write_position(json::Writer& writer, const std::string& database, const Position& position) {
  writer.begin_object();
  if (!database.empty()) {
    writer.key("database");
    writer.string(database);
  }
  writer.key("topic");
  writer.string(position.partition.topic);
  writer.key("partition");
  writer.integer(position.partition.partition);
  writer.key("next_offset");
  writer.integer(position.next_offset);
  writer.key("last_offset");
  writer.integer(position.last_offset);
  writer.key("last_timestamp");
  writer.string(wire::format_time(position.last_timestamp));
  writer.end_object();
}

}  // namespace skald::api
