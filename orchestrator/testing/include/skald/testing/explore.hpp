// explore<S>(input): runs a saga through everything that can happen to its steps, alone and together, and says whether
// each end is consistent: what took effect is kept or undone, nothing stands twice, a pivot is respected, and a process
// that dies after any transition changes nothing. States that were met before are not gone through again, so that six
// steps take a second. Searched breadth first: the run shown for a finding is one with the fewest things gone wrong.
//
// What happens to an action: it succeeds; it is refused for good (with `refused` and each non_retryable code); it fails
// once and succeeds when tried again; it never arrives; it takes effect and no answer ever comes; only the first
// answer is lost; the answer comes after the step was given up; it comes twice; it comes after others under way. To a
// compensation: it is done, refused for good, fails once, loses its first answer, is answered twice. What options
// exclude does not happen: without a timeout nobody gives up.
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "skald/saga.hpp"

namespace skald::testing {

/// What one saga's exploration is told beside its input.
class Explore {
 public:
  /// The output of a step that succeeds. What is not said: default values.
  template <class Step>
  Explore& answers(const typename Step::Output& output) {
    outputs[name_of<Step>()] = to_json(output);
    return *this;
  }
  /// Another code with which the step may be refused for good.
  template <class Step>
  Explore& refuses(std::string code) {
    codes[name_of<Step>()].insert(std::move(code));
    return *this;
  }
  /// Its effect may stand when the saga has rolled back: of steps without a compensation that do no harm.
  template <class Step>
  Explore& leaves() {
    left.insert(name_of<Step>());
    return *this;
  }
  /// However the saga ends, both stand or neither; `sentence` says what it means if not.
  template <class First, class Second>
  Explore& together(std::string sentence) {
    pairs.push_back({name_of<First>(), name_of<Second>(), std::move(sentence)});
    return *this;
  }
  /// However the saga ends, it stands once at most, though the saga may try it several times.
  template <class Step>
  Explore& once() {
    single.insert(name_of<Step>());
    return *this;
  }
  /// A signal that comes before anyone waits, or when the saga waits for nothing else, or never.
  template <class T>
  Explore& signal(std::string name, const T& value) {
    signals.emplace_back(std::move(name), to_json(value));
    return *this;
  }
  /// Runs one path alone, as a finding shows it.
  Explore& only(std::string script) {
    path = std::move(script);
    return *this;
  }
  Explore& maximum_runs(std::size_t runs) {
    maximum = runs;
    return *this;
  }

  struct Pair {
    std::string first, second, sentence;
  };
  std::map<std::string, std::string> outputs;  ///< by step, JSON
  std::map<std::string, std::set<std::string>> codes;
  std::set<std::string> left, single;
  std::vector<Pair> pairs;
  std::vector<std::pair<std::string, std::string>> signals;
  std::string path;
  std::size_t maximum = 100'000;

 private:
  template <class Step>
  static std::string name_of() {
    return std::string(step_definition<Step>().name);
  }
};

/// What was found. True if every end is consistent.
struct Exploration {
  struct Finding {
    std::string sentence;
    std::string script;             ///< for Explore::only
    std::vector<std::string> path;  ///< a line a thing that happened
  };
  std::string saga;
  std::vector<Finding> findings;
  std::map<std::string, std::size_t> ends;  ///< runs by status; those stuck with their reason
  std::size_t runs = 0;
  std::size_t transitions = 0;  ///< a crash after each
  explicit operator bool() const noexcept { return findings.empty(); }

  /// The flow as explored: steps, branches, compensations, ends.
  [[nodiscard]] std::string mermaid() const;
  [[nodiscard]] std::string dot() const;

  struct Edge {
    std::string from, to;
    std::vector<std::string> labels;
  };
  struct Node {
    std::string id, text;
    enum class Shape { start, step, pivot, undo, end } shape = Shape::step;
  };
  std::vector<Node> nodes;
  std::vector<Edge> edges;
};

/// The findings, each with its run and how to run it again; else one line on what was explored.
std::ostream& operator<<(std::ostream& out, const Exploration& exploration);

namespace detail {
[[nodiscard]] Exploration explore(const SagaDefinition& definition, const std::string& input,
                                  const Explore& options);
}

template <class S>
[[nodiscard]] Exploration explore(const typename S::Input& input, const Explore& options = {}) {
  return detail::explore(make_saga_definition<S>(), to_json(input), options);
}

}  // namespace skald::testing
