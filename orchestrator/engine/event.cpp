// The text form of history. Keys that carry their default are left out, and so is a payload that the event before it in
// the row has as well; unknown keys are refused, since a build that does not know a key cannot judge what it changes.
#include "engine/event.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "skald/json.hpp"
#include "wire/checksum.hpp"

namespace skald::engine {
namespace {

constexpr std::array<std::pair<EventKind, std::string_view>, 15> kNames{{
    {EventKind::kStarted, "started"},
    {EventKind::kSucceeded, "succeeded"},
    {EventKind::kFailed, "failed"},
    {EventKind::kAttempt, "attempt"},
    {EventKind::kLateSuccess, "late_success"},
    {EventKind::kCompensated, "compensated"},
    {EventKind::kCompensationFailed, "compensation_failed"},
    {EventKind::kOperator, "operator"},
    {EventKind::kStep, "step"},
    {EventKind::kReturned, "returned"},
    {EventKind::kThrew, "threw"},
    {EventKind::kRollback, "rollback"},
    {EventKind::kCompensating, "compensating"},
    {EventKind::kStuck, "stuck"},
    {EventKind::kEnded, "ended"},
}};

std::int64_t to_number(Time time) { return time.time_since_epoch().count(); }
Time to_time(std::int64_t number) { return Time{std::chrono::milliseconds{number}}; }

void write_text(json::Writer& writer, std::string_view key, const std::string& text) {
  if (text.empty()) return;
  writer.key(key);
  writer.string(text);
}

void write_time(json::Writer& writer, std::string_view key, const std::optional<Time>& time) {
  if (!time) return;
  writer.key(key);
  writer.integer(to_number(*time));
}

void write_number(json::Writer& writer, std::string_view key, std::int64_t number) {
  if (number == 0) return;
  writer.key(key);
  writer.integer(number);
}

void write_flag(json::Writer& writer, std::string_view key, bool flag) {
  if (!flag) return;
  writer.key(key);
  writer.boolean(true);
}

/// `before`: the payload written last in this row.
void write_event(std::string& text, const Event& event, std::string_view before) {
  json::Writer writer;
  writer.begin_object();
  writer.key("type");
  writer.string(to_string(event.kind));
  write_number(writer, "ordinal", event.ordinal);
  write_text(writer, "step", event.step);
  write_number(writer, "attempt", event.attempt);
  write_flag(writer, "compensation", event.phase == wire::Phase::kCompensation);
  write_flag(writer, "pivot", event.pivot);
  write_flag(writer, "code_ran", event.code_ran);
  write_text(writer, "code", event.failure.code);
  write_text(writer, "message", event.failure.message);
  write_flag(writer, "final", event.failure.retry == Retry::never);
  write_flag(writer, "unknown", event.failure.unknown);
  write_time(writer, "until", event.until);
  write_time(writer, "close", event.close);
  write_time(writer, "retry_at", event.retry_at);
  write_number(writer, "runner", event.runner);
  write_text(writer, "reason", event.reason);
  write_text(writer, "who", event.who);
  write_text(writer, "why", event.why);
  write_text(writer, "traceparent", event.trace.traceparent);
  write_text(writer, "tracestate", event.trace.tracestate);
  write_text(writer, "baggage", event.trace.baggage);
  const bool same = !event.data.empty() && event.data == before;
  write_flag(writer, "same", same);
  if (!same) write_number(writer, "bytes", static_cast<std::int64_t>(event.data.size()));
  writer.end_object();
  text += writer.take();
  text += '\n';
  if (event.data.empty() || same) return;
  text += event.data;
  text += '\n';
}

Error damaged(std::size_t line, const std::string& why) {
  return Error{ErrorKind::kInvalid, "SKALD-423", "history line " + std::to_string(line) + ": " + why};
}

/// Where an event's payload is: after its line, or the one before it.
struct Payload {
  std::size_t bytes = 0;
  bool same = false;
};

/// Reads one event's object; what it lacks keeps its default.
class EventReader {
 public:
  Result<void> read(json::Value object, Event& event, Payload& payload) {
    for (std::size_t index = 0; index < object.size(); ++index)
      if (!read_member(object.member_name(index), object.member_value(index), event, payload))
        return Error{
            ErrorKind::kInvalid, "SKALD-423",
            "key \"" + std::string(object.member_name(index)) + "\" is not known or has a wrong value"};
    return {};
  }

 private:
  static bool read_kind(json::Value value, EventKind& kind) {
    for (const auto& [known, name] : kNames)
      if (value.kind() == json::Value::Kind::kString && value.as_string() == name) return kind = known, true;
    return false;
  }

  static bool text(json::Value value, std::string& into) {
    if (value.kind() != json::Value::Kind::kString) return false;
    into = value.as_string();
    return true;
  }
  template <class Number>
  static bool number(json::Value value, Number& into) {
    const auto read = value.as_int64();
    if (!read || !std::in_range<Number>(*read)) return false;
    into = static_cast<Number>(*read);
    return true;
  }
  static bool time(json::Value value, std::optional<Time>& into) {
    const auto read = value.as_int64();
    if (!read) return false;
    into = to_time(*read);
    return true;
  }

