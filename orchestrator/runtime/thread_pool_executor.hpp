// ThreadPoolExecutor: runs attempts of local steps on a fixed number of threads, so that a slow callee never
// holds up a lane. An attempt that the limits of its step type do not let begin waits in the queue and takes no thread.
// Past an attempt's deadline its stop token is requested and an alert fires; a step that runs on longer than the
// configured grace ends the process (if so configured), because nobody else may run it while we live. An attempt that
// has not begun by its deadline does not begin: it is answered `expired`, certainly without effect. Thread-safe.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "ports/step_executor.hpp"
#include "runtime/local_queue.hpp"
#include "runtime/settings.hpp"
#include "runtime/store_link.hpp"

namespace skald::runtime {

class ThreadPoolExecutor final : public StepExecutor {
 public:
  /// `overrun`: what to do about a step that outlived its deadline and the grace; called once, on the
  /// supervisor's thread.
  ThreadPoolExecutor(const Seams& seams, const Settings& settings,
                     std::function<void(const std::string& step)> overrun,
                     const StepLimitsByName& limits = {});
  /// Requests every stop and waits for what runs.
  ~ThreadPoolExecutor() override;

  void submit(std::vector<LocalTask> tasks) override;
  [[nodiscard]] std::size_t backlog() const override;
  void request_stop() override;

 private:
  struct Running {
    std::string step;
    std::optional<std::chrono::nanoseconds> stop_at;
    std::stop_source stop;
    bool alerted = false;
    std::optional<std::chrono::nanoseconds>
        beat_by{};  ///< once it has sent a heartbeat: when the next is due

    [[nodiscard]] std::optional<std::chrono::nanoseconds> due() const {
      if (!stop_at || !beat_by) return stop_at ? stop_at : beat_by;
      return std::min(*stop_at, *beat_by);
    }
  };
  void work();
  void wake_one();
  void hurry_supervisor();
  void supervise();
  void look_for_overdue(std::unique_lock<std::mutex>& lock);
  void end_overdue(std::unique_lock<std::mutex>& lock);
  void tell_waiting();
  void tell(limits::BreakerChange change, const std::string& step);
  LocalOutcome run(LocalTask& task);
  void watch_heartbeats(LocalTask& task, Running& running);
  [[nodiscard]] std::chrono::nanoseconds now() const { return seams_.clock.monotonic(); }

  const Seams seams_;
  const Settings& settings_;
  const std::function<void(const std::string&)> overrun_;
  mutable std::mutex mutex_;  ///< guards everything below
  std::condition_variable arrived_;
  std::condition_variable ended_;
  LocalQueue waiting_;
  std::size_t ending_unbegun_ = 0;                        ///< taken out of the queue, `done` not yet called
  std::map<std::string_view, std::size_t> told_waiting_;  ///< what the observer was told last
  std::size_t idle_ = 0;                                  ///< threads that wait for tasks
  bool waking_ = false;                                   ///< one of them has been told and is on its way
  std::chrono::nanoseconds supervised_at_{0};             ///< when the supervisor looks again
  bool hurried_ = false;                                  ///< it is to look earlier
  std::list<Running> running_;
  bool stopping_ = false;  ///< stop tokens are requested from now on
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace skald::runtime
