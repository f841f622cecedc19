// Script: drives one saga instance by hand. Steps of a small order process, a Script that feeds inputs and keeps the
// history as a store would, and, when asked, replays the saga from that history after every transition, so that each
// test also proves that a crash at any point changes nothing.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/event.hpp"
#include "engine/event_table.hpp"
#include "engine/instance.hpp"
#include "engine/status_table.hpp"
#include "skald/skald.hpp"

namespace skald::engine {

using namespace std::chrono_literals;

struct Order {
  std::string id;
  std::int64_t cents = 0;
};
SKALD_FIELDS(Order, id, cents)
struct Done {
  std::string id;
};
SKALD_FIELDS(Done, id)
struct Undo {
  std::string order;
  std::optional<std::string> output;
};
SKALD_FIELDS(Undo, order, output)

/// Three command steps that differ in name, topic and options.
template <const char* kName>
struct OrderStep : CommandStep<Order, Done> {
  static constexpr std::string_view name = kName;
  static constexpr std::string_view topic = "commands";
  static Undo compensation(const Order& order, const std::optional<Done>& done) {
    return {order.id, done ? std::optional(done->id) : std::nullopt};
  }
};
inline constexpr char kReserve[] = "reserve";
inline constexpr char kCharge[] = "charge";
inline constexpr char kShip[] = "ship";
using Reserve = OrderStep<kReserve>;
using Charge = OrderStep<kCharge>;
using Ship = OrderStep<kShip>;

struct Notify : CommandStep<Order, Nothing> {
  static constexpr std::string_view name = "notify";
  static constexpr std::string_view topic = "mail";
  static constexpr NoCompensation compensation{"a mail cannot be unsent"};
};

class Book : public LocalStep<Order, Done> {
 public:
  static constexpr std::string_view name = "book";
  Done execute(const Order& order, StepContext&) override { return {order.id}; }
  void compensate(const Order&, const std::optional<Done>&, StepContext&) override {}
};

class FixedRandom final : public Random {
 public:
  std::uint64_t next() override { return UINT64_MAX / 2; }
};

/// How a Script treats the instance between transitions.
enum class Mode { kCached, kReplayedEachTime };

class Script {
 public:
  explicit Script(Mode mode = Mode::kCached) : mode_(mode) {
    environment_.name_space = "test";
    environment_.reply_topic = "replies";
    environment_.lifecycle_topic = "lifecycle";
    environment_.build = "build-1";
    environment_.random = &random_;
    for (const auto* step : {&step_definition<Reserve>(), &step_definition<Charge>(),
                             &step_definition<Ship>(), &step_definition<Notify>(), &step_definition<Book>()})
      environment_.steps[std::string(step->name)] = {std::string(step->topic), step->options, step};
  }

  Environment& environment() { return environment_; }
  StepOptions& options(const std::string& step) { return environment_.steps.at(step).options; }
  Time now() const { return now_; }

  template <class S>
  void start(const std::string& input = R"({"id":"o-1","cents":100})") {
    start<S>("o-1", {input, {}, "test"});
  }
  template <class S>
  void start(const std::string& saga_id, const StartInput& input) {
    definition_ = make_saga_definition<S>();
    SagaAddress address{std::string(definition_.name), saga_id};
    auto started = Instance::start(environment_, definition_, address, 7, input, moment());
    stored_.row.key = 7;
    stored_.row.address = address;
    instance_ = std::move(started.instance);
    keep(started.transition);
  }

  Verdict verdict(const Input& input) {
    Verdict verdict = instance_->advance(input, moment());
    reason_ = verdict.reason;
    if (verdict.transition) keep(*verdict.transition);
    return verdict;
  }
  Judgement advance(const Input& input) { return verdict(input).judgement; }
  /// As any process would: from history alone.
  Result<std::string> ask(const std::string& name, const std::string& input) {
    const auto replayed = Instance::replay_to_ask(environment_, definition_, stored_);
    if (replayed.problem) return Error{ErrorKind::kRefused, "", replayed.problem->message};
    return replayed.instance->query(name, input);
  }

