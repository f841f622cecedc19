// The runtime as serve runs it: with its own threads and real time. Under the thread sanitizer this is the test
// that counts.
#include <atomic>
#include <condition_variable>
#include <set>
#include <thread>
#include <utility>

#include "runtime/runtime.hpp"
#include "runtime/thread_pool_executor.hpp"
#include "world.hpp"

namespace skald::runtime {
namespace {

class SteadyClock final : public Clock {
 public:
  std::chrono::nanoseconds monotonic() const override {
    return std::chrono::steady_clock::now().time_since_epoch();
  }
  Time wall() const override {
    return Time(std::chrono::sys_days(std::chrono::year{2026} / 11 / 21)) +
           std::chrono::duration_cast<std::chrono::milliseconds>(monotonic());
  }
};

class SharedRandom final : public Random {
 public:
  std::uint64_t next() override { return state_.fetch_add(0x9e3779b97f4a7c15ull); }

 private:
  std::atomic<std::uint64_t> state_{1};
};

/// Answers once all the attempts it waits for have come, each on its thread.
class Meeting final : public LocalExecutor {
 public:
  explicit Meeting(std::size_t expected) : missing_(static_cast<int>(expected)) {}
  LocalOutcome execute(std::string_view, StepContext&) override {
    std::unique_lock lock(mutex_);
    --missing_;
    complete_.notify_all();
    const bool met = complete_.wait_for(lock, 60s, [this] { return missing_ <= 0; });
    return {met ? LocalOutcome::Kind::succeeded : LocalOutcome::Kind::unknown, {}, {}};
  }
  LocalOutcome compensate(std::string_view, const std::string*, StepContext&) override { return {}; }

 private:
  std::mutex mutex_;  ///< guards missing_
  std::condition_variable complete_;
  int missing_;
};

class Answers {
 public:
  void add(LocalOutcome::Kind kind) {
    const std::scoped_lock lock(mutex_);
    kinds_.push_back(kind);
    more_.notify_all();
  }
  std::vector<LocalOutcome::Kind> take(std::size_t count) {
    std::unique_lock lock(mutex_);
    more_.wait(lock, [&] { return kinds_.size() >= count; });
    return std::exchange(kinds_, {});
  }

 private:
  std::mutex mutex_;  ///< guards kinds_
  std::condition_variable more_;
  std::vector<LocalOutcome::Kind> kinds_;
};

TEST(Threads, AttemptsHandedOverTogetherAllFindAThread) {
  constexpr std::size_t kThreads = 4;
  World world;
  SteadyClock clock;
  NullLogger logger;
  NullObserver observer;
  Settings settings;
  settings.local_threads = kThreads;
  Answers answers;
  ThreadPoolExecutor executor({world.store, world.bus, clock, world.random, logger, observer}, settings, {});
  for (int round = 0; round < 20; ++round) {
    Meeting meeting(kThreads);
    std::vector<LocalTask> tasks(kThreads);
    for (LocalTask& task : tasks) {
      task.executor = &meeting;
      task.done = [&answers](const LocalOutcome& outcome) { answers.add(outcome.kind); };
    }
    executor.submit(std::move(tasks));
    EXPECT_EQ(answers.take(kThreads), std::vector(kThreads, LocalOutcome::Kind::succeeded)) << round;
  }
}

/// Sends one heartbeat, then says nothing until it is told to stop.
class FallsSilent final : public LocalExecutor {
 public:
  LocalOutcome execute(std::string_view, StepContext& step) override {
    step.heartbeat(Nothing{});
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    const bool told = stopped.wait_for(lock, step.stop(), 60s, [&] { return step.stop().stop_requested(); });
    return {told ? LocalOutcome::Kind::refused : LocalOutcome::Kind::unknown, {}, {}};
  }
  LocalOutcome compensate(std::string_view, const std::string*, StepContext&) override { return {}; }
};

TEST(Threads, AnAttemptThatFallsSilentIsToldToStop) {
  World world;
  SteadyClock clock;
  NullLogger logger;
  NullObserver observer;
  Settings settings;
  std::atomic<int> written{0};
  Answers answers;
  FallsSilent silent;
  ThreadPoolExecutor executor({world.store, world.bus, clock, world.random, logger, observer}, settings, {});
  std::vector<LocalTask> tasks(1);
  tasks.front().executor = &silent;
  tasks.front().heartbeat = 50ms;
  tasks.front().context.heartbeat = [&written](const std::string&) { ++written; };
  tasks.front().done = [&answers](const LocalOutcome& outcome) { answers.add(outcome.kind); };
  executor.submit(std::move(tasks));
  EXPECT_EQ(answers.take(1), std::vector{LocalOutcome::Kind::refused});
  EXPECT_EQ(written, 1);
}

/// Counts how many run at once; each ends when it is let go.
class Gate final : public LocalExecutor {
 public:
  LocalOutcome execute(std::string_view, StepContext&) override {
    std::unique_lock lock(mutex_);
    most_ = std::max(most_, ++running_);
    changed_.notify_all();
    changed_.wait_for(lock, 60s, [this] { return let_go_ > 0; });
    --let_go_;
    --running_;
    return {kind, {}, {}};
  }
  LocalOutcome compensate(std::string_view, const std::string*, StepContext&) override { return {}; }
  void let_go(int count) {
    const std::scoped_lock lock(mutex_);
    let_go_ += count;
    changed_.notify_all();
  }
  void await_running(int count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 60s, [&] { return running_ >= count; }));
  }
  int most() {
    const std::scoped_lock lock(mutex_);
    return most_;
  }
  LocalOutcome::Kind kind = LocalOutcome::Kind::succeeded;

