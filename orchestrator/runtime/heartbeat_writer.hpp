// HeartbeatWriter: what a local attempt's heartbeats go through on their way to its saga: few enough for a history. Called
// from any thread.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "engine/environment.hpp"
#include "ports/clock.hpp"
#include "runtime/work.hpp"

namespace skald::runtime {

class HeartbeatWriter {
 public:
  /// `router` and `clock` outlive it. `timeout`: the step's, if it has one.
  HeartbeatWriter(LaneRouter& router, const Clock& clock, SagaAddress saga, engine::AttemptId attempt,
                  std::optional<std::chrono::milliseconds> timeout)
      : state_(std::make_shared<State>(router, clock, std::move(saga), attempt, pause_of(timeout))) {}

  /// Beside itself, in the function that holds it too.
  static constexpr std::size_t kHeapBytes = 320;

  void operator()(std::string details) const {
    State& state = *state_;
    {
      const std::scoped_lock lock(state.mutex);
      const auto now = state.clock.monotonic();
      if (state.next && now < *state.next) return;
      state.next = now + state.pause;
    }
    if (details.size() > engine::Limits{}.maximum_heartbeat_bytes) details = "{}";
    Work work;
    work.address = state.saga;
    work.what = engine::Input(engine::HeartbeatInput{state.attempt, {}, std::move(details)});
    std::vector<Work> works;
    works.push_back(std::move(work));
    state.router.route(std::move(works));
  }

 private:
  static std::chrono::milliseconds pause_of(std::optional<std::chrono::milliseconds> timeout) {
    constexpr std::chrono::milliseconds kUnwatched{10'000}, kShortest{100};
    return timeout ? std::max(*timeout / 2, kShortest) : kUnwatched;
  }
  struct State {
    State(LaneRouter& given_router, const Clock& given_clock, SagaAddress given_saga,
          engine::AttemptId given_attempt, std::chrono::milliseconds given_pause)
        : router(given_router),
          clock(given_clock),
          saga(std::move(given_saga)),
          attempt(given_attempt),
          pause(given_pause) {}
    LaneRouter& router;
    const Clock& clock;
    const SagaAddress saga;
    const engine::AttemptId attempt;
    const std::chrono::milliseconds pause;
    std::mutex mutex;
    std::optional<std::chrono::nanoseconds> next;
  };
  std::shared_ptr<State> state_;
};

}  // namespace skald::runtime