  Judgement succeed(int ordinal, int attempt = 1, const std::string& data = "") {
    return advance(reply(ordinal, Phase::kAction, attempt, true, data.empty() ? done(ordinal) : data));
  }
  Judgement fail(int ordinal, const std::string& code, Retry retry, int attempt = 1) {
    ReplyInput input = reply(ordinal, Phase::kAction, attempt, false, "");
    input.failure = {code, "no", retry, false};
    return advance(input);
  }
  Judgement undone(int ordinal, int attempt = 1) {
    return advance(reply(ordinal, Phase::kCompensation, attempt, true, "{}"));
  }
  Judgement undo_fails(int ordinal, Retry retry, int attempt = 1) {
    ReplyInput input = reply(ordinal, Phase::kCompensation, attempt, false, "");
    input.failure = {"cannot", "no", retry, false};
    return advance(input);
  }
  /// Time passes and the saga is woken.
  Judgement pass(std::chrono::milliseconds time, std::vector<Incarnation> live = {1}) {
    now_ += time;
    return advance(Wake{std::move(live)});
  }
  Judgement decide(OperatorVerb verb, int ordinal, const std::string& result = "") {
    return advance(OperatorAction{verb, status().sequence, ordinal, result, "ann", "because"});
  }

  Judgement reset(std::int64_t to, bool keeps_effects) {
    return advance(
        OperatorAction{OperatorVerb::reset, status().sequence, 0, "", "ann", "because", {to, keeps_effects}});
  }

  PauseSet pauses;

  /// From now on a stuck saga is not rebuilt: as within one commit.
  void keep_stuck() {
    mode_ = Mode::kCached;
    rebuilds_stuck_ = false;
  }
  /// As after a crash: from history alone; another definition stands for a deploy.
  std::optional<ReplayProblem> reload() {
    auto replayed = Instance::replay(environment_, definition_, stored_);
    instance_ = std::move(replayed.instance);
    return replayed.problem;
  }
  template <class S>
  std::optional<ReplayProblem> deploy() {
    definition_ = make_saga_definition<S>();
    return reload();
  }

  /// What went out since the last call: "step phase attempt", local ones marked, outcome events by type.
  std::vector<std::string> sent() { return std::exchange(sent_, {}); }
  const std::vector<Message>& messages() const { return messages_; }
  const std::vector<LocalAttempt>& local() const { return local_; }
  const SagaRow& status() const { return stored_.row; }
  StoredSaga& stored() { return stored_; }
  Instance& instance() { return *instance_; }
  const std::string& reason() const { return reason_; }
  std::vector<std::pair<SagaStatus, SagaStatus>>& changes() { return changes_; }
  /// What has happened, and in which status.
  const std::set<std::pair<SagaStatus, EventKind>>& taken() const { return taken_; }
  std::string header(std::size_t message, const std::string& name) const {
    for (const auto& header : messages_.at(message).headers)
      if (header.name == name) return header.value;
    return {};
  }

 private:
  Moment moment() const { return {now_, 1, &pauses}; }
  static std::string done(int ordinal) { return "{\"id\":\"done-" + std::to_string(ordinal) + "\"}"; }

  ReplyInput reply(int ordinal, Phase phase, int attempt, bool succeeded, std::string data) {
    ReplyInput input;
    input.id = {ordinal, phase, attempt};
    input.step = step_of_.count(ordinal) ? step_of_.at(ordinal) : "reserve";
    input.succeeded = succeeded;
    input.data = std::move(data);
    return input;
  }

