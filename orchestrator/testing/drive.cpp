// The run of a saga in virtual time.
#include "drive.hpp"

#include <algorithm>

#include "forbidden.hpp"
#include "wire/cloud_events.hpp"
#include "wire/command_id.hpp"

namespace skald::testing::detail {

namespace {
constexpr std::size_t kMaximumRounds = 10'000;
constexpr char kReplies[] = "replies";
constexpr char kOutcomes[] = "outcomes";
}  // namespace

/// The middle, always: pauses between attempts are as the policy says, without jitter.
class Drive::NoRandom final : public Random {
 public:
  std::uint64_t next() override { return UINT64_MAX / 2; }
};

Drive::Drive(const SagaDefinition& definition, React react, Idle idle)
    : definition_(definition),
      react_(std::move(react)),
      idle_(std::move(idle)),
      random_(std::make_unique<NoRandom>()) {
  environment_.name_space = "test";
  environment_.reply_topic = kReplies;
  environment_.lifecycle_topic = kOutcomes;
  environment_.build = "test";
  environment_.random = random_.get();
  for (const StepDefinition* step : mentioned_steps()) {
    const std::string topic = step->kind == StepKind::local ? "" : std::string(step->name);
    environment_.steps[std::string(step->name)] = {topic, step->options, step};
  }
}

Drive::~Drive() = default;

const engine::StepSettings& Drive::settings(const StepDefinition& step) const {
  return environment_.steps.find(step.name)->second;
}

void Drive::plan(std::chrono::milliseconds after, engine::Input input, std::string label) {
  queue_.emplace(kStart + after, Due{std::move(input), std::move(label)});
}

bool Drive::run(const std::string& saga_id, const std::string& input) {
  const auto canonical = definition_.canonical_input(input);
  if (!canonical) {
    note_defect("the input does not fit the saga: " + canonical.error().message);
    return true;
  }
  stored_.row.key = 1;
  stored_.row.address = {std::string(definition_.name), saga_id};
  stored_.row.revision = definition_.revision;
  {
    const Watch watch;
    auto started = engine::Instance::start(environment_, definition_, stored_.row.address, stored_.row.key,
                                           {*canonical, {}, "test"}, moment());
    note_offence();
    instance_ = std::move(started.instance);
    transition_ = std::move(started.transition);
  }
  for (std::size_t rounds = 0; rounds < kMaximumRounds; ++rounds) {
    if (transition_) {
      auto transition = std::move(*transition_);
      transition_.reset();
      if (!take(transition)) return false;
    }
    if (!defect_.empty() || !step()) return true;
  }
  note_defect("it does not come to an end: " + std::to_string(kMaximumRounds) + " things happened to it");
  return true;
}

/// The next that happens. False: nothing does any more.
bool Drive::step() {
  const bool over = is_ended(stored_.row.status) || stored_.row.status == SagaStatus::kStuck;
  const Time deadline = over ? kNever : instance_->next_deadline();
  if (queue_.empty() && !over && idle_) {
    if (auto input = idle_()) return advance(*input), true;
  }
  if (!queue_.empty() && queue_.begin()->first <= deadline) {
    const auto due = queue_.begin();
    now_ = std::max(now_, due->first);
    const Due what = std::move(due->second);
    queue_.erase(due);
    return advance(what.input), true;
  }
  if (deadline == kNever) return false;
  now_ = std::max(now_, deadline);
  advance(engine::Wake{{incarnation_}, deadline});
  return true;
}

void Drive::advance(const engine::Input& input) {
  const Watch watch;
  engine::Verdict verdict = instance_->advance(input, moment());
  note_offence();
  if (verdict.judgement == engine::Judgement::kMismatch)
    note_defect("an answer does not fit: " + verdict.reason);
  transition_ = std::move(verdict.transition);
}

/// Durable, then handed over, then gone with the process.
bool Drive::take(engine::Transition& transition) {
  SagaRow& row = stored_.row;
  row.status = transition.status;
  row.wake_at = transition.wake_at;
  row.stuck_reason = transition.stuck_reason;
  row.stuck_step = transition.stuck_step;
  if (transition.row) {
    ++transitions_;
    row.sequence = transition.row->sequence;
    row.run_from = transition.run_from;
    const auto entry = engine::read_entry(transition.row->events);
    if (entry && !entry->events.empty()) last_event_ = entry->events.back();
    stored_.history.push_back(std::move(*transition.row));
    crash();
  }
  for (const engine::LocalAttempt& local : transition.local_attempts)
    if (!hand_over({local.step, local.id, local.input, local.idempotency_key, local.deadline}, true))
      return false;
  for (const Message& message : transition.messages) {
    if (message.topic == kOutcomes || message.topic == kReplies) continue;
    Record record;
    record.topic = message.topic;
    record.key = message.key;
    record.value = message.value;
    record.headers = message.headers;
    const auto command = wire::command_from(record);
    const auto id = command ? wire::parse_command_id(command->id) : std::nullopt;
    if (!id) {
      note_defect("a command cannot be read: " + (command ? command->id : command.error().message));
      return true;
    }
    const auto& all = mentioned_steps();
    const auto step = std::find_if(
        all.begin(), all.end(), [&command](const StepDefinition* one) { return one->name == command->step; });
    if (!hand_over({*step,
                    {id->ordinal, id->phase, id->attempt},
                    command->data,
                    command->idempotency_key,
                    command->expiry},
                   false))
      return false;
  }
  return true;
}

bool Drive::hand_over(const Attempt& attempt, bool local) {
  const auto reaction = react_(attempt);
  if (!reaction) return false;
  Decision decision;
  if (reaction->effect == Reaction::Effect::none)
    decision.failure = reaction->failure;
  else
    decision = ledger_.decide(attempt, *reaction);
  if (reaction->answers == 0 && local) ++incarnation_;  // the process that ran it is gone
  const Time at = reaction->answered_at.value_or(now_ + reaction->latency);
  for (int copy = 0; copy < reaction->answers; ++copy) {
    engine::Input input;
    if (local) {
      using Kind = LocalOutcome::Kind;
      input = engine::LocalResult{
          attempt.id,
          {decision.succeeded ? Kind::succeeded : Kind::refused, decision.output, decision.failure}};
    } else {
      input = engine::ReplyInput{attempt.id, std::string(attempt.step->name), decision.succeeded,
                                 decision.output, decision.failure};
    }
    queue_.emplace(
        at + std::chrono::milliseconds(copy),
        Due{std::move(input), std::string(attempt.step->name) + ' ' + std::to_string(attempt.id.ordinal) +
                                  ' ' + std::to_string(static_cast<int>(attempt.id.phase)) + ' ' +
                                  std::to_string(attempt.id.attempt) + ' ' +
                                  (decision.succeeded ? decision.output : decision.failure.code)});
  }
  return true;
}

/// The process is gone, and another one goes on from what is stored.
void Drive::crash() {
  StoredSaga last{stored_.row, {}, false};
  for (const HistoryRow& row : stored_.history)
    if (row.sequence >= stored_.row.run_from) last.history.push_back(row);
  const Watch watch;
  auto replayed = engine::Instance::replay(environment_, definition_, last);
  note_offence();
  if (replayed.problem) {
    note_defect("replayed from its history it does something else: " + replayed.problem->message);
    return;
  }
  const bool over = is_ended(stored_.row.status) || stored_.row.status == SagaStatus::kStuck;
  if (!over && replayed.instance->situation() != instance_->situation())
    note_defect("replayed from its history it is in another situation than it was");
  instance_ = std::move(replayed.instance);
}

void Drive::note_offence() {
  const std::string offence = Watch::offence();
  if (offence.empty()) return;
  std::string place = "before its first step";
  for (const engine::Event& event : events())
    if (event.kind == engine::EventKind::kStep)
      place = "after step #" + std::to_string(event.ordinal) + " " + event.step;
  note_defect(offence + " (" + place + ")");
}

void Drive::note_defect(std::string sentence) {
  if (defect_.empty()) defect_ = std::move(sentence);
}

std::string Drive::situation() const {
  std::string text = instance_->situation() + '|' + ledger_.situation() + '|';
  for (const auto& [at, due] : queue_) text += std::to_string((at - now_).count()) + ' ' + due.label + ';';
  return text;
}

std::vector<engine::Event> Drive::events() const {
  std::vector<engine::Event> all;
  for (const HistoryRow& row : stored_.history) {
    auto entry = engine::read_entry(row.events);
    if (!entry) continue;
    for (engine::Event& event : entry->events) all.push_back(std::move(event));
  }
  return all;
}

}  // namespace skald::testing::detail
