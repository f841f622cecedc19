// The search: runs are lists of choices; each run goes on with the first choice where its list ends, and leaves the
// others to be run later, those with the fewest things gone wrong first. A state met before is not gone through again.
#include "skald/testing/explore.hpp"

#include <algorithm>
#include <deque>
#include <ostream>
#include <set>
#include <unordered_set>

#include "drive.hpp"
#include "fault.hpp"
#include "flow.hpp"
#include "verdict.hpp"

namespace skald::testing {
namespace detail {
namespace {

/// What was chosen at one point of a run.
struct Choice {
  std::string what;  ///< the step, "undo STEP" or "signal NAME"
  std::string text;  ///< of the fault, or when the signal comes
  std::size_t index = 0;
  std::string sentence;
};

constexpr std::string_view kSignalTimes[] = {"at-once", "when-idle", "never"};

class Search {
 public:
  Search(const SagaDefinition& definition, std::string input, const Explore& options)
      : definition_(definition), input_(std::move(input)), options_(options), flow_(definition.name) {
    result_.saga = definition.name;
  }

  Exploration run() {
    if (!options_.path.empty()) {
      rerun();
    } else {
      open_.resize(1);
      open_[0].push_back({});
      while (auto prefix = next()) {
        if (result_.runs == options_.maximum) {
          result_.findings.push_back({result_.saga +
                                          ": not all was explored: " + std::to_string(options_.maximum) +
                                          " runs were not enough; raise Explore().maximum_runs(…)",
                                      {},
                                      {}});
          break;
        }
        one(std::move(*prefix));
      }
    }
    flow_.take(result_);
    return std::move(result_);
  }

 private:
  using Prefix = std::vector<std::size_t>;

  /// The one with the fewest faults.
  std::optional<Prefix> next() {
    for (auto& bucket : open_) {
      if (bucket.empty()) continue;
      Prefix prefix = std::move(bucket.front());
      bucket.pop_front();
      return prefix;
    }
    return std::nullopt;
  }

  void rerun() {
    std::string rest = options_.path;
    for (std::size_t end = 0; !rest.empty(); rest = end == std::string::npos ? "" : rest.substr(end + 2)) {
      end = rest.find("; ");
      wanted_.push_back(rest.substr(0, end));
    }
    one({});
  }

  void one(Prefix prefix) {
    prefix_ = std::move(prefix);
    chosen_.clear();
    faults_.clear();
    unsaid_.clear();
    flow_.begin();
    Drive drive(
        definition_, [this](const Attempt& attempt) { return react(attempt); }, [this] { return idle(); });
    drive_ = nullptr;  // nothing has happened: the choices of signals are all there is
    plan_signals(drive);
    drive_ = &drive;
    ++result_.runs;
    const bool whole = drive.run("s-1", input_);
    result_.transitions += drive.transitions();
    if (!whole) return;
    const std::string end = end_of(drive);
    flow_.reach(Flow::end(end));
    ++result_.ends[end];
    if (const std::string sentence = inconsistency(drive, result_.saga, options_); !sentence.empty())
      find(sentence);
  }

  /// Nullopt: this was gone through before.
  std::optional<std::size_t> choose(const std::string& what, const std::vector<std::string>& texts) {
    const std::size_t place = chosen_.size();
    std::size_t index = 0;
    if (!options_.path.empty()) {
      const auto found = std::find_if(texts.begin(), texts.end(), [&](const std::string& text) {
        return place < wanted_.size() && wanted_[place] == what + ": " + text;
      });
      index = found == texts.end() ? 0 : static_cast<std::size_t>(found - texts.begin());
      if (found == texts.end() && place < wanted_.size())
        find(result_.saga + ": the run says \"" + wanted_[place] + "\" where " + what + " takes " +
             joined(texts));
    } else if (place < prefix_.size()) {
      index = prefix_[place];
    } else if (drive_ == nullptr ||
               seen_.insert(what + unsaid() + unsettled() + drive_->situation()).second) {
      branch(texts.size());
    } else {
      return std::nullopt;
    }
    return index;
  }

  /// The other choices of this point, each to be run later.
  void branch(std::size_t choices) {
    Prefix prefix;
    std::size_t faults = 1;
    for (const Choice& choice : chosen_) {
      prefix.push_back(choice.index);
      faults += choice.index > 0 ? 1 : 0;
    }
    if (open_.size() <= faults) open_.resize(faults + 1);
    for (std::size_t index = 1; index < choices; ++index) {
      prefix.push_back(index);
      open_[faults].push_back(prefix);
      prefix.pop_back();
    }
  }

