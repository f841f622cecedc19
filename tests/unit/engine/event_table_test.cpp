// The transition table. Method: a script for each way to an event; every script of every test is held against the table
// as well (Script::keep).
#include "sagas.hpp"

namespace skald::engine {
namespace {

/// Something of everything the code can do.
class Doer : public Saga<Order, Done> {
 public:
  static constexpr std::string_view name = "doer";
  Done rename(const Done& to) { return name_ = to; }
  static constexpr std::array signals{signal<Done>("go")};
  static constexpr std::array updates{update<&Doer::rename>("rename")};
  Task<Done> run(Context& saga, Order order) override {
    co_await saga.record("number", [] { return Nothing{}; });
    static_cast<void>(saga.patched("patch"));
    const auto reserved = saga.start<Reserve>(order);
    saga.cancel(reserved);
    co_await saga.sleep(1s);
    if (order.cents > 0) co_await saga.continue_as_new(Order{order.id, 0});
    co_return co_await saga.signal<Done>("go");
  }

 private:
  Done name_;
};

/// A local step beside a command step.
struct Beside : Saga<Order, Done> {
  static constexpr std::string_view name = "beside";
  static constexpr std::array signals{signal<Done>("go")};
  Task<Done> run(Context& saga, Order order) override {
    const auto booked = saga.start<Book>(order);
    const auto reserved = saga.start<Reserve>(order);
    co_await saga.step<Charge>(order);
    co_await saga.all(booked, reserved);
    co_return Done{};
  }
};

struct GivesUpLocal : Saga<Order, Done> {
  static constexpr std::string_view name = "gives-up-local";
  Task<Done> run(Context& saga, Order order) override {
    const auto booked = saga.start<Book>(order);
    co_await saga.step<Charge>(order);
    saga.cancel(booked);
    co_return Done{};
  }
};

using Taken = std::set<std::pair<SagaStatus, EventKind>>;

ParentCommand from_parent(Phase phase, int attempt = 1) {
  const std::string id =
      "test/parent/o-9/1/" + std::string(wire::to_string(phase)) + "/" + std::to_string(attempt);
  return {id, "three-steps", "replies", phase, "", 1, false};
}

void stick(Script& run) { run.advance(Poison{"poison-input", "x", "y"}); }

template <class S>
void start_child(Script& run) {
  run.start<S>("o-1", {R"({"id":"o-1","cents":100})", {}, "test", from_parent(Phase::kAction)});
}

void book(Script& run, LocalOutcome::Kind kind, Phase phase = Phase::kAction) {
  run.advance(LocalResult{{1, phase, 1}, {kind, R"({"id":"x"})", {"no", "no", Retry::never, false}}});
}

void beat(Script& run) { run.advance(HeartbeatInput{{1, Phase::kAction, 1}, {}, "{}"}); }

void everything_running(Script& run) {
  run.start<Doer>();
  beat(run);  // nobody's any more
  run.undo_fails(1, Retry::allowed);
  run.pass(2s);
  run.undone(1, 2);
  run.pass(0ms);
  run.advance(UpdateInput{"rename", "/test", "u", R"({"id":"x"})"});
  run.pass(1s);
  run.advance(SignalInput{"go", "/test", "s", R"({"id":"x"})", false});
}

void forward(Script& run) {
  start_child<Beside>(run);
  beat(run);
  book(run, LocalOutcome::Kind::later);
  run.advance(from_parent(Phase::kAction, 2));
  run.decide(OperatorVerb::pause, 0), run.decide(OperatorVerb::resume, 0);
  run.fail(3, "busy", Retry::allowed);
  run.pass(2s);
  run.decide(OperatorVerb::cancel, 0);
}

/// It rolls back while its local step runs.
void rolling_back(Script& run, LocalOutcome::Kind kind) {
  start_child<Beside>(run);
  run.succeed(2);
  run.fail(3, "no-money", Retry::never);
  beat(run);
  run.advance(from_parent(Phase::kCompensation));
  run.decide(OperatorVerb::pause, 0), run.decide(OperatorVerb::resume, 0);
  book(run, kind);
  run.undo_fails(2, Retry::allowed);
  run.pass(2s);
  run.undone(2, 2);
  book(run, LocalOutcome::Kind::succeeded, Phase::kCompensation);
}

void reset(Script& run) {
  run.start<Parallel>();
  run.succeed(1);
  run.reset(1, true);
  run.pass(0ms);
}

void late_success(Script& run, bool stuck) {
  run.options("reserve").schedule_to_close = 10s;
  run.start<Parallel>();
  run.pass(10s);
  if (stuck)
    stick(run);
  else
    run.succeed(2);  // its compensation goes first
  run.succeed(1);
}

void late_success_running(Script& run) {
  run.options("reserve").schedule_to_close = 10s;
  run.start<Beside>();
  run.pass(10s);
  run.succeed(2);
}

void stuck(Script& run) {
  start_child<Beside>(run);
  stick(run);
  beat(run);
  run.advance(SignalInput{"go", "/test", "s", R"({"id":"x"})", false});
  run.advance(from_parent(Phase::kCompensation));
  book(run, LocalOutcome::Kind::later);
  run.succeed(2);
  run.fail(3, "no-money", Retry::never);
  stick(run);
  run.decide(OperatorVerb::end, 0);
}

void stuck_while_rolling_back(Script& run) {
  run.start<ThreeSteps>();
  run.succeed(1), run.succeed(2), run.fail(3, "no-truck", Retry::never);
  stick(run);
  run.undo_fails(2, Retry::allowed);
  run.decide(OperatorVerb::retry, 0);
  run.pass(2s);
  stick(run);
  run.undone(2, 2);
}

void completed_child(Script& run) {
  start_child<ThreeSteps>(run);
  run.succeed(1), run.succeed(2), run.succeed(3);
  run.advance(from_parent(Phase::kCompensation));
}

TEST(EventTable, EveryEventIsTakenInEveryStatusThatHasIt) {
  Taken taken;
  const auto play = [&taken](const auto& script) {
    Script run;
    script(run);
    taken.insert(run.taken().begin(), run.taken().end());
  };
  play(everything_running);
  play(forward);
  for (const auto kind :
       {LocalOutcome::Kind::succeeded, LocalOutcome::Kind::refused, LocalOutcome::Kind::later})
    play([kind](Script& run) { rolling_back(run, kind); });
  play([](Script& run) { late_success(run, false); });
  play([](Script& run) { late_success(run, true); });
  play(late_success_running);
  play(reset);
  play(stuck);
  play(stuck_while_rolling_back);
  play(completed_child);
  play([](Script& run) {
    run.start<ThreeSteps>(), run.succeed(1), stick(run), run.decide(OperatorVerb::retry, 0);
  });
  play([](Script& run) { run.start<ThreeSteps>(), run.succeed(1), run.fail(2, "x", Retry::never); });
  play([](Script& run) {
    run.start<ThreeSteps>(), run.succeed(1), run.fail(2, "x", Retry::never), stick(run);
  });
  for (const EventRow& row : kEventTable)
    for (const SagaStatus status :
         {SagaStatus::kRunning, SagaStatus::kRollingBack, SagaStatus::kStuck, SagaStatus::kCompleted})
      EXPECT_EQ(taken.contains({status, row.kind}), may_happen(status, row.kind))
          << to_string(row.kind) << " in status " << skald::to_string(status);
}

TEST(EventTable, HasARowForEachEvent) {
  for (auto kind = EventKind::kStarted; kind <= EventKind::kEnded;
       kind = static_cast<EventKind>(static_cast<int>(kind) + 1))
    EXPECT_EQ(std::count_if(kEventTable.begin(), kEventTable.end(),
                            [&](const EventRow& row) { return row.kind == kind; }),
              1)
        << to_string(kind);
}

/// A completion nobody waits for any more is not waited for: what may have taken effect is undone.
TEST(EventTable, LocalStepLeftBehindDuringARollbackIsCompensated) {
  Script run(Mode::kReplayedEachTime);
  rolling_back(run, LocalOutcome::Kind::later);
  EXPECT_EQ(run.status().status, SagaStatus::kCompensated);
}

TEST(EventTable, LocalStepLeftBehindAfterItWasGivenUpIsCompensated) {
  Script run(Mode::kReplayedEachTime);
  run.start<GivesUpLocal>();
  run.succeed(2);
  EXPECT_EQ(run.status().status, SagaStatus::kRunning) << "it still runs";
  book(run, LocalOutcome::Kind::later);
  book(run, LocalOutcome::Kind::succeeded, Phase::kCompensation);
  EXPECT_EQ(run.status().status, SagaStatus::kCompleted);
}

}  // namespace
}  // namespace skald::engine