  void keep(const Transition& transition) {
    if (transition.row) {
      ASSERT_EQ(transition.row->sequence, stored_.row.sequence + 1);
      note_events(*transition.row, transition.status);
      stored_.history.push_back(*transition.row);
      stored_.row.sequence = transition.row->sequence;
      stored_.row.run_from = transition.run_from;
      if (stored_.row.sequence > 1) changes_.emplace_back(stored_.row.status, transition.status);
    }
    stored_.row.status = transition.status;
    stored_.row.stuck_reason = transition.stuck_reason;
    stored_.row.stuck_step = transition.stuck_step;
    stored_.row.wake_at = transition.wake_at;
    for (const Message& message : transition.messages) note(message);
    for (const LocalAttempt& local : transition.local_attempts) {
      local_.push_back(local);
      sent_.push_back("local " + describe(std::string(local.step->name), local.id));
    }
    const bool stuck = rebuilds_stuck_ && transition.status == SagaStatus::kStuck;
    if (mode_ == Mode::kReplayedEachTime || stuck || instance_->spent()) {
      const Time deadline = instance_->next_deadline();
      const auto problem = reload();
      ASSERT_FALSE(problem) << problem->message << "\n" << stored_.history.back().events;
      if (local_.empty() && pauses.steps.empty()) {  // when to look again is in memory only
        EXPECT_EQ(instance_->next_deadline(), deadline);
      }
    }
  }

  /// Holds them against the transition table.
  void note_events(const HistoryRow& row, SagaStatus after) {
    const auto entry = read_entry(row.events);
    ASSERT_TRUE(entry) << entry.error().message;
    SagaStatus status = stored_.row.status;
    for (const Event& event : entry->events) {
      EXPECT_TRUE(may_happen(status, event.kind))
          << to_string(event.kind) << " in status " << skald::to_string(status);
      taken_.insert({status, event.kind});
      if (status != SagaStatus::kStuck && event.kind == EventKind::kStuck) before_stuck_ = status;
      status = status_after(event, status);
    }
    EXPECT_EQ(status, after) << row.events;
  }
  SagaStatus status_after(const Event& event, SagaStatus status) const {
    const bool undo = event.phase == Phase::kCompensation;
    switch (event.kind) {
      case EventKind::kRollback: return SagaStatus::kRollingBack;
      case EventKind::kStuck: return SagaStatus::kStuck;
      case EventKind::kParent:
        return undo && status == SagaStatus::kCompleted ? SagaStatus::kRollingBack : status;
      case EventKind::kOperator:
        if (status != SagaStatus::kStuck || event.reason == "end" || event.reason == "terminate")
          return status;
        return event.reason == "compensate" ? SagaStatus::kRollingBack : before_stuck_;
      case EventKind::kEnded:
        if (event.reason == "completed") return SagaStatus::kCompleted;
        if (event.reason == "compensated") return SagaStatus::kCompensated;
        return event.reason == "cancelled" ? SagaStatus::kCancelled : SagaStatus::kTerminated;
      default: return status;
    }
  }

  void note(const Message& message) {
    messages_.push_back(message);
    if (message.topic == "lifecycle" || message.topic == "replies")
      return sent_.push_back(header(messages_.size() - 1, "ce_type"));
    const auto id = wire::parse_command_id(message.command_id);
    ASSERT_TRUE(id) << message.command_id;
    const std::string step = header(messages_.size() - 1, "ce_type");
    step_of_[id->ordinal] = step;
    sent_.push_back(describe(step, {id->ordinal, id->phase, id->attempt}));
  }
  static std::string describe(const std::string& step, AttemptId id) {
    return step + (id.phase == Phase::kAction ? " action " : " compensation ") + std::to_string(id.attempt);
  }

  Mode mode_;
  bool rebuilds_stuck_ = true;
  FixedRandom random_;
  Environment environment_;
  SagaDefinition definition_;
  std::unique_ptr<Instance> instance_;
  StoredSaga stored_;
  Time now_{1'000'000ms};
  std::vector<std::string> sent_;
  std::vector<Message> messages_;
  std::vector<LocalAttempt> local_;
  std::map<int, std::string> step_of_;
  std::string reason_;
  std::vector<std::pair<SagaStatus, SagaStatus>> changes_;
  std::set<std::pair<SagaStatus, EventKind>> taken_;
  SagaStatus before_stuck_ = SagaStatus::kRunning;
};

/// Every test of it runs twice: with the instance cached, and rebuilt from history after every transition.
class EngineTest : public ::testing::TestWithParam<Mode> {
 protected:
  Script run{GetParam()};
};

}  // namespace skald::engine
