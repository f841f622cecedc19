// What operators decide about a saga: POST …/actions.
#include <array>
#include <optional>
#include <utility>

#include "api/answers.hpp"
#include "api/api.hpp"
#include "engine/reset_plan.hpp"

namespace skald::api {
namespace {

using engine::OperatorVerb;

constexpr std::array<std::pair<std::string_view, OperatorVerb>, 9> kVerbs{{
    {"retry", OperatorVerb::retry},
    {"skip", OperatorVerb::skip},
    {"compensate", OperatorVerb::compensate},
    {"end", OperatorVerb::end},
    {"cancel", OperatorVerb::cancel},
    {"terminate", OperatorVerb::terminate},
    {"pause", OperatorVerb::pause},
    {"resume", OperatorVerb::resume},
    {"reset", OperatorVerb::reset},
}};

Error bad_request(std::string message) { return Error{ErrorKind::kInvalid, kBadRequest, std::move(message)}; }

std::optional<OperatorVerb> verb_of(std::string_view text) {
  for (const auto& [name, verb] : kVerbs)
    if (name == text) return verb;
  return std::nullopt;
}

std::optional<std::int64_t> sequence_of(const json::Value& body, const char* name) {
  const auto member = body.find(name);
  const auto value = member ? member->as_int64() : std::nullopt;
  return value && *value >= 1 ? value : std::nullopt;
}

Result<engine::ResetTarget> target_of(const json::Value& body) {
  const auto to = sequence_of(body, "to");
  if (!to)
    return bad_request("/to takes the transition from which the saga is to go on, a whole number from 1");
  const auto effects = text_of(body, "effects", 20, true);
  if (!effects) return effects.error();
  if (*effects != "compensate" && *effects != "keep")
    return bad_request("/effects takes compensate or keep: what becomes of what took effect after /to");
  return engine::ResetTarget{*to, *effects == "keep"};
}

Result<engine::OperatorAction> action_of(const json::Value& body) {
  engine::OperatorAction action;
  const auto verb = text_of(body, "action", 20, true);
  if (!verb) return verb.error();
  if (!verb_of(*verb))
    return bad_request(
        "/action takes retry, skip, compensate, end, cancel, terminate, pause, resume or reset");
  action.verb = *verb_of(*verb);
  if (body.find("sequence") || !engine::is_wherever(action.verb)) {
    const auto sequence = sequence_of(body, "sequence");
    if (!sequence)
      return bad_request("/sequence takes the saga's sequence as you saw it, a whole number from 1");
    action.sequence = *sequence;
  }
  if (const auto ordinal = body.find("ordinal")) {
    const auto value = ordinal->as_int64();
    if (!value || *value < 0 || *value > 1'000'000)
      return bad_request("/ordinal takes the stuck step's ordinal, a whole number");
    action.ordinal = static_cast<int>(*value);
  }
  const auto who = text_of(body, "who", kMaximumPersonBytes, true);
  if (!who) return who.error();
  const auto why = text_of(body, "why", kMaximumReasonBytes, true);
  if (!why) return why.error();
  action.who = *who;
  action.why = *why;
  if (const auto result = body.find("result")) action.result = result->text();
  if (action.verb != OperatorVerb::reset) return action;
  const auto target = target_of(body);
  if (!target) return target.error();
  action.reset = *target;
  return action;
}

std::string_view to_string(engine::ResetStep::Fate fate) {
  using Fate = engine::ResetStep::Fate;
  switch (fate) {
    case Fate::kCompensated: return "compensated";
    case Fate::kKept: return "kept";
    case Fate::kStays: return "stays";
    case Fate::kNoEffect: return "no effect";
  }
  return "";
}

std::string plan_json(std::string_view result, const std::vector<engine::ResetStep>& steps) {
  json::Writer writer;
  writer.begin_object();
  text_member(writer, "result", result);
  writer.key("steps");
  writer.begin_array();
  for (const engine::ResetStep& step : steps) {
    writer.begin_object();
    writer.key("ordinal");
    writer.integer(step.ordinal);
    text_member(writer, "step", step.step);
    text_member(writer, "effect", to_string(step.fate));
    writer.end_object();
  }
  writer.end_array();
  writer.end_object();
  return writer.take();
}

}  // namespace

HttpResponse Api::act(const HttpRequest& request, const SagaAddress& address) {
  const auto body = json::Document::parse(request.body);
  if (!body) return refuse(400, body.error().code, body.error().message);
  const auto action = action_of(body->root());
  if (!action) return refuse(action.error());
  if (action->verb == OperatorVerb::reset) {
    const auto dry_run = body->root().find("dry_run");
    return reset(address, *action, dry_run && dry_run->as_boolean());
  }
  const auto done = control_.send(address, engine::Input(*action));
  if (!done) return refuse(done.error());
  return answer(200, R"({"result":"applied"})");
}

/// Tried on a copy first: history is not to be given a reset that its code cannot follow.
HttpResponse Api::reset(const SagaAddress& address, const engine::OperatorAction& action, bool dry_run) {
  const auto saga = load(address, Runs::kLast);
  if (!saga) return refuse(saga.error());
  const auto plan = control_.plan_reset(*saga, action);
  if (!plan) return refuse(plan.error());
  if (dry_run) return answer(200, plan_json("planned", *plan));
  const auto done = control_.send(address, engine::Input(action));
  if (!done) return refuse(done.error());
  return answer(200, plan_json("applied", *plan));
}

}  // namespace skald::api
