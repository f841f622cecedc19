// Shadow: a saga's code run from its start in virtual time, with nothing sent to anybody: each step is answered as the
// history of the saga has it, what reached the saga then reaches it now. Ends where the saga ends, or where the code comes to
// a step of which nothing is recorded. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/environment.hpp"
#include "reprocess/recorded.hpp"
#include "skald/saga.hpp"

namespace skald::reprocess {

/// A step that the code came to.
struct ShadowStep {
  std::string name;
  std::string input;
  bool compensation = false;
  std::optional<std::size_t> recorded;  ///< which of the recorded steps answered it
};

struct Shadow {
  SagaStatus status = SagaStatus::kRunning;
  std::string stuck;  ///< why, if it is
  std::string output;
  Failure failure;
  std::vector<ShadowStep> steps;
  /// Why the run went no further although the saga has not ended.
  std::string halted;
};

/// `input` in canonical form, of the recorded saga or of one that its trigger makes now.
[[nodiscard]] Shadow run_shadow(const engine::Environment& environment, const SagaDefinition& definition,
                                const std::string& input, const Recorded& recorded);

/// What differs, a sentence each; empty: the code of now does what was done then.
[[nodiscard]] std::vector<std::string> differences(const Recorded& recorded, const Shadow& shadow);

}  // namespace skald::reprocess
