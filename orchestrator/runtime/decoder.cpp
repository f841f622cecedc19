// Decoding records. What is wrong with a record is said once, in the dead letter's reason.
#include "runtime/decoder.hpp"

#include <algorithm>

#include "runtime/codes.hpp"
#include "wire/cloud_events.hpp"
#include "wire/command_id.hpp"
#include "wire/place.hpp"

namespace skald::runtime {

namespace {

Work dead_letter(const std::shared_ptr<const Record>& record, std::string_view code, std::string reason) {
  Work work;
  work.what = DeadLetterRequest{std::string(code), std::move(reason)};
  work.record = record;
  return work;
}

Error invalid(std::string_view code, std::string message) {
  return {ErrorKind::kInvalid, std::string(code), std::move(message)};
}

}  // namespace

Decoder::Decoder(const Registry& registry, std::string name_space, std::string reply_topic,
                 const std::vector<TriggerRoute>& triggers, const std::vector<SignalRoute>& signals,
                 Territory territory, std::string child_topic)
    : registry_(registry),
      name_space_(std::move(name_space)),
      reply_topic_(std::move(reply_topic)),
      child_topic_(std::move(child_topic)),
      territory_(std::move(territory)) {
  for (const TriggerRoute& route : triggers) readers_[route.topic].triggers.push_back(route.trigger);
  for (const SignalRoute& route : signals) readers_[route.topic].signals.push_back(route);
}

std::vector<std::string> Decoder::topics() const {
  std::vector<std::string> topics{reply_topic_};
  if (!child_topic_.empty()) topics.push_back(child_topic_);
  for (const auto& [topic, readers] : readers_)
    if (topic != reply_topic_) topics.push_back(topic);
  return topics;
}

bool Decoder::starts_only_paused(const std::string& topic, const PauseSet& pauses) const {
  if (pauses.definitions.empty()) return false;
  const auto place = readers_.find(topic);
  if (place == readers_.end() || !place->second.signals.empty()) return false;
  const auto& triggers = place->second.triggers;
  return std::all_of(triggers.begin(), triggers.end(), [&pauses](const TriggerDefinition& trigger) {
    return pauses.definitions.contains(trigger.saga);
  });
}

std::vector<Work> Decoder::decode(std::shared_ptr<const Record> record) const {
  if (is_reply_topic(record->topic)) {
    std::vector<Work> works;
    works.push_back(decode_reply(record));
    return works;
  }
  return record->topic == child_topic_ ? decode_child(record) : decode_event(record);
}

/// All neighbours read this record and none of them can tell whose it is: one of them says so.
std::vector<Work> Decoder::nobodys(const std::shared_ptr<const Record>& record, std::string_view code,
                                   std::string reason) const {
  std::vector<Work> works;
  if (owns(record->topic + "[" + std::to_string(record->partition) + "]"))
    works.push_back(dead_letter(record, code, std::move(reason)));
  return works;
}

/// A neighbour's, too: what was parked before its saga moved here came from there.
bool Decoder::is_reply_topic(const std::string& topic) const {
  const auto& others = territory_.neighbours;
  return topic == reply_topic_ || std::any_of(others.begin(), others.end(), [&topic](const auto& other) {
           return other.reply_topic == topic;
         });
}

Work Decoder::forward(const std::shared_ptr<const Record>& record, std::string_view saga_id) const {
  Work work;
  work.record = record;
  const int slot = wire::slot_of(saga_id);
  for (const Territory::Neighbour& neighbour : territory_.neighbours)
    if (neighbour.slots.contains(slot)) work.what = ForwardRequest{neighbour.reply_topic};
  return work;
}

Work Decoder::decode_reply(const std::shared_ptr<const Record>& record) const {
  if (auto fits = wire::check_limits(*record); !fits)
    return dead_letter(record, fits.error().code, fits.error().message);
  auto reply = wire::reply_from(*record);
  if (!reply) return dead_letter(record, reply.error().code, reply.error().message);
  const auto id = wire::parse_command_id(reply->causation_id);
  if (!id || id->ns != name_space_)
    return dead_letter(record, code::kNotOurCommand,
                       "ce_causationid is not the id of a command of namespace " + name_space_);
  if (id->saga_id != reply->saga_id)
    return dead_letter(record, code::kForgedReply,
                       "ce_correlationid and ce_causationid name different sagas");
  if (!owns(id->saga_id)) return forward(record, id->saga_id);
  Work work;
  work.address = {id->definition, id->saga_id};
  work.record = record;
  const engine::AttemptId attempt{id->ordinal, id->phase, id->attempt};
  if (reply->heartbeat) {
    work.what =
        engine::Input(engine::HeartbeatInput{attempt, std::move(reply->step), std::move(reply->data)});
    return work;
  }
  engine::ReplyInput input;
  input.id = attempt;
  input.step = std::move(reply->step);
  input.succeeded = reply->succeeded;
  input.data = std::move(reply->data);
  if (!reply->succeeded)
    input.failure = {std::move(reply->failure.code), std::move(reply->failure.message),
                     reply->failure.retryable ? Retry::allowed : Retry::never, false,
                     reply->failure.retry_after};
  work.what = engine::Input(std::move(input));
  return work;
}

std::vector<Work> Decoder::decode_child(const std::shared_ptr<const Record>& record) const {
  if (auto fits = wire::check_limits(*record); !fits)
    return nobodys(record, fits.error().code, fits.error().message);
  auto command = wire::command_from(*record);
  if (!command) return nobodys(record, command.error().code, command.error().message);
  const auto id = wire::parse_command_id(command->id);
  if (!command->child || !id || id->ns != name_space_ || id->phase != command->phase)
    return nobodys(record, code::kNotOurCommand,
                   "this is no command to a child saga of namespace " + name_space_);
  std::vector<Work> works;
  if (!owns(command->child->saga_id)) return works;
  works.push_back(child_work(std::move(command).value()));
  works.back().record = record;
  return works;
}

Work Decoder::child_work(wire::Command command) const {
  wire::ChildTarget& child = *command.child;
  Work work;
  work.address = {child.definition, child.saga_id};
  engine::ParentCommand parent{command.id,           command.step,          command.reply_to,
                               command.phase,        std::move(child.root), child.depth,
                               child.keeps_completed};
  if (registry_.saga(child.definition) == nullptr) {  // a newer binary's: it has the parent's code too
    work.what = ParkRequest{};
    return work;
  }
  auto started = start(child.definition, child.saga_id, command.data, std::move(command.trace),
                       "its parent " + command.source + " " + command.saga_id);
  if (!started) {
    work.what = RefuseChildRequest{std::move(parent), started.error().message};
    return work;
  }
  std::get<StartRequest>(started->what).input.parent = std::move(parent);
  return std::move(started).value();
}

/// What the readers of one record made of it.
struct Decoder::Gathered {
  std::vector<Work> works;
  bool a_neighbours = false;
  std::optional<Error> unreadable;  ///< before it was known whose saga it is for
  std::optional<Error> unfit;       ///< of a saga that is ours

