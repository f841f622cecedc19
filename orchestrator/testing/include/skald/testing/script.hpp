// What a scripted participant does, turn by turn: the first attempt meets the first turn, and the last turn stays.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "skald/fields.hpp"
#include "skald/saga.hpp"

namespace skald::testing {

struct Ending;

namespace detail {

struct Turn {
  enum class Kind { succeeds, refuses, fails, is_lost, answer_is_lost } kind = Kind::succeeds;
  std::function<std::string(const std::string& input)> output;  ///< JSON to JSON; empty: default values
  std::string code;
  std::chrono::milliseconds latency{10};
};

struct StepTurns {
  std::vector<Turn> action;
  std::vector<Turn> compensation;
};

struct ScriptedSignal {
  std::chrono::milliseconds after{0};
  std::string name;
  std::string data;
};

struct Script {
  std::map<std::string, StepTurns> steps;
  std::vector<ScriptedSignal> signals;
  std::optional<std::chrono::milliseconds> cancel_after;
};

[[nodiscard]] Ending run_script(const SagaDefinition& definition, const Script& script,
                                const std::string& saga_id, const std::string& input);

}  // namespace detail

/// The turns of one step. Each call but `after` adds one.
template <class Step>
class StepScript {
 public:
  using Input = typename Step::Input;
  using Output = typename Step::Output;

  explicit StepScript(detail::StepTurns& turns) : turns_(turns) {}

  StepScript& succeeds(const Output& output) {
    return add(
        {detail::Turn::Kind::succeeds, [text = to_json(output)](const std::string&) { return text; }, {}});
  }
  /// With what the function makes of the input.
  StepScript& succeeds(std::function<Output(const Input&)> function) {
    return add({detail::Turn::Kind::succeeds,
                [function = std::move(function)](const std::string& text) {
                  const auto input = from_json<Input>(text);
                  return to_json(function(input ? *input : Input{}));
                },
                {}});
  }
  /// For good, without effect.
  StepScript& refuses(std::string code) { return add({detail::Turn::Kind::refuses, {}, std::move(code)}); }
  /// Not now; it may be tried again.
  StepScript& fails(std::string code) { return add({detail::Turn::Kind::fails, {}, std::move(code)}); }
  /// Never arrives: no effect, no answer.
  StepScript& is_lost() { return add({detail::Turn::Kind::is_lost, {}, {}}); }
  /// Takes effect, and the answer never comes.
  StepScript& answer_is_lost(const Output& output = {}) {
    return add({detail::Turn::Kind::answer_is_lost,
                [text = to_json(output)](const std::string&) { return text; },
                {}});
  }
  /// The answer of the turn before takes so long.
  StepScript& after(std::chrono::milliseconds latency) {
    if (!turns().empty()) turns().back().latency = latency;
    return *this;
  }
  /// From here on the turns are those of the compensation.
  StepScript& undo() {
    undo_ = true;
    return *this;
  }
  /// Of the compensation: it is done.
  StepScript& succeeds() { return add({}); }

 private:
  std::vector<detail::Turn>& turns() { return undo_ ? turns_.compensation : turns_.action; }
  StepScript& add(detail::Turn turn) {
    turns().push_back(std::move(turn));
    return *this;
  }

  detail::StepTurns& turns_;
  bool undo_ = false;
};

}  // namespace skald::testing
