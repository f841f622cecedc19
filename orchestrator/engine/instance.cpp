// The face of the engine: start, replay, advance.
#include "engine/instance.hpp"

#include <algorithm>

#include "engine/state.hpp"
#include "skald/assert.hpp"

namespace skald::engine {

Instance::Instance(std::unique_ptr<State> state) : state_(std::move(state)) {}
Instance::~Instance() = default;

Instance::Started Instance::start(const Environment& environment, const SagaDefinition& definition,
                                  SagaAddress address, SagaKey key, const StartInput& input,
                                  const Moment& moment) {
  auto state = std::make_unique<State>(environment, definition, std::move(address), key);
  const auto configured = environment.sagas.find(definition.name);
  const SagaOptions& options =
      configured == environment.sagas.end() ? definition.options : configured->second;
  state->begin(moment);
  Event started;
  started.kind = EventKind::kStarted;
  started.data = input.input;
  started.trace = input.trace;
  started.why = input.origin;
  if (options.deadline) started.close = moment.now + *options.deadline;
  if (input.parent) {
    started.id = input.parent->id;
    started.step = input.parent->step;
    started.reply_to = input.parent->reply_to;
    started.root = input.parent->root;
    started.depth = input.parent->depth;
  }
  state->record(std::move(started));
  if (input.parent && input.parent->phase == Phase::kCompensation)
    static_cast<void>(judge(*state, *input.parent));
  state->pump();
  state->follow_rules();
  Transition transition = state->finish();
  return {std::unique_ptr<Instance>(new Instance(std::move(state))), std::move(transition)};
}

Instance::Replayed Instance::replay(const Environment& environment, const SagaDefinition& definition,
                                    const StoredSaga& stored) {
  auto state = std::make_unique<State>(environment, definition, stored.row.address, stored.row.key);
  auto problem = state->replay(stored);
  return {std::unique_ptr<Instance>(new Instance(std::move(state))), std::move(problem)};
}

namespace {

/// What reaches a saga that has ended: nothing, but who asks again, as after a commit in doubt, is told that it did.
Verdict after_the_end(const Instance::State& state, const Input& input) {
  std::optional<Ruling> before;
  if (const auto* signal = std::get_if<SignalInput>(&input)) before = applied_before(state, *signal);
  if (const auto* update = std::get_if<UpdateInput>(&input)) before = applied_before(state, *update);
  if (!before) return {Judgement::kEnded, "the saga has ended", {}, std::nullopt};
  return {before->judgement, std::move(before->reason), std::move(before->answer), std::nullopt};
}

}  // namespace

Verdict Instance::advance(const Input& input, const Moment& moment) {
  SKALD_ASSERT(!state_->spent_, state_->address_.saga_id.c_str());
  if (const auto* command = std::get_if<ParentCommand>(&input)) {
    if (auto verdict = answered_at_once(*state_, *command)) return std::move(*verdict);
  } else if (is_ended(state_->status_)) {
    return after_the_end(*state_, input);
  }
  const auto* wake = std::get_if<Wake>(&input);
  Moment at = moment;
  if (wake != nullptr) at.now = std::max(at.now, wake->at);
  state_->begin(at);
  Ruling ruling = std::visit([this](const auto& kind) { return judge(*state_, kind); }, input);
  if (ruling.judgement != Judgement::kApplied)
    return {ruling.judgement, std::move(ruling.reason), std::move(ruling.answer), std::nullopt};
  // The code moves by what is recorded and by nothing else: else replay could not tell when it did.
  if (state_->has_pending()) state_->pump();
  state_->follow_rules();
  if (!state_->has_pending()) return {Judgement::kApplied, {}, {}, state_->moved_wake_up()};
  if (wake != nullptr)
    state_->wake_at_ = kNever;  // the bound has served: the exact next deadline takes its place
  return {Judgement::kApplied, {}, std::move(ruling.answer), state_->finish()};
}

Instance::Replayed Instance::replay_to_ask(const Environment& environment, const SagaDefinition& definition,
                                           const StoredSaga& stored) {
  auto state = std::make_unique<State>(environment, definition, stored.row.address, stored.row.key);
  state->keep_code_ = true;
  auto problem = state->replay(stored);
  return {std::unique_ptr<Instance>(new Instance(std::move(state))), std::move(problem)};
}

Result<std::string> Instance::query(std::string_view name, std::string_view input) const {
  return state_->query(name, input);
}

SagaKey Instance::key() const { return state_->key_; }
const SagaAddress& Instance::address() const { return state_->address_; }
int Instance::revision() const { return state_->definition_.revision; }
std::int64_t Instance::sequence() const { return state_->sequence_; }
std::int64_t Instance::run_from() const { return state_->run_from_; }
SagaStatus Instance::status() const { return state_->status_; }
std::size_t Instance::history_bytes() const { return state_->history_bytes(); }
Time Instance::next_deadline() const { return state_->next_deadline(); }
std::string Instance::situation() const { return state_->situation(); }
bool Instance::spent() const { return state_->spent_; }
bool Instance::asleep() const { return state_->asleep(); }
std::size_t Instance::memory_bytes() const { return state_->memory_bytes(); }

}  // namespace skald::engine
