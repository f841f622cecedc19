// The text form of history. Keys that carry their default are left out, and so is a payload that the event before it in
// the row has as well; unknown keys are refused, since a build that does not know a key cannot judge what it changes.
#include "engine/event.hpp"

#include <array>
#include <utility>

#include "engine/line_object.hpp"
#include "skald/json.hpp"
#include "wire/checksum.hpp"

namespace skald::engine {
namespace {

constexpr std::array<std::pair<EventKind, std::string_view>, 30> kNames{{
    {EventKind::kStarted, "started"},
    {EventKind::kSucceeded, "succeeded"},
    {EventKind::kFailed, "failed"},
    {EventKind::kAttempt, "attempt"},
    {EventKind::kLateSuccess, "late_success"},
    {EventKind::kCompensated, "compensated"},
    {EventKind::kCompensationFailed, "compensation_failed"},
    {EventKind::kHeartbeat, "heartbeat"},
    {EventKind::kDeferred, "deferred"},
    {EventKind::kFired, "fired"},
    {EventKind::kCarried, "carried"},
    {EventKind::kSignal, "signal"},
    {EventKind::kUpdate, "update"},
    {EventKind::kAnswered, "answered"},
    {EventKind::kParent, "parent"},
    {EventKind::kCancel, "cancel"},
    {EventKind::kResumed, "resumed"},
    {EventKind::kOperator, "operator"},
    {EventKind::kStep, "step"},
    {EventKind::kTimer, "timer"},
    {EventKind::kRecorded, "recorded"},
    {EventKind::kPatched, "patched"},
    {EventKind::kAbandoned, "abandoned"},
    {EventKind::kReturned, "returned"},
    {EventKind::kContinued, "continued"},
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
  write_text(writer, "name", event.name);
  write_text(writer, "id", event.id);
  write_text(writer, "reply_to", event.reply_to);
  write_text(writer, "root", event.root);
  write_number(writer, "depth", event.depth);
  write_number(writer, "group", event.group);
  write_flag(writer, "held", event.held);
  write_flag(writer, "keeps_completed", event.keeps_completed);
  write_flag(writer, "again", event.again);
  write_number(writer, "to", event.to);
  write_flag(writer, "keeps", event.keeps);
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

/// Reads one event's members; what it lacks keeps its default.
class EventReader {
 public:
  static Result<void> read(const LineObject& object, Event& event, Payload& payload) {
    for (const LineMember& member : object.members())
      if (!read_member(member, event, payload))
        return Error{ErrorKind::kRefused, "SKALD-423",
                     "key \"" + std::string(member.name) + "\" is not known or has a wrong value"};
    return {};
  }

 private:
  static bool read_kind(const LineMember& member, EventKind& kind) {
    for (const auto& [known, name] : kNames)
      if (member.kind == json::Kind::kString && member.text == name) return kind = known, true;
    return false;
  }

  static bool text(const LineMember& member, std::string& into) {
    if (member.kind != json::Kind::kString) return false;
    into = member.text;
    return true;
  }
  template <class Number>
  static bool number(const LineMember& member, Number& into) {
    const auto read = member.number();
    if (!read || !std::in_range<Number>(*read)) return false;
    into = static_cast<Number>(*read);
    return true;
  }
  static bool time(const LineMember& member, std::optional<Time>& into) {
    const auto read = member.number();
    if (!read) return false;
    into = to_time(*read);
    return true;
  }

  static bool read_member(const LineMember& member, Event& event, Payload& payload) {
    const std::string_view key = member.name;
    if (key == "type") return read_kind(member, event.kind);
    if (key == "ordinal") return number(member, event.ordinal);
    if (key == "step") return text(member, event.step);
    if (key == "name") return text(member, event.name);
    if (key == "id") return text(member, event.id);
    if (key == "reply_to") return text(member, event.reply_to);
    if (key == "root") return text(member, event.root);
    if (key == "depth") return number(member, event.depth);
    if (key == "group") return number(member, event.group);
    if (key == "held") return event.held = true, true;
    if (key == "keeps_completed") return event.keeps_completed = true, true;
    if (key == "again") return event.again = true, true;
    if (key == "to") return number(member, event.to);
    if (key == "keeps") return event.keeps = true, true;
    if (key == "attempt") return number(member, event.attempt);
    if (key == "compensation") return event.phase = wire::Phase::kCompensation, true;
    if (key == "pivot") return event.pivot = true, true;
    if (key == "code_ran") return event.code_ran = true, true;
    if (key == "code") return text(member, event.failure.code);
    if (key == "message") return text(member, event.failure.message);
    if (key == "final") return event.failure.retry = Retry::never, true;
    if (key == "unknown") return event.failure.unknown = true, true;
    if (key == "until") return time(member, event.until);
    if (key == "close") return time(member, event.close);
    if (key == "retry_at") return time(member, event.retry_at);
    if (key == "runner") return number(member, event.runner);
    if (key == "reason") return text(member, event.reason);
    if (key == "who") return text(member, event.who);
    if (key == "why") return text(member, event.why);
    if (key == "traceparent") return text(member, event.trace.traceparent);
    if (key == "tracestate") return text(member, event.trace.tracestate);
    if (key == "baggage") return text(member, event.trace.baggage);
    if (key == "bytes") return number(member, payload.bytes);
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

Result<void> read_head(LineReader& reader, LineObject& object, HistoryEntry& entry) {
  const auto line = reader.next_line();
  if (!line) return damaged(1, "no head line");
  if (auto read = object.read(*line); !read) return damaged(1, read.error().message);
  std::optional<std::int64_t> at;
  for (const LineMember& member : object.members()) {
    if (member.name == "at") at = member.number();
    if (member.name == "build" && member.kind == json::Kind::kString) entry.build = member.text;
  }
  if (!at) return damaged(1, "the head has no time");
  entry.at = to_time(*at);
  return {};
}

Result<void> read_event(LineReader& reader, LineObject& object, std::string_view& before, Event& event) {
  const auto line = reader.next_line();
  if (!line) return damaged(reader.line() + 1, "ends in the middle of a line");
  if (auto read = object.read(*line); !read) return damaged(reader.line(), read.error().message);
  Payload payload;
  if (auto read = EventReader::read(object, event, payload); !read) {
    Error error = damaged(reader.line(), read.error().message);
    error.kind = read.error().kind;
    return error;
  }
  if (payload.same && (before.empty() || payload.bytes > 0))
    return damaged(reader.line(), "there is no payload before it that it could share");
  if (payload.same) event.data = before;
  if (payload.bytes == 0) return {};
  const auto data = reader.next_bytes(payload.bytes);
  if (!data)
    return damaged(reader.line() + 1, "the payload is not " + std::to_string(payload.bytes) + " bytes long");
  event.data = before = *data;
  return {};
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
  LineObject object;
  std::string_view before;
  HistoryEntry entry;
  if (auto head = read_head(reader, object, entry); !head) return head.error();
  constexpr std::size_t kUsualEvents = 3;
  entry.events.reserve(kUsualEvents);
  while (!reader.done())
    if (auto read = read_event(reader, object, before, entry.events.emplace_back()); !read)
      return read.error();
  return entry;
}

}  // namespace skald::engine
