// What is paused beside single sagas, in every database that this process serves.
#include "api/answers.hpp"
#include "api/api.hpp"
#include "api/sessions.hpp"
#include "skald/json.hpp"
#include "wire/cloud_events.hpp"
#include "wire/command_id.hpp"

namespace skald::api {

HttpResponse Api::pauses() {
  json::Writer writer;
  writer.begin_object();
  writer.key("pauses");
  writer.begin_array();
  for (const Served& one : databases_) {
    const auto pauses = one.sessions->with([](Session& session) { return session.pauses(); });
    if (!pauses) return refuse(pauses.error());
    for (const Pause& pause : *pauses) {
      writer.begin_object();
      if (!one.name.empty()) text_member(writer, "database", one.name);
      text_member(writer, to_string(pause.kind), pause.name);
      text_member(writer, "since", wire::format_time(pause.since));
      text_member(writer, "who", pause.who);
      text_member(writer, "why", pause.why);
      writer.end_object();
    }
  }
  writer.end_array();
  writer.end_object();
  return answer(200, writer.take());
}

HttpResponse Api::change_pause(const HttpRequest& request) {
  const auto body = json::Document::parse(request.body);
  if (!body) return refuse(400, body.error().code, body.error().message);
  const auto action = text_of(body->root(), "action", 20, true);
  if (!action) return refuse(action.error());
  const bool begins = *action == "pause";
  if (!begins && *action != "resume") return refuse(400, kBadRequest, "/action takes pause or resume");
  const bool step = body->root().find("step").has_value();
  if (step == body->root().find("definition").has_value())
    return refuse(400, kBadRequest, "one of /definition and /step is needed");
  Pause pause;
  pause.kind = step ? PauseKind::step : PauseKind::definition;
  const struct {
    const char* name;
    std::size_t maximum;
    std::string& into;
  } members[] = {{step ? "step" : "definition", wire::kMaximumNameBytes, pause.name},
                 {"who", kMaximumPersonBytes, pause.who},
                 {"why", kMaximumReasonBytes, pause.why}};
  for (const auto& member : members) {
    auto text = text_of(body->root(), member.name, member.maximum, true);
    if (!text) return refuse(text.error());
    member.into = std::move(text).value();
  }
  if (!control_.knows(pause.kind, pause.name))
    return refuse(404, kNotFound,
                  "this process has no " + std::string(to_string(pause.kind)) + " of that name");
  bool changed = false;
  for (const Served& one : databases_) {
    const auto done = one.sessions->with([&](Session& session) {
      return begins ? session.pause(pause) : session.resume(pause.kind, pause.name, pause.who, pause.why);
    });
    if (!done) return refuse(done.error());
    changed = changed || *done;
  }
  return applied(!changed);
}

}  // namespace skald::api