  static void note(std::optional<Error>& problem, const Error& error) {
    if (!problem) problem = error;
  }
};

void Decoder::gather_start(const TriggerDefinition& trigger, const Record& event, const std::string& origin,
                           Gathered& gathered) const {
  auto triggered = trigger.start(event);
  if (!triggered) return Gathered::note(gathered.unreadable, triggered.error());
  if (!*triggered) return;
  if (!owns((*triggered)->saga_id)) {
    gathered.a_neighbours = true;
    return;
  }
  auto work = start(trigger.saga, std::move((*triggered)->saga_id), (*triggered)->input,
                    wire::trace_of(event), origin);
  if (!work) return Gathered::note(gathered.unfit, work.error());
  gathered.works.push_back(std::move(work).value());
}

void Decoder::gather_signal(const SignalRoute& route, const Record& event, Gathered& gathered) const {
  auto read = route.read(event);
  if (!read) return Gathered::note(gathered.unreadable, read.error());
  if (!*read) return;
  AddressedSignal signal = std::move(**read);
  if (!wire::is_valid_saga_id(signal.address.saga_id))
    return Gathered::note(gathered.unreadable,
                          invalid(code::kSagaId, "the saga id is not 1 to 255 visible ASCII characters"));
  if (!owns(signal.address.saga_id)) {
    gathered.a_neighbours = true;
    return;
  }
  if (registry_.saga(signal.address.definition) == nullptr)
    return Gathered::note(gathered.unfit, invalid(code::kUnknownSagaType, "this binary has no saga named " +
                                                                              signal.address.definition));
  Work work;
  work.address = std::move(signal.address);
  work.what = engine::Input(std::move(signal.input));
  gathered.works.push_back(std::move(work));
}

std::vector<Work> Decoder::decode_event(const std::shared_ptr<const Record>& record) const {
  const auto place = readers_.find(record->topic);
  if (place == readers_.end())
    return nobodys(record, code::kNoTopic, "no trigger or signal reads topic " + record->topic);
  if (auto fits = wire::check_limits(*record); !fits)
    return nobodys(record, fits.error().code, fits.error().message);
  if (!record->value) return nobodys(record, code::kTombstone, "the record has no value (a tombstone)");
  auto event = wire::to_binary_mode(*record);
  if (!event) return nobodys(record, event.error().code, event.error().message);

  Gathered gathered;
  const std::string origin = wire::place_of(*record);
  for (const TriggerDefinition& trigger : place->second.triggers)
    gather_start(trigger, *event, origin, gathered);
  for (const SignalRoute& route : place->second.signals) gather_signal(route, *event, gathered);
  std::vector<Work>& works = gathered.works;
  for (Work& work : works) work.record = record;
  // What one reader of the topic cannot read another one may be meant for.
  if (works.empty() && gathered.unfit)
    works.push_back(dead_letter(record, gathered.unfit->code, gathered.unfit->message));
  if (works.empty() && !gathered.a_neighbours && gathered.unreadable)
    return nobodys(record, gathered.unreadable->code, gathered.unreadable->message);
  return std::move(works);
}

Result<Work> Decoder::start(std::string_view definition, std::string saga_id, std::string_view input,
                            wire::TraceContext trace, std::string origin) const {
  const SagaDefinition* saga = registry_.saga(definition);
  if (saga == nullptr)
    return invalid(code::kUnknownSagaType, "this binary has no saga named " + std::string(definition));
  if (!wire::is_valid_saga_id(saga_id))
    return invalid(code::kSagaId, "the saga id is not 1 to 255 visible ASCII characters");
  if (!owns(saga_id))
    return Error{
        ErrorKind::kRefused, std::string(code::kElsewhere),
        "the saga belongs to another database (slot " + std::to_string(wire::slot_of(saga_id)) + ")"};
  auto canonical = saga->canonical_input(input);
  if (!canonical)
    return invalid(code::kInput, "the input does not fit saga " + std::string(definition) + ": " +
                                     canonical.error().message);
  Work work;
  work.address = {std::string(definition), std::move(saga_id)};
  StartRequest request;
  request.definition = saga;
  request.input_hash = hash_input(*canonical);
  request.input = {std::move(canonical).value(), std::move(trace), std::move(origin)};
  work.what = std::move(request);
  return work;
}

}  // namespace skald::runtime