 private:
  std::mutex mutex_;  ///< guards what follows
  std::condition_variable changed_;
  int running_ = 0, most_ = 0, let_go_ = 0;
};

/// Stands still unless moved; any thread.
class MovedClock final : public Clock {
 public:
  std::chrono::nanoseconds monotonic() const override { return std::chrono::nanoseconds(now_.load()); }
  Time wall() const override { return Time(std::chrono::floor<Time::duration>(monotonic())); }
  void advance(std::chrono::nanoseconds by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_{1'000'000'000};
};

/// Waits for what becomes of a breaker.
class BreakerObserver final : public Observer {
 public:
  void breaker_changed(std::string_view, bool open) override {
    const std::scoped_lock lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }
  void await(bool open) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 60s, [&] { return open_ == open; }));
  }

 private:
  std::mutex mutex_;  ///< guards open_
  std::condition_variable changed_;
  bool open_ = false;
};

/// An executor with limits, on a clock that moves when the test says so.
struct Limited {
  explicit Limited(const StepLimitsByName& limits)
      : executor({world.store, world.bus, clock, world.random, logger, observer}, settings, {}, limits) {}
  void submit(LocalExecutor& what, const std::string& step, int count,
              std::optional<std::chrono::nanoseconds> stop_at = std::nullopt) {
    std::vector<LocalTask> tasks(static_cast<std::size_t>(count));
    for (LocalTask& task : tasks) {
      task.executor = &what;
      task.step = step;
      task.stop_at = stop_at;
      task.done = [this](const LocalOutcome& outcome) {
        {
          const std::scoped_lock lock(mutex);
          codes.insert(outcome.failure.code);
        }
        answers.add(outcome.kind);
      };
    }
    executor.submit(std::move(tasks));
  }
  /// An attempt counts until its thread has come back from telling its outcome.
  void await_backlog(std::size_t attempts) {
    while (executor.backlog() > attempts) std::this_thread::yield();
    EXPECT_EQ(executor.backlog(), attempts);
  }

  World world;
  MovedClock clock;
  NullLogger logger;
  BreakerObserver observer;
  Settings settings;
  Answers answers;
  std::mutex mutex;  ///< guards codes
  std::set<std::string> codes;
  ThreadPoolExecutor executor;
};

TEST(Threads, AStepAtItsLimitLeavesTheOtherThreadsToOtherSteps) {
  Limited run({{"charge", {.maximum_concurrent = 2}}});
  Gate charge, mail;
  run.submit(charge, "charge", 100);
  charge.await_running(2);
  run.submit(mail, "mail", 6);
  mail.await_running(6);  // all the other threads of eight
  mail.let_go(6);
  run.answers.take(6);
  charge.let_go(100);
  EXPECT_EQ(run.answers.take(100).size(), 100u);
  EXPECT_EQ(charge.most(), 2);
}

TEST(Threads, AnAttemptOfTheRateLimitBeginsWhenItsTimeHasCome) {
  Limited run({{"charge", {.maximum_starts_per_second = 1}}});
  Gate charge;
  charge.let_go(1000);
  run.submit(charge, "charge", 3);
  run.answers.take(1);
  run.await_backlog(2);
  run.clock.advance(1s);
  run.answers.take(1);
  run.await_backlog(1);
  run.clock.advance(1s);
  run.answers.take(1);
}

