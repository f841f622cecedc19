// The test kit of a saga's author: no Kafka, no PostgreSQL, no threads, and virtual time, in which 30 days pass in a
// millisecond. Link skald::testing; works with any test framework. Single-threaded: one thread per object.
//
//   SagaTest<PlaceOrder> saga;                                    a run with participants who do as they are told
//   saga.on<ChargeCard>().refuses("card-declined");
//   const Ending end = saga.run(order);
//   EXPECT_EQ(end.status, Status::compensated);
//   EXPECT_EQ(end.log, (std::vector<std::string>{"reserve-stock", "charge-card refused", "undo reserve-stock"}));
//
//   const Exploration found = explore<PlaceOrder>(order);         every run there can be (explore.hpp)
//   EXPECT_TRUE(found) << found;
//
// After every transition the saga is thrown away and replayed from its history, as a crash would; a saga that does not
// do the same again ends with a defect, and so does one that asks the wall clock or random numbers of its own.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "skald/testing/explore.hpp"
#include "skald/testing/script.hpp"

namespace skald::testing {

/// waiting: for something that never comes; defect: the saga's code is wrong, and the log's last line says how.
enum class Status { completed, compensated, cancelled, stuck, waiting, defect };

/// How a run came to rest.
struct Ending {
  Status status = Status::waiting;
  std::string code, message;          ///< of the failure that rolled it back, or why it is stuck
  std::string output;                 ///< JSON, of a completed saga
  std::chrono::milliseconds took{0};  ///< of virtual time
  /// What happened, in its order: "STEP", "STEP refused", "STEP failed" (to be tried again), "STEP timed out", "undo STEP",
  /// "undo STEP refused", "timer", "signal NAME", "cancelled", "defect: …".
  std::vector<std::string> log;
  struct Sent {
    std::string step;
    bool compensation = false;
    int attempt = 1;
    std::string input;  ///< JSON
  };
  std::vector<Sent> sent;             ///< every attempt that went out
  std::vector<std::string> standing;  ///< steps that took effect and were not undone
  std::string defect;                 ///< of the saga's code, as a sentence; empty: none

  /// The inputs of a step's actions, in their order.
  template <class Step>
  [[nodiscard]] std::vector<typename Step::Input> inputs() const {
    std::vector<typename Step::Input> all;
    for (const Sent& one : sent)
      if (one.step == Step::name && !one.compensation && one.attempt == 1)
        if (auto input = from_json<typename Step::Input>(one.input)) all.push_back(std::move(input).value());
    return all;
  }
  /// What a completed saga gave.
  template <class Output>
  [[nodiscard]] Output result() const {
    auto read = from_json<Output>(output);
    return read ? std::move(read).value() : Output{};
  }
};

template <class S>
class SagaTest {
 public:
  /// What this step's participant does. What is not said succeeds with an output of default values.
  template <class Step>
  StepScript<Step> on() {
    static_cast<void>(step_definition<Step>());
    return StepScript<Step>(script_.steps[std::string(Step::name)]);
  }
  /// A signal that comes so long after the start.
  template <class T>
  void signal(std::chrono::milliseconds after, std::string name, const T& value) {
    script_.signals.push_back({after, std::move(name), to_json(value)});
  }
  /// Somebody cancels the saga so long after its start.
  void cancel(std::chrono::milliseconds after) { script_.cancel_after = after; }

  [[nodiscard]] Ending run(const typename S::Input& input, const std::string& saga_id = "s-1") const {
    return detail::run_script(make_saga_definition<S>(), script_, saga_id, to_json(input));
  }

 private:
  detail::Script script_;
};

}  // namespace skald::testing
