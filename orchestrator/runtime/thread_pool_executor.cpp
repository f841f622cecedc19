// Running local steps on threads.
#include "runtime/thread_pool_executor.hpp"

#include <algorithm>

namespace skald::runtime {

namespace {
constexpr std::chrono::milliseconds kSuperviseInterval{100};

/// For the breaker: a final refusal is an answer like any other.
bool is_failure(const LocalOutcome& outcome) {
  using Kind = LocalOutcome::Kind;
  return outcome.kind == Kind::unknown ||
         (outcome.kind == Kind::refused && outcome.failure.retry == Retry::allowed);
}
}  // namespace

ThreadPoolExecutor::ThreadPoolExecutor(const Seams& seams, const Settings& settings,
                                       std::function<void(const std::string& step)> overrun,
                                       const StepLimitsByName& limits)
    : seams_(seams), settings_(settings), overrun_(std::move(overrun)), waiting_(limits) {
  supervised_at_ = now() + kSuperviseInterval;  // from here on, however late its thread begins
  for (std::size_t index = 0; index < settings.local_threads; ++index)
    threads_.emplace_back([this] { work(); });
  threads_.emplace_back([this] { supervise(); });
}

ThreadPoolExecutor::~ThreadPoolExecutor() {
  request_stop();
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  arrived_.notify_all();
  ended_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPoolExecutor::submit(std::vector<LocalTask> tasks) {
  const std::scoped_lock lock(mutex_);
  for (LocalTask& task : tasks) waiting_.push(std::move(task));
  wake_one();
  hurry_supervisor();
}

/// Each thread that takes a task wakes the next while tasks may begin: steps that take long soon have all threads, steps that
/// answer at once are done by the few that are awake, without a wake-up for every task.
void ThreadPoolExecutor::wake_one() {
  if (idle_ == 0 || waking_ || !waiting_.can_pop(now())) return;
  waking_ = true;
  arrived_.notify_one();
}

/// Something that waits for its time may have it before the supervisor looks again.
void ThreadPoolExecutor::hurry_supervisor() {
  const auto next = waiting_.next_pop(now());
  if (!next || *next >= supervised_at_ || hurried_) return;
  hurried_ = true;
  ended_.notify_all();
}

std::size_t ThreadPoolExecutor::backlog() const {
  const std::scoped_lock lock(mutex_);
  return waiting_.size() + ending_unbegun_ + running_.size();
}

void ThreadPoolExecutor::request_stop() {
  std::vector<std::stop_source> stops;  // their callbacks are the author's code: called without the mutex
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = hurried_ = true;
    for (Running& running : running_) stops.push_back(running.stop);
  }
  ended_.notify_all();
  for (std::stop_source& stop : stops) stop.request_stop();
}

void ThreadPoolExecutor::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    std::optional<LocalQueue::Started> started;
    while (!ending_ && !(started = waiting_.pop(now()))) {
      hurry_supervisor();
      ++idle_;
      arrived_.wait(lock);
      --idle_;
      waking_ = false;
    }
    if (ending_) return;
    LocalTask& task = started->task;
    wake_one();
    const auto place = running_.insert(running_.end(), {task.step, task.stop_at, std::stop_source(), false});
    if (stopping_) place->stop.request_stop();
    task.context.stop = place->stop.get_token();
    watch_heartbeats(task, *place);
    lock.unlock();
    LocalOutcome outcome = run(task);
    const bool failed = is_failure(outcome);
    task.done(std::move(outcome));
    lock.lock();
    running_.erase(place);
    tell(waiting_.end(task.step, started->ticket, failed, now()), task.step);
  }
}

void ThreadPoolExecutor::watch_heartbeats(LocalTask& task, Running& running) {
  if (!task.context.heartbeat || !task.heartbeat) return;
  task.context.heartbeat = [this, &running, limit = *task.heartbeat,
                            write = std::move(task.context.heartbeat)](std::string details) {
    {
      const std::scoped_lock lock(mutex_);
      running.beat_by = now() + limit;
    }
    write(std::move(details));
  };
}

