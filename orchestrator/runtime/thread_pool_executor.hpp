// ThreadPoolExecutor: runs attempts of local steps on a fixed number of threads, so that a slow callee never
// holds up a lane. Past an attempt's deadline its stop token is requested and an alert fires; a step that
// runs on longer than the configured grace ends the process (if so configured), because nobody else may run
// it while we live. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "ports/step_executor.hpp"
#include "runtime/settings.hpp"
#include "runtime/store_link.hpp"

namespace skald::runtime {

class ThreadPoolExecutor final : public StepExecutor {
 public:
  /// `overrun`: what to do about a step that outlived its deadline and the grace; called once, on the
  /// supervisor's thread.
  ThreadPoolExecutor(const Seams& seams, const Settings& settings,
                     std::function<void(const std::string& step)> overrun);
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
  };
  void work();
  void wake_one();
  void supervise();
  void look_for_overdue(std::unique_lock<std::mutex>& lock);
  LocalOutcome run(LocalTask& task);

  const Seams seams_;
  const Settings& settings_;
  const std::function<void(const std::string&)> overrun_;
  mutable std::mutex mutex_;  ///< guards everything below
  std::condition_variable arrived_;
  std::condition_variable ended_;
  std::deque<LocalTask> waiting_;
  std::size_t idle_ = 0;  ///< threads that wait for tasks
  bool waking_ = false;   ///< one of them has been told and is on its way
  std::list<Running> running_;
  bool stopping_ = false;  ///< stop tokens are requested from now on
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace skald::runtime
