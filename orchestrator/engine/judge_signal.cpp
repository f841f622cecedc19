// A signal: kept for the code, which asks for it by name. What no revision of the saga would take is a dead letter.
#include "engine/state.hpp"
#include "skald/json.hpp"

namespace skald::engine {
namespace {

const SignalDefinition* find(const SagaDefinition& definition, const std::string& name) {
  for (const SignalDefinition& known : definition.signals)
    if (known.name == name) return &known;
  return nullptr;
}

/// What history gives back as it was: UTF-8 without U+0000.
bool is_text(const std::string& text) {
  json::Writer writer;
  writer.string(text);
  return !writer.first_replacement();
}

}  // namespace

std::optional<Ruling> applied_before(const Instance::State& state, const SignalInput& input) {
  if (!state.mailbox_.seen(Mailbox::key(input.source, input.id))) return std::nullopt;
  return Ruling{Judgement::kDuplicate, "the signal came before"};
}

Ruling judge(Instance::State& state, const SignalInput& input) {
  if (auto before = applied_before(state, input)) return std::move(*before);
  const SignalDefinition* known = find(state.definition_, input.name);
  if (known == nullptr)
    return {
        Judgement::kMismatch,
        detail::no_such_handler("signal", input.name, detail::names_of(state.definition_.signals)).message};
  if (auto fits = known->check(input.data); !fits)
    return {Judgement::kMismatch, "signal " + input.name + " does not fit: " + fits.error().message};
  if (!is_text(input.id) || !is_text(input.source))
    return {Judgement::kMismatch,
            "the signal's id or source is not text: history could not keep it as it is"};
  if (state.status_ != SagaStatus::kStuck && !state.continued_ && !state.code_may_go_on())
    return {Judgement::kLate, "the saga's code has ended: nobody would read the signal"};
  if (state.mailbox_.unread() >= state.environment_.limits.maximum_unread_signals)
    return {Judgement::kMismatch,
            "the saga has " + std::to_string(state.mailbox_.unread()) + " signals it has not read: no more"};
  Event event;
  event.kind = EventKind::kSignal;
  event.name = input.name;
  event.who = input.source;
  event.id = input.id;
  event.data = input.data;
  state.record(std::move(event));
  return {};
}

}  // namespace skald::engine
