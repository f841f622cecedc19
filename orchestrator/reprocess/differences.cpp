// What of a shadow's run is not as recorded.
#include <algorithm>

#include "reprocess/shadow.hpp"

namespace skald::reprocess {
namespace {

constexpr std::size_t kShown = 60;

/// Where two texts part.
std::string parting(const std::string& then, const std::string& now) {
  const auto apart = std::mismatch(then.begin(), then.end(), now.begin(), now.end());
  const auto at = static_cast<std::size_t>(apart.first - then.begin());
  const std::size_t from = at < kShown / 3 ? 0 : at - kShown / 3;
  const auto shown = [from](const std::string& text) {
    return (from == 0 ? "" : "…") + text.substr(std::min(from, text.size()), kShown) +
           (text.size() > from + kShown ? "…" : "");
  };
  return "was " + shown(then) + ", is " + shown(now);
}

std::string end_of(std::string_view status, const Failure& failure) {
  return std::string(status) + (failure.code.empty() ? "" : " (" + failure.what() + ")");
}

}  // namespace

std::vector<std::string> differences(const Recorded& recorded, const Shadow& shadow) {
  std::vector<std::string> found;
  std::vector<bool> done(recorded.steps.size(), false), undone(recorded.steps.size(), false);
  for (const ShadowStep& step : shadow.steps) {
    if (!step.recorded) {
      if (!step.compensation)
        found.push_back("step " + step.name + " was not done: " + step.input.substr(0, 2 * kShown));
      continue;
    }
    const RecordedStep& then = recorded.steps[*step.recorded];
    (step.compensation ? undone : done)[*step.recorded] = true;
    if (!step.compensation && step.input != then.input)
      found.push_back("step " + step.name + ": its input " + parting(then.input, step.input));
  }
  const bool open = !is_ended(recorded.row.status);
  for (std::size_t place = 0; place < recorded.steps.size(); ++place) {
    const RecordedStep& then = recorded.steps[place];
    if (!done[place] && shadow.halted.empty()) found.push_back("step " + then.name + " is not done any more");
    if (!done[place] || open || !shadow.halted.empty()) continue;
    if (then.compensated && !undone[place])
      found.push_back("step " + then.name + " is not compensated any more");
    if (!then.compensated && undone[place])
      found.push_back("step " + then.name + " is compensated, and was not");
  }
  if (!shadow.stuck.empty() && shadow.status == SagaStatus::kStuck &&
      recorded.row.status != SagaStatus::kStuck)
    found.push_back("it is stuck: " + shadow.stuck);
  if (!shadow.halted.empty() && !open) found.push_back("it goes no further: " + shadow.halted);
  if (open || !shadow.halted.empty() || shadow.status == SagaStatus::kStuck) return found;
  if (shadow.status != recorded.row.status || shadow.failure.code != recorded.failure.code)
    found.push_back("it ends " + end_of(to_string(shadow.status), shadow.failure) + ", and ended " +
                    end_of(to_string(recorded.row.status), recorded.failure));
  else if (shadow.output != recorded.output)
    found.push_back("its output " + parting(recorded.output, shadow.output));
  return found;
}

}  // namespace skald::reprocess
