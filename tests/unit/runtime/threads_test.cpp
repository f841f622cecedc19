// The runtime as serve runs it: with its own threads and real time. Under the thread sanitizer this is the test
// that counts.
#include <condition_variable>
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
      environment.steps[std::string(step->name)] = {std::string(step->topic), step->options};
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
