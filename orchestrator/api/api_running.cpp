// What is said to and asked of a running saga: signals, updates, queries.
#include "api/answers.hpp"
#include "api/api.hpp"
#include "api/sessions.hpp"
#include "engine/event.hpp"
#include "wire/command_id.hpp"

namespace skald::api {
namespace {

constexpr std::string_view kSource = "/skald/api";

/// The members of a body that make a signal or an update of it.
template <class Sent>
Result<Sent> sent_of(const json::Value& body, const std::string& name) {
  Sent sent;
  sent.name = name;
  const auto id = text_of(body, "id", wire::kMaximumIdBytes, true);
  if (!id) return id.error();
  if (!wire::is_valid_id(*id))
    return Error{ErrorKind::kInvalid, kBadRequest,
                 "/id takes visible ASCII characters: by it a message sent twice is told from two messages"};
  const auto source = text_of(body, "source", wire::kMaximumIdBytes, false);
  if (!source) return source.error();
  if (!source->empty() && !wire::is_valid_id(*source))
    return Error{ErrorKind::kInvalid, kBadRequest, "/source takes visible ASCII characters"};
  sent.id = *id;
  sent.source = source->empty() ? std::string(kSource) : *source;
  const auto data = body.find("data");
  sent.data = data ? data->text() : "{}";
  return sent;
}

/// What a saga's history has as the answer to an update; nullopt: it does not have the update.
std::optional<std::string> recorded_answer(const StoredSaga& saga, const engine::UpdateInput& update) {
  for (const HistoryRow& row : saga.history) {
    const auto entry = engine::read_entry(row.events);
    if (!entry) continue;
    bool ours = false;
    for (const engine::Event& event : entry->events) {
      if (ours && event.kind == engine::EventKind::kAnswered) return event.data;
      ours = event.kind == engine::EventKind::kUpdate && event.id == update.id && event.who == update.source;
    }
  }
  return std::nullopt;
}

}  // namespace

HttpResponse Api::signal(const HttpRequest& request, const SagaAddress& address, const std::string& name) {
  const auto body = json::Document::parse(request.body);
  if (!body) return refuse(400, body.error().code, body.error().message);
  auto signal = sent_of<engine::SignalInput>(body->root(), name);
  if (!signal) return refuse(signal.error());
  // Signal-with-start: both are safe to repeat, so that half of it done is no harm.
  if (const auto start = body->root().find("start")) {
    const auto input = start->find("input");
    if (!input) return refuse(400, kBadRequest, "/start/input is missing: the saga's input");
    const auto started = control_.start(address, input->text(), "api: " + request.remote);
    if (!started) return refuse(started.error());
  }
  const auto done = control_.send(address, engine::Input(std::move(*signal)));
  return done ? applied(done->duplicate) : refuse(done.error());
}

HttpResponse Api::update(const HttpRequest& request, const SagaAddress& address, const std::string& name) {
  const auto body = json::Document::parse(request.body);
  if (!body) return refuse(400, body.error().code, body.error().message);
  const auto update = sent_of<engine::UpdateInput>(body->root(), name);
  if (!update) return refuse(update.error());
  const auto done = control_.send(address, engine::Input(*update));
  if (done) return applied(done->duplicate, done->answer);
  if (done.error().kind != ErrorKind::kUnknown) return refuse(done.error());
  // Another process has taken it: what it answered stands in the history.
  const auto saga = load(address);
  if (!saga) return refuse(done.error());
  const auto found = recorded_answer(*saga, *update);
  return found ? applied(false, *found) : refuse(done.error());
}

HttpResponse Api::query(const HttpRequest& request, const SagaAddress& address, const std::string& name) {
  std::string input = "{}";
  if (!request.body.empty()) {
    const auto body = json::Document::parse(request.body);
    if (!body) return refuse(400, body.error().code, body.error().message);
    if (const auto given = body->root().find("input")) input = given->text();
  }
  const auto saga = load(address, Runs::kLast);
  if (!saga) return refuse(saga.error());
  auto found = control_.query(*saga, name, input);
  if (!found) return refuse(found.error());
  json::Writer writer;
  writer.begin_object();
  writer.key("answer");
  writer.raw(*found);
  writer.key("sequence");
  writer.integer(saga->row.sequence);
  writer.end_object();
  return answer(200, writer.take());
}

}  // namespace skald::api
