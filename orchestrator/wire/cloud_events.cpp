// Attributes to headers and back. Reading makes one pass over the headers, so of a header given twice the
// last one counts; every attribute is checked against its whitelist before anything else sees it.
#include "wire/cloud_events.hpp"

#include <algorithm>
#include <charconv>

#include "wire/payload.hpp"

namespace skald::wire {
namespace {

constexpr std::string_view kStructuredType = "application/cloudevents+json";
constexpr std::string_view kSucceeded = ".succeeded";
constexpr std::string_view kFailed = ".failed";
constexpr std::string_view kHeartbeat = ".heartbeat";
constexpr std::string_view kCancel = "cancel";

/// The attributes Skald knows, as views into the record's headers.
struct Attributes {
  std::optional<std::string_view> specversion, id, type, source, subject, time, expirytime;
  std::optional<std::string_view> correlationid, causationid, idempotencykey, sagaphase, sagaattempt,
      sagareplyto, sagachild, sagachildid, sagaroot, sagadepth, sagaparentclose, sagacheckpoint;
};

struct Known {
  std::string_view header;
  std::optional<std::string_view> Attributes::*field;
};
constexpr Known kKnown[] = {
    {"ce_specversion", &Attributes::specversion},
    {"ce_id", &Attributes::id},
    {"ce_type", &Attributes::type},
    {"ce_source", &Attributes::source},
    {"ce_subject", &Attributes::subject},
    {"ce_time", &Attributes::time},
    {"ce_expirytime", &Attributes::expirytime},
    {"ce_correlationid", &Attributes::correlationid},
    {"ce_causationid", &Attributes::causationid},
    {"ce_idempotencykey", &Attributes::idempotencykey},
    {"ce_sagaphase", &Attributes::sagaphase},
    {"ce_sagaattempt", &Attributes::sagaattempt},
    {"ce_sagareplyto", &Attributes::sagareplyto},
    {"ce_sagachild", &Attributes::sagachild},
    {"ce_sagachildid", &Attributes::sagachildid},
    {"ce_sagaroot", &Attributes::sagaroot},
    {"ce_sagadepth", &Attributes::sagadepth},
    {"ce_sagaparentclose", &Attributes::sagaparentclose},
    {"ce_sagacheckpoint", &Attributes::sagacheckpoint},
};

Attributes attributes_of(const Record& record) {
  Attributes attributes;
  for (const auto& header : record.headers)
    for (const auto& known : kKnown)
      if (header.name == known.header) attributes.*known.field = header.value;
  return attributes;
}

Error wrong(std::string_view attribute, std::string_view what) {
  return {ErrorKind::kInvalid, kCodeAttribute, std::string(attribute) + ": " + std::string(what)};
}

/// Missing and outside the whitelist are told apart; the value itself is never repeated in the message.
template <class Check>
Result<std::string> required(std::string_view name, std::optional<std::string_view> value, Check is_valid) {
  if (!value) return wrong(name, "missing");
  if (!is_valid(*value)) return wrong(name, "not allowed: wrong characters or length");
  return std::string(*value);
}

/// Takes a Result's value into `target`, or keeps the first error.
class Reading {
 public:
  template <class T, class Target>
  void take(Result<T> result, Target& target) {
    if (error_) return;
    if (result)
      target = std::move(result).value();
    else
      error_ = result.error();
  }
  void check(const Result<void>& result) {
    if (!error_ && !result) error_ = result.error();
  }
  void refuse(Error error) {
    if (!error_) error_ = std::move(error);
  }
  [[nodiscard]] bool failed() const { return error_.has_value(); }
  [[nodiscard]] const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

bool is_valid_source(std::string_view source) { return is_valid_id(source); }

/// What every CloudEvent of ours has: version, id, source, saga id.
template <class Event>
void read_common(const Attributes& attributes, Event& event, Reading& reading) {
  if (attributes.specversion != "1.0") reading.refuse(wrong("ce_specversion", "must be 1.0"));
  reading.take(required("ce_id", attributes.id, is_valid_id), event.id);
  reading.take(required("ce_source", attributes.source, is_valid_source), event.source);
  const bool correlated = attributes.correlationid.has_value();
  reading.take(required(correlated ? "ce_correlationid" : "ce_subject",
                        correlated ? attributes.correlationid : attributes.subject, is_valid_saga_id),
               event.saga_id);
}

Result<void> read_value(const Record& record, std::string& data) {
  if (!record.value) return Error{ErrorKind::kInvalid, kCodePayload, "the value is null"};
  if (auto checked = check_payload(*record.value); !checked) return checked;
  data = *record.value;
  return {};
}

Result<int> read_count(std::string_view name, std::optional<std::string_view> text) {
  int count = 0;
  if (!text) return wrong(name, "missing");
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), count);
  if (error != std::errc{} || end != text->data() + text->size() || count < 1)
    return wrong(name, "not a number from 1");
  return count;
}

void read_child(const Attributes& attributes, Command& command, Reading& reading) {
  if (!attributes.sagachild) return;
  ChildTarget child;
  reading.take(required("ce_sagachild", attributes.sagachild, is_valid_name), child.definition);
  reading.take(required("ce_sagachildid", attributes.sagachildid, is_valid_saga_id), child.saga_id);
  reading.take(read_count("ce_sagadepth", attributes.sagadepth), child.depth);
  if (attributes.sagaroot)
    reading.take(required("ce_sagaroot", attributes.sagaroot, is_valid_id), child.root);
  child.keeps_completed = attributes.sagaparentclose == kCancel;
  command.child = std::move(child);
}

/// `prepare`: the record's limits, and structured mode brought into binary mode if need be.
Result<void> prepare(const Record& record, std::optional<Record>& converted) {
  if (auto limits = check_limits(record); !limits) return limits;
  const auto content_type = record.header("content-type");
  if (!content_type || !content_type->starts_with(kStructuredType)) return {};
  auto binary = to_binary_mode(record);
  if (!binary) return binary.error();
  converted = std::move(binary).value();
  return {};
}

bool is_printable(std::string_view text) {
  return text.size() <= kMaximumHeaderBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

void add_trace(const TraceContext& trace, std::vector<Header>& headers) {
  const auto add = [&headers](const char* name, const std::string& value) {
    if (!value.empty()) headers.push_back({name, value});
  };
  add("traceparent", trace.traceparent);
  add("tracestate", trace.tracestate);
  add("baggage", trace.baggage);
}

/// Headers every message of ours opens with; the key is the saga id.
template <class Event>
Message envelope(const Event& event, std::string topic, std::string type) {
  Message message;
  message.topic = std::move(topic);
  message.key = event.saga_id;
  auto& headers = message.headers;
  headers.reserve(18);
  headers.push_back({"ce_specversion", "1.0"});
  headers.push_back({"ce_id", event.id});
  headers.push_back({"ce_type", std::move(type)});
  headers.push_back({"ce_source", event.source});
  headers.push_back({"ce_subject", event.saga_id});
  headers.push_back({"ce_correlationid", event.saga_id});
  headers.push_back({"content-type", "application/json"});
  return message;
}

}  // namespace

Message to_message(const Command& command, std::string topic) {
  auto message = envelope(command, std::move(topic), command.step);
  auto& headers = message.headers;
  headers.push_back({"ce_idempotencykey", command.idempotency_key});
  headers.push_back({"ce_sagaphase", std::string(to_string(command.phase))});
  headers.push_back({"ce_sagaattempt", std::to_string(command.attempt)});
  headers.push_back({"ce_sagareplyto", command.reply_to});
  if (command.expiry) headers.push_back({"ce_expirytime", format_time(*command.expiry)});
  if (!command.checkpoint.empty()) headers.push_back({"ce_sagacheckpoint", command.checkpoint});
  if (command.child) {
    message.key = command.child->saga_id;
    headers.push_back({"ce_sagachild", command.child->definition});
    headers.push_back({"ce_sagachildid", command.child->saga_id});
    headers.push_back({"ce_sagadepth", std::to_string(command.child->depth)});
    if (!command.child->root.empty()) headers.push_back({"ce_sagaroot", command.child->root});
    if (command.child->keeps_completed) headers.push_back({"ce_sagaparentclose", std::string(kCancel)});
  }
  add_trace(command.trace, headers);
  message.value = command.data;
  message.command_id = command.id;
  return message;
}

Message to_message(const Reply& reply, std::string topic) {
  auto message = envelope(reply, std::move(topic),
                          reply.step + std::string(reply.heartbeat   ? kHeartbeat
                                                   : reply.succeeded ? kSucceeded
                                                                     : kFailed));
  message.headers.push_back({"ce_causationid", reply.causation_id});
  add_trace(reply.trace, message.headers);
  message.value = reply.succeeded || reply.heartbeat ? reply.data : write_failure(reply.failure);
  return message;
}

Message to_message(const OutcomeEvent& event, std::string topic) {
  auto message = envelope(event, std::move(topic), event.type);
  message.headers.push_back({"ce_time", format_time(event.time)});
  if (!event.root.empty()) message.headers.push_back({"ce_sagaroot", event.root});
  add_trace(event.trace, message.headers);
  message.value = event.data;
  return message;
}

Result<Command> command_from(const Record& record) {
  std::optional<Record> converted;
  if (auto prepared = prepare(record, converted); !prepared) return prepared.error();
  const Record& source = converted ? *converted : record;
  const auto attributes = attributes_of(source);
  Command command;
  Reading reading;
  read_common(attributes, command, reading);
  reading.take(required("ce_type", attributes.type, is_valid_name), command.step);
  reading.take(required("ce_idempotencykey", attributes.idempotencykey, is_valid_id),
               command.idempotency_key);
  reading.take(required("ce_sagareplyto", attributes.sagareplyto, is_valid_topic), command.reply_to);
  reading.take(read_count("ce_sagaattempt", attributes.sagaattempt), command.attempt);
  read_child(attributes, command, reading);
  if (attributes.sagacheckpoint && check_payload(*attributes.sagacheckpoint).ok())
    command.checkpoint = *attributes.sagacheckpoint;
  const auto phase = parse_phase(attributes.sagaphase.value_or(""));
  if (!phase) reading.refuse(wrong("ce_sagaphase", "must be action or compensation"));
  if (attributes.expirytime) {
    command.expiry = parse_time(*attributes.expirytime);
    if (!command.expiry) reading.refuse(wrong("ce_expirytime", "not an RFC 3339 date-time"));
  }
  if (!reading.failed()) reading.check(read_value(source, command.data));
  if (reading.failed()) return reading.error();
  command.phase = *phase;
  command.trace = trace_of(source);
  return command;
}

Result<Reply> reply_from(const Record& record) {
  std::optional<Record> converted;
  if (auto prepared = prepare(record, converted); !prepared) return prepared.error();
  const Record& source = converted ? *converted : record;
  const auto attributes = attributes_of(source);
  Reply reply;
  Reading reading;
  read_common(attributes, reply, reading);
  reading.take(required("ce_causationid", attributes.causationid, is_valid_id), reply.causation_id);
  auto type = attributes.type.value_or("");
  reply.succeeded = type.ends_with(kSucceeded);
  reply.heartbeat = type.ends_with(kHeartbeat);
  if (!reply.succeeded && !reply.heartbeat && !type.ends_with(kFailed))
    reading.refuse(wrong("ce_type", "must end in .succeeded, .failed or .heartbeat"));
  else
    type.remove_suffix(reply.succeeded   ? kSucceeded.size()
                       : reply.heartbeat ? kHeartbeat.size()
                                         : kFailed.size());
  reading.take(required("ce_type", type, is_valid_name), reply.step);
  std::string data;
  if (!reading.failed()) reading.check(read_value(source, data));
  const bool failed = !reply.succeeded && !reply.heartbeat;
  if (!reading.failed() && failed) reading.take(read_failure(data), reply.failure);
  if (reading.failed()) return reading.error();
  if (!failed) reply.data = std::move(data);
  reply.trace = trace_of(source);
  return reply;
}

Result<OutcomeEvent> outcome_from(const Record& record) {
  std::optional<Record> converted;
  if (auto prepared = prepare(record, converted); !prepared) return prepared.error();
  const Record& source = converted ? *converted : record;
  const auto attributes = attributes_of(source);
  OutcomeEvent event;
  Reading reading;
  read_common(attributes, event, reading);
  reading.take(required("ce_type", attributes.type, is_valid_name), event.type);
  if (const auto time = parse_time(attributes.time.value_or("")))
    event.time = *time;
  else
    reading.refuse(wrong("ce_time", "not an RFC 3339 date-time"));
  if (attributes.sagaroot)
    reading.take(required("ce_sagaroot", attributes.sagaroot, is_valid_id), event.root);
  if (!reading.failed()) reading.check(read_value(source, event.data));
  if (reading.failed()) return reading.error();
  event.trace = trace_of(source);
  return event;
}

Result<void> check_limits(const Record& record) {
  const auto refuse = [](std::string what) {
    return Error{ErrorKind::kInvalid, kCodeLimits, std::move(what)};
  };
  if (record.headers.size() > kMaximumHeaders)
    return refuse(std::to_string(record.headers.size()) + " headers; at most " +
                  std::to_string(kMaximumHeaders));
  for (const auto& header : record.headers)
    if (header.value.size() > kMaximumHeaderBytes || header.name.size() > kMaximumHeaderBytes)
      return refuse("a header of " + std::to_string(header.name.size() + header.value.size()) +
                    " bytes; at most " + std::to_string(kMaximumHeaderBytes));
  if (record.value && record.value->size() > kMaximumValueBytes)
    return refuse("a value of " + std::to_string(record.value->size()) + " bytes; at most " +
                  std::to_string(kMaximumValueBytes));
  return {};
}

bool is_cloud_event(const Record& record) {
  const auto content_type = record.header("content-type");
  return (content_type && content_type->starts_with(kStructuredType)) ||
         record.header("ce_specversion").has_value();
}

TraceContext trace_of(const Record& record) {
  const auto read = [&record](std::string_view name) -> std::string {
    const auto value = record.header(name);
    return value && is_printable(*value) ? std::string(*value) : std::string();
  };
  return {read("traceparent"), read("tracestate"), read("baggage")};
}

std::string source_of(std::string_view ns, std::string_view definition) {
  return "/skald/" + std::string(ns) + "/" + std::string(definition);
}

}  // namespace skald::wire