LocalOutcome ThreadPoolExecutor::run(LocalTask& task) {
  if (task.executor == nullptr)
    return {
        LocalOutcome::Kind::refused, {}, {"no-executor", "no object of this step here", Retry::never, false}};
  StepContext context(std::move(task.context));
  if (!task.compensation) return task.executor->execute(task.input, context);
  return task.executor->compensate(task.input, task.output ? &*task.output : nullptr, context);
}

void ThreadPoolExecutor::supervise() {
  std::unique_lock lock(mutex_);
  std::chrono::nanoseconds look_at = supervised_at_;
  while (!ending_) {
    const auto from = now();
    supervised_at_ = std::min(look_at, waiting_.next_pop(from).value_or(look_at));
    hurried_ = false;
    ended_.wait_for(lock, std::max(supervised_at_ - from, std::chrono::nanoseconds(0)),
                    [this] { return ending_ || hurried_; });
    if (ending_) return;
    wake_one();
    if (now() < look_at && !stopping_) continue;
    look_at = now() + kSuperviseInterval;
    look_for_overdue(lock);
    end_overdue(lock);
    tell_waiting();
  }
}

/// With a process that stops goes what its limits let wait: another process takes it up.
void ThreadPoolExecutor::end_overdue(std::unique_lock<std::mutex>& lock) {
  std::vector<LocalTask> overdue = waiting_.take_overdue(now(), stopping_);
  if (overdue.empty()) return;
  ending_unbegun_ += overdue.size();
  const bool stopping = stopping_;
  lock.unlock();
  for (LocalTask& task : overdue)
    task.done({LocalOutcome::Kind::refused,
               {},
               {stopping ? "stopped" : std::string(failure_code::kExpired),
                stopping ? "the process stopped before it began" : "its deadline passed before it began",
                Retry::allowed, false}});
  lock.lock();
  ending_unbegun_ -= overdue.size();
}

void ThreadPoolExecutor::tell_waiting() {
  for (const auto& [step, attempts] : waiting_.waiting()) {
    const auto [told, first] = told_waiting_.try_emplace(step, 0);
    if (!first && told->second == attempts) continue;
    told->second = attempts;
    seams_.observer.local_steps_waiting(step, attempts);
  }
}

void ThreadPoolExecutor::tell(limits::BreakerChange change, const std::string& step) {
  using limits::BreakerChange;
  if (change == BreakerChange::kNone) return;
  seams_.observer.breaker_changed(step, change != BreakerChange::kClosed);
  if (change == BreakerChange::kOpened)
    seams_.logger.warning("A circuit breaker opened: attempts of its step wait.", {{"step", step}});
  else if (change == BreakerChange::kReopened)
    seams_.logger.warning("A circuit breaker stays open: the attempt let through failed.", {{"step", step}});
  else
    seams_.logger.info("A circuit breaker closed.", {{"step", step}});
}

void ThreadPoolExecutor::look_for_overdue(std::unique_lock<std::mutex>& lock) {
  const auto now = seams_.clock.monotonic();
  std::vector<std::pair<std::string, std::stop_source>> overdue;
  std::string overrun;
  for (Running& running : running_) {
    const auto due = running.due();
    if (!due || *due > now) continue;
    if (!running.alerted) overdue.emplace_back(running.step, running.stop);
    running.alerted = true;
    const auto grace = settings_.local_overrun_exit;
    if (grace && *due + *grace <= now) overrun = running.step;
  }
  if (overdue.empty() && overrun.empty()) return;
  lock.unlock();
  for (auto& [step, stop] : overdue) {
    stop.request_stop();
    seams_.observer.local_step_overdue(step);
    seams_.logger.error("A local step is still running past its attempt's deadline, or fell silent.",
                        {{"step", step}});
  }
  if (!overrun.empty() && overrun_) overrun_(overrun);
  lock.lock();
}

}  // namespace skald::runtime
