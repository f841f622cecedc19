// Writing and reading parked inputs: a version byte, a kind byte, then fields in order. Numbers are 8 bytes
// little-endian, texts carry their length.
#include "runtime/input_codec.hpp"

#include "runtime/codes.hpp"

namespace skald::runtime {

namespace {

constexpr char kVersion = 1;
enum class Kind : char {
  kRecord = 'r',
  kReply = 'a',
  kLocal = 'l',
  kUndeliverable = 'u',
  kOperator = 'o',
  kSignal = 's',
  kUpdate = 'p',
  kHeartbeat = 'h'
};
constexpr std::int64_t kMaximumHeaders = 100'000;

class Writer {
 public:
  explicit Writer(Kind kind) : bytes_{kVersion, static_cast<char>(kind)} {}
  Writer& number(std::int64_t value) {
    auto rest = static_cast<std::uint64_t>(value);
    for (int index = 0; index < 8; ++index, rest >>= 8) bytes_.push_back(static_cast<char>(rest & 0xff));
    return *this;
  }
  Writer& text(std::string_view value) {
    number(static_cast<std::int64_t>(value.size()));
    bytes_.append(value);
    return *this;
  }
  Writer& optional(const std::optional<std::string>& value) {
    number(value ? 1 : 0);
    return value ? text(*value) : *this;
  }
  Writer& attempt(const engine::AttemptId& id) {
    return number(id.ordinal).number(id.phase == wire::Phase::kAction ? 0 : 1).number(id.attempt);
  }
  Writer& failure(const Failure& failure) {
    text(failure.code).text(failure.message);
    return number(failure.retry == Retry::allowed ? 1 : 0).number(failure.unknown ? 1 : 0);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads what Writer wrote; after the first failure everything reads as zero and `good` stays false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  std::int64_t number() {
    if (rest_.size() < 8) return fail();
    std::uint64_t value = 0;
    for (int index = 7; index >= 0; --index)
      value = value << 8 | static_cast<unsigned char>(rest_[static_cast<std::size_t>(index)]);
    rest_.remove_prefix(8);
    return static_cast<std::int64_t>(value);
  }
  std::int64_t number_in(std::int64_t low, std::int64_t high) {
    const std::int64_t value = number();
    return value >= low && value <= high ? value : fail();
  }
  std::string text() {
    const auto size = static_cast<std::uint64_t>(number());
    if (size > rest_.size()) return std::to_string(fail());
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  std::optional<std::string> optional() {
    if (number_in(0, 1) == 0) return std::nullopt;
    return text();
  }
  engine::AttemptId attempt() {
    engine::AttemptId id;
    id.ordinal = static_cast<int>(number_in(0, INT32_MAX));
    id.phase = number_in(0, 1) == 0 ? wire::Phase::kAction : wire::Phase::kCompensation;
    id.attempt = static_cast<int>(number_in(0, INT32_MAX));
    return id;
  }
  Failure failure() {
    Failure failure;
    failure.code = text();
    failure.message = text();
    failure.retry = number_in(0, 1) == 1 ? Retry::allowed : Retry::never;
    failure.unknown = number_in(0, 1) == 1;
    return failure;
  }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool at_end() const { return good_ && rest_.empty(); }

 private:
  std::int64_t fail() {
    good_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool good_ = true;
};

std::string encode_record(const Record& record) {
  Writer writer(Kind::kRecord);
  writer.text(record.topic).number(record.partition).number(record.offset);
  writer.number(record.timestamp.time_since_epoch().count()).optional(record.key).optional(record.value);
  writer.number(static_cast<std::int64_t>(record.headers.size()));
  for (const Header& header : record.headers) writer.text(header.name).text(header.value);
  return writer.take();
}

Record read_record(Reader& reader) {
  Record record;
  record.topic = reader.text();
  record.partition = static_cast<std::int32_t>(reader.number_in(INT32_MIN, INT32_MAX));
  record.offset = reader.number();
  record.timestamp = Time(std::chrono::milliseconds(reader.number()));
  record.key = reader.optional();
  record.value = reader.optional();
  const std::int64_t count = reader.number_in(0, kMaximumHeaders);
  for (std::int64_t index = 0; index < count && reader.good(); ++index) {
    std::string name = reader.text();
    record.headers.push_back({std::move(name), reader.text()});
  }
  return record;
}

struct Encode {
  std::string operator()(const engine::ReplyInput& reply) const {
    Writer writer(Kind::kReply);
    writer.attempt(reply.id).text(reply.step).number(reply.succeeded ? 1 : 0).text(reply.data);
    return writer.failure(reply.failure).take();
  }
  std::string operator()(const engine::HeartbeatInput& beat) const {
    return Writer(Kind::kHeartbeat).attempt(beat.id).text(beat.step).text(beat.details).take();
  }
  std::string operator()(const engine::LocalResult& result) const {
    Writer writer(Kind::kLocal);
    writer.attempt(result.id).number(static_cast<std::int64_t>(result.outcome.kind));
    return writer.text(result.outcome.output).failure(result.outcome.failure).take();
  }
  std::string operator()(const engine::Undeliverable& refused) const {
    return Writer(Kind::kUndeliverable).attempt(refused.id).text(refused.reason).take();
  }
  std::string operator()(const engine::OperatorAction& action) const {
    Writer writer(Kind::kOperator);
    writer.number(static_cast<std::int64_t>(action.verb)).number(action.sequence).number(action.ordinal);
    writer.text(action.result).text(action.who).text(action.why);
    if (action.verb == engine::OperatorVerb::reset)
      writer.number(action.reset.to).number(action.reset.keeps_effects ? 1 : 0);
    return writer.take();
  }
  std::string operator()(const engine::SignalInput& signal) const {
    return sent(Kind::kSignal, signal).number(signal.may_be_for_nobody ? 1 : 0).take();
  }
  std::string operator()(const engine::UpdateInput& update) const {
    return sent(Kind::kUpdate, update).take();
  }
  std::string operator()(const engine::Wake&) const { return {}; }
  std::string operator()(const engine::ParentCommand&) const { return {}; }  // its record is kept
  std::string operator()(const engine::Poison& poison) const { return poison.input; }

 private:
  template <class Sent>
  static Writer sent(Kind kind, const Sent& sent) {
    Writer writer(kind);
    writer.text(sent.name).text(sent.source).text(sent.id).text(sent.data);
    return writer;
  }
};

engine::ReplyInput read_reply(Reader& reader) {
  engine::ReplyInput reply;
  reply.id = reader.attempt();
  reply.step = reader.text();
  reply.succeeded = reader.number_in(0, 1) == 1;
  reply.data = reader.text();
  reply.failure = reader.failure();
  return reply;
}

engine::HeartbeatInput read_heartbeat(Reader& reader) {
  engine::HeartbeatInput beat;
  beat.id = reader.attempt();
  beat.step = reader.text();
  beat.details = reader.text();
  return beat;
}

engine::LocalResult read_local(Reader& reader) {
  engine::LocalResult result;
  result.id = reader.attempt();
  result.outcome.kind = static_cast<LocalOutcome::Kind>(reader.number_in(0, 3));
  result.outcome.output = reader.text();
  result.outcome.failure = reader.failure();
  return result;
}

engine::Undeliverable read_undeliverable(Reader& reader) {
  engine::Undeliverable refused;
  refused.id = reader.attempt();
  refused.reason = reader.text();
  return refused;
}

engine::OperatorAction read_operator(Reader& reader) {
  engine::OperatorAction action;
  action.verb = static_cast<engine::OperatorVerb>(reader.number_in(0, 8));
  action.sequence = reader.number();
  action.ordinal = static_cast<int>(reader.number_in(INT32_MIN, INT32_MAX));
  action.result = reader.text();
  action.who = reader.text();
  action.why = reader.text();
  if (action.verb == engine::OperatorVerb::reset) {
    action.reset.to = reader.number();
    action.reset.keeps_effects = reader.number_in(0, 1) == 1;
  }
  return action;
}

template <class Sent>
Sent read_sent(Reader& reader) {
  Sent sent;
  sent.name = reader.text();
  sent.source = reader.text();
  sent.id = reader.text();
  sent.data = reader.text();
  return sent;
}

engine::SignalInput read_signal(Reader& reader) {
  auto signal = read_sent<engine::SignalInput>(reader);
  signal.may_be_for_nobody = reader.number_in(0, 1) == 1;
  return signal;
}

Error unreadable(std::string_view what) {
  return {ErrorKind::kInvalid, std::string(code::kUnreadableParked), "a parked input " + std::string(what)};
}

}  // namespace

std::string encode_input(const StoredInput& input) {
  if (const auto* record = std::get_if<Record>(&input)) return encode_record(*record);
  return std::visit(Encode{}, std::get<engine::Input>(input));
}

Result<StoredInput> decode_input(std::string_view bytes) {
  if (bytes.size() > kMaximumStoredInputBytes) return unreadable("is too long");
  if (bytes.size() < 2) return unreadable("is cut short");
  if (bytes[0] != kVersion) return unreadable("has a version this binary does not know");
  Reader reader(bytes.substr(2));
  StoredInput input;
  switch (static_cast<Kind>(bytes[1])) {
    case Kind::kRecord: input = read_record(reader); break;
    case Kind::kReply: input = engine::Input(read_reply(reader)); break;
    case Kind::kLocal: input = engine::Input(read_local(reader)); break;
    case Kind::kHeartbeat: input = engine::Input(read_heartbeat(reader)); break;
    case Kind::kUndeliverable: input = engine::Input(read_undeliverable(reader)); break;
    case Kind::kOperator: input = engine::Input(read_operator(reader)); break;
    case Kind::kSignal: input = engine::Input(read_signal(reader)); break;
    case Kind::kUpdate: input = engine::Input(read_sent<engine::UpdateInput>(reader)); break;
    default: return unreadable("is of a kind this binary does not know");
  }
  if (!reader.at_end()) return unreadable("is cut short or too long");
  return input;
}

}  // namespace skald::runtime