  std::optional<Reaction> react(const Attempt& attempt) {
    const bool undo = attempt.id.phase == engine::Phase::kCompensation;
    const std::pair place{attempt.id.ordinal, attempt.id.phase};
    if (const auto known = faults_.find(place); known != faults_.end())
      return reaction_of(known->second, attempt, *drive_, options_);
    const std::string what = (undo ? "undo " : "") + std::string(attempt.step->name);
    const bool pivot = is_pivot(attempt);
    flow_.reach(Flow::step(attempt, pivot));
    const std::vector<Fault> faults = faults_of(attempt, pivot, *drive_, options_);
    std::vector<std::string> texts;
    texts.reserve(faults.size());
    for (const Fault& fault : faults) texts.push_back(fault.text());
    const auto index = choose(what, texts);
    if (!index) return std::nullopt;
    const Fault& fault = faults[*index];
    chosen_.push_back({what, texts[*index], *index, fault.sentence(undo)});
    flow_.leave(fault, undo);
    faults_.emplace(place, fault);
    return reaction_of(fault, attempt, *drive_, options_);
  }

  [[nodiscard]] bool is_pivot(const Attempt& attempt) const {
    for (const engine::Event& event : drive_->events())
      if (event.kind == engine::EventKind::kStep && event.ordinal == attempt.id.ordinal) return event.pivot;
    return false;
  }

  void plan_signals(Drive& drive) {
    for (const auto& [name, data] : options_.signals) {
      const std::vector<std::string> texts(std::begin(kSignalTimes), std::end(kSignalTimes));
      const auto index = choose("signal " + name, texts);
      chosen_.push_back({"signal " + name, texts[*index], *index, "comes " + texts[*index]});
      engine::SignalInput signal{name, "/test", std::to_string(chosen_.size()), data, false};
      if (*index == 0)
        drive.plan(std::chrono::milliseconds(1), std::move(signal), name);
      else if (*index == 1)
        unsaid_.push_back(std::move(signal));
    }
  }

  [[nodiscard]] std::string unsaid() const {
    std::string text;
    for (const engine::SignalInput& signal : unsaid_) text += signal.name + ';';
    return text;
  }

  /// What was chosen for steps that are open: it decides on their next attempts.
  [[nodiscard]] std::string unsettled() const {
    std::set<std::pair<int, engine::Phase>> settled;
    for (const engine::Event& event : drive_->events()) {
      using Kind = engine::EventKind;
      const bool action = event.kind == Kind::kSucceeded || (event.kind == Kind::kFailed && !event.retry_at);
      if (action) settled.emplace(event.ordinal, engine::Phase::kAction);
      if (event.kind == Kind::kCompensated) settled.emplace(event.ordinal, engine::Phase::kCompensation);
    }
    std::string text;
    for (const auto& [place, fault] : faults_)
      if (!settled.contains(place)) text += std::to_string(place.first) + fault.text() + ';';
    return text;
  }

  std::optional<engine::Input> idle() {
    if (unsaid_.empty()) return std::nullopt;
    engine::Input input(std::move(unsaid_.front()));
    unsaid_.pop_front();
    return input;
  }

  void find(const std::string& sentence) {
    for (const Exploration::Finding& finding : result_.findings)
      if (finding.sentence == sentence) return;
    Exploration::Finding finding{sentence, {}, {}};
    for (const Choice& choice : chosen_) {
      finding.script += (finding.script.empty() ? "" : "; ") + choice.what + ": " + choice.text;
      finding.path.push_back(choice.what + " " + choice.sentence);
    }
    result_.findings.push_back(std::move(finding));
  }

  static std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
    return all;
  }

  const SagaDefinition& definition_;
  const std::string input_;
  const Explore& options_;
  Exploration result_;
  Flow flow_;
  std::vector<std::deque<Prefix>> open_;  ///< by the number of faults
  std::unordered_set<std::string> seen_;
  std::vector<std::string> wanted_;
  // Of the run under way:
  Prefix prefix_;
  std::vector<Choice> chosen_;
  std::map<std::pair<int, engine::Phase>, Fault> faults_;  ///< by ordinal
  std::deque<engine::SignalInput> unsaid_;
  const Drive* drive_ = nullptr;
};

}  // namespace

Exploration explore(const SagaDefinition& definition, const std::string& input, const Explore& options) {
  return Search(definition, input, options).run();
}

}  // namespace detail

std::ostream& operator<<(std::ostream& out, const Exploration& exploration) {
  out << exploration.saga << ": " << exploration.runs << " runs, a crash after each of "
      << exploration.transitions << " transitions;";
  for (const auto& [end, count] : exploration.ends) out << ' ' << count << ' ' << end << ',';
  out << ' ' << exploration.findings.size() << " findings\n";
  for (const Exploration::Finding& finding : exploration.findings) {
    out << "\n" << finding.sentence << "\n";
    for (const std::string& line : finding.path) out << "  - " << line << "\n";
    if (!finding.script.empty()) out << "  again: Explore().only(\"" << finding.script << "\")\n";
  }
  return out;
}

}  // namespace skald::testing
