// The shadow's drive: a queue of what is to reach the saga, and a clock that jumps to the next of it.
#include "reprocess/shadow.hpp"

#include <algorithm>

#include "engine/event.hpp"
#include "engine/instance.hpp"
#include "wire/command_id.hpp"

namespace skald::reprocess {
namespace {

constexpr std::size_t kMaximumRounds = 100'000;

/// Gives what was recorded under a name, in order.
class Values final : public engine::ValueSource {
 public:
  explicit Values(const Recorded& recorded) : values_(recorded.values) {}
  std::optional<std::string> take(std::string_view name) override {
    const auto found = values_.find(name);
    if (found == values_.end() || found->second.empty()) return std::nullopt;
    std::string value = std::move(found->second.front());
    found->second.pop_front();
    return value;
  }

 private:
  std::map<std::string, std::deque<std::string>, std::less<>> values_;
};

class Run {
 public:
  Run(const engine::Environment& environment, const SagaDefinition& definition, const Recorded& recorded)
      : environment_(environment),
        definition_(definition),
        recorded_(recorded),
        values_(recorded),
        used_(recorded.steps.size(), false),
        now_(recorded.started_at) {
    environment_.values = &values_;
    for (const RecordedInput& one : recorded.inputs) queue_.emplace(now_ + one.after, one.input);
  }

  Shadow run(const std::string& input) {
    auto started = engine::Instance::start(environment_, definition_, recorded_.row.address,
                                           recorded_.row.key, {input, {}, "shadow"}, moment());
    instance_ = std::move(started.instance);
    take(started.transition);
    for (std::size_t round = 0; !over(); ++round) {
      if (round == kMaximumRounds) return halt("it does not come to an end");
      if (!shadow_.halted.empty()) return std::move(shadow_);
      if (!step()) return halt("it waits for something that is not in the history");
    }
    return std::move(shadow_);
  }

 private:
  [[nodiscard]] engine::Moment moment() const { return {now_, 1, nullptr}; }
  [[nodiscard]] bool over() const { return is_ended(shadow_.status) || shadow_.status == SagaStatus::kStuck; }
  Shadow halt(std::string why) {
    shadow_.halted = std::move(why);
    return std::move(shadow_);
  }

  /// The next that happens; false: nothing does any more.
  bool step() {
    const Time deadline = instance_->next_deadline();
    if (!queue_.empty() && queue_.begin()->first <= deadline) {
      const auto due = queue_.begin();
      now_ = std::max(now_, due->first);
      const engine::Input input = std::move(due->second);
      queue_.erase(due);
      return advance(input), true;
    }
    if (deadline == kNever) return false;
    now_ = std::max(now_, deadline);
    return advance(engine::Wake{{1}, deadline}), true;
  }

  void advance(const engine::Input& input) {
    auto verdict = instance_->advance(input, moment());
    if (verdict.transition) take(*verdict.transition);
  }

  void take(const engine::Transition& transition) {
    shadow_.status = transition.status;
    shadow_.stuck = transition.stuck_reason;
    if (transition.row) note(*transition.row);
    for (const engine::LocalAttempt& local : transition.local_attempts)
      answer(local.id, std::string(local.step->name), local.input, true);
    for (const Message& message : transition.messages) {
      const auto id = wire::parse_command_id(message.command_id);
      if (!id) continue;  // an outcome, an answer to a parent
      const auto header = std::find_if(message.headers.begin(), message.headers.end(),
                                       [](const Header& one) { return one.name == "ce_type"; });
      if (header != message.headers.end())
        answer({id->ordinal, id->phase, id->attempt}, header->value, message.value.value_or(""), false);
    }
  }

  void note(const HistoryRow& row) {
    const auto entry = engine::read_entry(row.events);
    if (!entry) return;
    for (const engine::Event& event : entry->events) {
      if (event.kind == engine::EventKind::kEnded) {
        shadow_.output = event.data;
        shadow_.failure = event.failure;
      }
      if (event.kind == engine::EventKind::kStuck && !event.failure.message.empty())
        shadow_.stuck += ": " + event.failure.message;
    }
  }

  void answer(const engine::AttemptId& id, const std::string& name, const std::string& input, bool local) {
    const bool undo = id.phase == wire::Phase::kCompensation;
    if (id.attempt > 1) return;  // nobody answers what went unanswered then
    const auto place = undo ? of_ordinal(id.ordinal) : match(name, input);
    shadow_.steps.push_back({name, input, undo, place});
    ordinals_[id.ordinal] = place;
    if (undo) return reply(id, name, {RecordedStep::End::kSucceeded, "{}", {}}, {}, local);
    if (!place) {
      shadow_.halted = "step " + name + " is new, and nobody knows how it would end";
      return;
    }
    const RecordedStep& step = recorded_.steps[*place];
    const bool unknown = step.end == RecordedStep::End::kNone || step.failure.unknown;
    if (unknown && !local) return;  // time will tell
    if (unknown) return come_to_nothing(id, step);
    reply(id, name, {step.end, step.output, step.failure}, step.took, local);
  }

  /// A local attempt is known to the process that runs it.
  void come_to_nothing(const engine::AttemptId& id, const RecordedStep& step) {
    Failure failure = step.failure;
    if (failure.code.empty()) failure.code = failure_code::kInterrupted;
    failure.retry = Retry::never;
    failure.unknown = true;
    queue_.emplace(now_ + step.took, engine::LocalResult{id, {LocalOutcome::Kind::unknown, {}, failure}});
  }

  struct Answer {
    RecordedStep::End end;
    std::string output;
    Failure failure;
  };
  void reply(const engine::AttemptId& id, const std::string& name, Answer answer,
             std::chrono::milliseconds took, bool local) {
    const bool succeeded = answer.end == RecordedStep::End::kSucceeded;
    if (!succeeded) answer.failure.retry = Retry::never;
    engine::Input input = engine::ReplyInput{id, name, succeeded, answer.output, answer.failure};
    using Kind = LocalOutcome::Kind;
    if (local)
      input = engine::LocalResult{
          id, {succeeded ? Kind::succeeded : Kind::refused, std::move(answer.output), answer.failure}};
    queue_.emplace(now_ + std::max(took, std::chrono::milliseconds{0}), std::move(input));
  }

  [[nodiscard]] std::optional<std::size_t> of_ordinal(int ordinal) const {
    const auto found = ordinals_.find(ordinal);
    return found == ordinals_.end() ? std::nullopt : found->second;
  }

  /// The first recorded step of this name with this input that has answered nobody yet, else the first of this name.
  std::optional<std::size_t> match(const std::string& name, const std::string& input) {
    std::optional<std::size_t> found;
    for (std::size_t place = 0; place < recorded_.steps.size(); ++place) {
      const RecordedStep& step = recorded_.steps[place];
      if (used_[place] || step.name != name) continue;
      if (!found) found = place;
      if (step.input != input) continue;
      found = place;
      break;
    }
    if (found) used_[*found] = true;
    return found;
  }

  engine::Environment environment_;
  const SagaDefinition& definition_;
  const Recorded& recorded_;
  Values values_;
  std::vector<bool> used_;
  Time now_;
  std::map<int, std::optional<std::size_t>> ordinals_;
  std::multimap<Time, engine::Input> queue_;
  std::unique_ptr<engine::Instance> instance_;
  Shadow shadow_;
};

}  // namespace

Shadow run_shadow(const engine::Environment& environment, const SagaDefinition& definition,
                  const std::string& input, const Recorded& recorded) {
  return Run(environment, definition, recorded).run(input);
}

}  // namespace skald::reprocess