TEST(Threads, BehindAnOpenBreakerAttemptsWaitUntilTheirDeadlineAndTheOutcomeIsCertain) {
  Limited run({{"charge", {.breaker = {.failures = 1, .open_for = 1h}}}});
  Gate charge;
  charge.kind = LocalOutcome::Kind::unknown;
  charge.let_go(1000);
  run.submit(charge, "charge", 1);
  EXPECT_EQ(run.answers.take(1).front(), LocalOutcome::Kind::unknown);
  run.observer.await(true);
  run.submit(charge, "charge", 3, run.clock.monotonic() + 20s);
  run.submit(charge, "charge", 1);
  EXPECT_EQ(run.executor.backlog(), 4u);
  run.clock.advance(20s);
  EXPECT_EQ(run.answers.take(3), std::vector(3, LocalOutcome::Kind::refused));
  EXPECT_TRUE(run.codes.contains("expired"));
  charge.kind = LocalOutcome::Kind::succeeded;
  run.clock.advance(1h);
  EXPECT_EQ(run.answers.take(1).front(), LocalOutcome::Kind::succeeded) << "half-open, it was let through";
  run.observer.await(false);
}

TEST(Threads, AProcessThatStopsDoesNotWaitForItsLimits) {
  Limited run({{"charge", {.maximum_starts_per_second = 0.001}}});
  Gate charge;
  charge.let_go(1000);
  run.submit(charge, "charge", 5);
  run.answers.take(1);
  run.executor.request_stop();
  EXPECT_EQ(run.answers.take(4), std::vector(4, LocalOutcome::Kind::refused));
  EXPECT_TRUE(run.codes.contains("stopped"));
}

TEST(Threads, TwoProcessesFinishEverythingAndDrain) {
  constexpr std::size_t kSagas = 200;
  World world;  // for its registry, topics and participants; its clock stands still
  SteadyClock clock;
  SharedRandom random;
  memory::MemoryStore store(clock);
  NullLogger logger;
  NullObserver observer;
  const auto make = [&] {
    engine::Environment environment;
    environment.name_space = "test";
    environment.reply_topic = "replies";
    environment.lifecycle_topic = "lifecycle";
    environment.build = "build-1";
    for (const auto* step : {&step_definition<Reserve>(), &step_definition<Charge>(),
                             &step_definition<Ship>(), &step_definition<Book>()})
      environment.steps[std::string(step->name)] = {std::string(step->topic), step->options, step};
    std::vector<TriggerRoute> routes;
    for (const TriggerDefinition& trigger : world.registry.triggers()) routes.push_back({"orders", trigger});
    Settings own;
    own.poll_timeout = 5ms;
    own.local_threads = 2;
    return std::make_unique<Runtime>(Runtime::Parts{{store, world.bus, clock, random, logger, observer},
                                                    world.registry,
                                                    environment,
                                                    routes,
                                                    own,
                                                    nullptr});
  };
  auto first = make();
  auto second = make();
  first->start();
  second->start();
  const auto deadline = clock.monotonic() + 60s;
  while (!first->health().assigned && clock.monotonic() < deadline) std::this_thread::yield();
  auto answer = first->start_saga("with-local", "l-1", R"({"id":"l-1","cents":5})", {}, "test", 20s);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->kind, StartAnswer::Kind::kStarted);
  for (std::size_t index = 0; index < kSagas; ++index) world.order("o-" + std::to_string(index));

  const auto completed = [&] {
    std::size_t count = 0;
    for (const StoredSaga& saga : store.sagas()) count += saga.row.status == SagaStatus::kCompleted ? 1 : 0;
    return count;
  };
  while (completed() < kSagas + 1 && clock.monotonic() < deadline)
    if (!world.participants->run_once()) std::this_thread::yield();
  EXPECT_EQ(completed(), kSagas + 1);
  EXPECT_TRUE(first->health().alive);
  auto again = second->start_saga("with-local", "l-1", R"({"id":"l-1","cents":5})", {}, "test", 20s);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->kind, StartAnswer::Kind::kDuplicate);
  EXPECT_TRUE(first->drain());
  EXPECT_TRUE(second->drain());
  EXPECT_TRUE(store.outbox().empty());
  EXPECT_EQ(world.outcomes().size(), kSagas + 1);
}

}  // namespace
}  // namespace skald::runtime