  static bool read_member(std::string_view key, json::Value value, Event& event, Payload& payload) {
    if (key == "type") return read_kind(value, event.kind);
    if (key == "ordinal") return number(value, event.ordinal);
    if (key == "step") return text(value, event.step);
    if (key == "attempt") return number(value, event.attempt);
    if (key == "compensation") return event.phase = wire::Phase::kCompensation, true;
    if (key == "pivot") return event.pivot = true, true;
    if (key == "code_ran") return event.code_ran = true, true;
    if (key == "code") return text(value, event.failure.code);
    if (key == "message") return text(value, event.failure.message);
    if (key == "final") return event.failure.retry = Retry::never, true;
    if (key == "unknown") return event.failure.unknown = true, true;
    if (key == "until") return time(value, event.until);
    if (key == "close") return time(value, event.close);
    if (key == "retry_at") return time(value, event.retry_at);
    if (key == "runner") return number(value, event.runner);
    if (key == "reason") return text(value, event.reason);
    if (key == "who") return text(value, event.who);
    if (key == "why") return text(value, event.why);
    if (key == "traceparent") return text(value, event.trace.traceparent);
    if (key == "tracestate") return text(value, event.trace.tracestate);
    if (key == "baggage") return text(value, event.trace.baggage);
    if (key == "bytes") return number(value, payload.bytes);
    if (key == "same") return payload.same = true, true;
    return false;
  }
};

constexpr std::size_t kSealBytes = 10;

/// The row's last line: '#' and the CRC-32C of all before it, in eight hexadecimal digits.
std::string seal(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  const std::uint32_t checksum = wire::crc32c(text);
  std::string line = "#";
  for (int shift = 28; shift >= 0; shift -= 4) line += kDigits[(checksum >> shift) & 15U];
  return line + '\n';
}

/// Takes lines and payloads off the front of a row's text.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool done() const { return rest_.empty(); }
  [[nodiscard]] std::size_t line() const { return line_; }

  std::optional<std::string_view> next_line() {
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    return take(end);
  }
  std::optional<std::string_view> next_bytes(std::size_t count) {
    if (count >= rest_.size() || rest_[count] != '\n') return std::nullopt;
    return take(count);
  }

 private:
  std::string_view take(std::size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count + 1);
    ++line_;
    return taken;
  }

  std::string_view rest_;
  std::size_t line_ = 0;
};

Result<void> read_head(LineReader& reader, HistoryEntry& entry) {
  const auto line = reader.next_line();
  if (!line) return damaged(1, "no head line");
  const auto head = json::Document::parse(*line);
  if (!head) return damaged(1, head.error().message);
  if (head->root().kind() != json::Value::Kind::kObject) return damaged(1, "the head is not an object");
  const auto at = head->root().find("at");
  if (!at || !at->as_int64()) return damaged(1, "the head has no time");
  entry.at = to_time(*at->as_int64());
  const auto build = head->root().find("build");
  if (build && build->kind() == json::Value::Kind::kString) entry.build = build->as_string();
  return {};
}

Result<Event> read_event(LineReader& reader, std::string_view& before) {
  const auto line = reader.next_line();
  if (!line) return damaged(reader.line() + 1, "ends in the middle of a line");
  const auto object = json::Document::parse(*line);
  if (!object) return damaged(reader.line(), object.error().message);
  if (object->root().kind() != json::Value::Kind::kObject) return damaged(reader.line(), "not an object");
  Event event;
  Payload payload;
  if (auto read = EventReader().read(object->root(), event, payload); !read)
    return damaged(reader.line(), read.error().message);
  if (payload.same && (before.empty() || payload.bytes > 0))
    return damaged(reader.line(), "there is no payload before it that it could share");
  if (payload.same) event.data = before;
  if (payload.bytes == 0) return event;
  const auto data = reader.next_bytes(payload.bytes);
  if (!data)
    return damaged(reader.line() + 1, "the payload is not " + std::to_string(payload.bytes) + " bytes long");
  event.data = before = *data;
  return event;
}

}  // namespace

std::string_view to_string(EventKind kind) {
  for (const auto& [known, name] : kNames)
    if (known == kind) return name;
  return "unknown";
}

EventOrigin origin_of(EventKind kind) {
  if (kind < EventKind::kStep) return EventOrigin::kInbound;
  return kind < EventKind::kRollback ? EventOrigin::kCode : EventOrigin::kRule;
}

std::string write_entry(const HistoryEntry& entry) {
  json::Writer head;
  head.begin_object();
  head.key("at");
  head.integer(to_number(entry.at));
  write_text(head, "build", entry.build);
  head.end_object();
  std::string text = head.take();
  text += '\n';
  std::string_view before;
  for (const Event& event : entry.events) {
    write_event(text, event, before);
    if (!event.data.empty()) before = event.data;
  }
  text += seal(text);
  return text;
}

Result<HistoryEntry> read_entry(std::string_view text) {
  if (text.size() < kSealBytes) return damaged(1, "too short to hold its checksum");
  const std::string_view sealed = text.substr(text.size() - kSealBytes);
  text.remove_suffix(kSealBytes);
  if (sealed != seal(text)) return damaged(1, "the row does not match its checksum");
  LineReader reader(text);
  std::string_view before;
  HistoryEntry entry;
  if (auto head = read_head(reader, entry); !head) return head.error();
  while (!reader.done()) {
    auto event = read_event(reader, before);
    if (!event) return event.error();
    entry.events.push_back(std::move(event).value());
  }
  return entry;
}

}  // namespace skald::engine
