// Which faults a step's options allow, and what they do.
#include "fault.hpp"

#include <array>
#include <initializer_list>
#include <set>
#include <utility>

namespace skald::testing::detail {
namespace {

using Kind = Fault::Kind;
using std::chrono::milliseconds;

constexpr std::array<std::pair<Kind, std::string_view>, 10> kNames{
    {{Kind::none, "ok"},
     {Kind::refused, "refused"},
     {Kind::busy, "busy"},
     {Kind::lost, "lost"},
     {Kind::lost_once, "lost-once"},
     {Kind::unanswered, "unanswered"},
     {Kind::unanswered_once, "unanswered-once"},
     {Kind::late, "late"},
     {Kind::twice, "twice"},
     {Kind::slow, "slow"}}};
constexpr milliseconds kSlow{200};

std::set<std::string> codes_of(const StepDefinition& step, const Explore& options) {
  std::set<std::string> codes{"refused"};
  for (const std::string_view code : step.options.retry.non_retryable) codes.emplace(code);
  if (const auto more = options.codes.find(std::string(step.name)); more != options.codes.end())
    codes.insert(more->second.begin(), more->second.end());
  return codes;
}

}  // namespace

std::string Fault::text() const {
  for (const auto& [known, name] : kNames)
    if (known == kind) return std::string(name) + (code.empty() ? "" : "(" + code + ")");
  return {};
}

std::string Fault::sentence(bool compensation) const {
  const std::string done = compensation ? "is done" : "takes effect";
  switch (kind) {
    case Kind::none: return compensation ? "is done" : "succeeds";
    case Kind::refused: return "is refused for good" + (code.empty() ? "" : " (" + code + ")");
    case Kind::busy: return "fails once, and is tried again";
    case Kind::lost: return "never arrives, and times out";
    case Kind::lost_once: return "does not arrive at first, and is sent again";
    case Kind::unanswered: return done + ", but no answer ever comes: it times out";
    case Kind::unanswered_once: return done + ", but its first answer is lost";
    case Kind::late: return done + ", but its answer comes after it was given up";
    case Kind::twice:
      return compensation ? "is done, and its answer comes twice" : "succeeds, and its answer comes twice";
    case Kind::slow:
      return compensation ? "is done, after others" : "succeeds, after others that are under way";
  }
  return {};
}

std::vector<Fault> faults_of(const Attempt& attempt, bool pivot, const Drive& drive, const Explore& options) {
  const StepDefinition& step = *attempt.step;
  const StepOptions& settings = drive.settings(step).options;
  const bool undo = attempt.id.phase == engine::Phase::kCompensation;
  const bool several = (undo ? settings.compensation_retry : settings.retry).maximum_attempts != 1;
  std::vector<Fault> all{{Kind::none, {}}};
  const auto add = [&all](bool possible, std::initializer_list<Kind> kinds) {
    for (const Kind kind : kinds)
      if (possible) all.push_back({kind, {}});
  };
  if (undo)
    all.push_back({Kind::refused, {}});
  else
    for (const std::string& code : codes_of(step, options)) all.push_back({Kind::refused, code});
  add(true, {Kind::twice});
  add(several, {Kind::busy});
  add(drive.expects(), {Kind::slow});
  // Of a local step the process dies that runs it; of a command Kafka or the participant is slower than the patience.
  const bool local = step.kind == StepKind::local;
  // A pivot that may have taken effect is tried until somebody knows: it is given up by the number of its attempts alone.
  const bool timed = settings.start_to_close || (pivot && settings.schedule_to_close);
  add(several && (local || timed), {Kind::lost_once, Kind::unanswered_once});
  const bool given_up = pivot ? settings.retry.maximum_attempts > 0 : settings.schedule_to_close.has_value();
  add(!undo && !local && given_up, {Kind::lost, Kind::unanswered});
  add(!undo && !local && !pivot && settings.schedule_to_close, {Kind::late});
  return all;
}

Reaction reaction_of(const Fault& fault, const Attempt& attempt, const Drive& drive, const Explore& options) {
  using Effect = Reaction::Effect;
  const bool undo = attempt.id.phase == engine::Phase::kCompensation;
  const bool first = attempt.id.attempt == 1;
  Reaction reaction;
  if (!undo) {
    const auto output = options.outputs.find(std::string(attempt.step->name));
    reaction.output = output != options.outputs.end()           ? output->second
                      : attempt.step->example_output != nullptr ? attempt.step->example_output()
                                                                : "{}";
  }
  switch (fault.kind) {
    case Kind::none: break;
    case Kind::refused:
      reaction.effect = Effect::refused;
      reaction.failure = {fault.code.empty() ? "refused" : fault.code, "explored", Retry::never, false};
      break;
    case Kind::busy:
      if (!first) break;
      reaction.effect = Effect::not_now;
      reaction.failure = {"busy", "explored", Retry::allowed, false};
      break;
    case Kind::lost:
    case Kind::lost_once:
      if (fault.kind == Kind::lost_once && !first) break;
      reaction.effect = Effect::none;
      reaction.answers = 0;
      break;
    case Kind::unanswered: reaction.answers = 0; break;
    case Kind::unanswered_once: reaction.answers = first ? 0 : 1; break;
    case Kind::late:
      if (first)
        reaction.answered_at =
            drive.now() + *drive.settings(*attempt.step).options.schedule_to_close + milliseconds(1);
      else
        reaction.answers = 0;
      break;
    case Kind::twice: reaction.answers = 2; break;
    case Kind::slow: reaction.latency = kSlow; break;
  }
  return reaction;
}

}  // namespace skald::testing::detail
