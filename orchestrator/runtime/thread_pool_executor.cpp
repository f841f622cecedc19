// Running local steps on threads.
#include "runtime/thread_pool_executor.hpp"

namespace skald::runtime {

namespace {
constexpr std::chrono::milliseconds kSuperviseInterval{100};
}

ThreadPoolExecutor::ThreadPoolExecutor(const Seams& seams, const Settings& settings,
                                       std::function<void(const std::string& step)> overrun)
    : seams_(seams), settings_(settings), overrun_(std::move(overrun)) {
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
  for (LocalTask& task : tasks) waiting_.push_back(std::move(task));
  wake_one();
}

/// Each thread that takes a task wakes the next while tasks wait: steps that take long soon have all threads, steps that
/// answer at once are done by the few that are awake, without a wake-up for every task.
void ThreadPoolExecutor::wake_one() {
  if (waiting_.empty() || idle_ == 0 || waking_) return;
  waking_ = true;
  arrived_.notify_one();
}

std::size_t ThreadPoolExecutor::backlog() const {
  const std::scoped_lock lock(mutex_);
  return waiting_.size() + running_.size();
}

void ThreadPoolExecutor::request_stop() {
  std::vector<std::stop_source> stops;  // their callbacks are the author's code: called without the mutex
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    for (Running& running : running_) stops.push_back(running.stop);
  }
  for (std::stop_source& stop : stops) stop.request_stop();
}

void ThreadPoolExecutor::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    while (!ending_ && waiting_.empty()) {
      ++idle_;
      arrived_.wait(lock);
      --idle_;
      waking_ = false;
    }
    if (ending_) return;
    LocalTask task = std::move(waiting_.front());
    waiting_.pop_front();
    wake_one();
    const auto place = running_.insert(running_.end(), {task.step, task.stop_at, std::stop_source(), false});
    if (stopping_) place->stop.request_stop();
    task.context.stop = place->stop.get_token();
    lock.unlock();
    LocalOutcome outcome = run(task);
    task.done(std::move(outcome));
    lock.lock();
    running_.erase(place);
  }
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
  while (!ending_) {
    ended_.wait_for(lock, kSuperviseInterval, [this] { return ending_; });
    if (!ending_) look_for_overdue(lock);
  }
}

void ThreadPoolExecutor::look_for_overdue(std::unique_lock<std::mutex>& lock) {
  const auto now = seams_.clock.monotonic();
  std::vector<std::pair<std::string, std::stop_source>> overdue;
  std::string overrun;
  for (Running& running : running_) {
    if (!running.stop_at || *running.stop_at > now) continue;
    if (!running.alerted) overdue.emplace_back(running.step, running.stop);
    running.alerted = true;
    const auto grace = settings_.local_overrun_exit;
    if (grace && *running.stop_at + *grace <= now) overrun = running.step;
  }
  if (overdue.empty() && overrun.empty()) return;
  lock.unlock();
  for (auto& [step, stop] : overdue) {
    stop.request_stop();
    seams_.observer.local_step_overdue(step);
    seams_.logger.error("A local step is still running past its attempt's deadline.", {{"step", step}});
  }
  if (!overrun.empty() && overrun_) overrun_(overrun);
  lock.lock();
}

}  // namespace skald::runtime
