// Recorded: what a saga's history says that everybody else did: how each step ended and how long it took, what was sent to
// the saga and when, which values its code took from elsewhere. Plain values; read once from history.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/input.hpp"
#include "ports/store.hpp"
#include "skald/failure.hpp"
#include "skald/result.hpp"

namespace skald::reprocess {

struct RecordedStep {
  std::string name;
  std::string input;
  bool pivot = false;
  enum class End {
    kNone,  ///< still open, or given up while nobody had answered
    kSucceeded,
    kFailed,
  } end = End::kNone;
  std::string output;
  Failure failure;
  std::chrono::milliseconds took{0};
  bool compensated = false;
  Time scheduled_at{};
  int ordinal = 0;
};

/// What reached the saga from outside its steps, and how long after its start.
struct RecordedInput {
  std::chrono::milliseconds after{0};
  engine::Input input;
};

struct Recorded {
  SagaRow row;
  std::string input;
  std::string origin;  ///< of its start, as "orders[3]@1234"
  Time started_at{};
  std::vector<RecordedStep> steps;  ///< in the order in which they were scheduled
  std::vector<RecordedInput> inputs;
  std::map<std::string, std::deque<std::string>, std::less<>> values;  ///< of saga.record, by name in order
  std::string output;
  Failure failure;
};

/// Of a history with all its runs. kInvalid: it cannot be read.
[[nodiscard]] Result<Recorded> recorded_of(const StoredSaga& saga);

}  // namespace skald::reprocess
