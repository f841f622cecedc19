// StepDefinition: a step type as the orchestrator sees it, with its types erased to JSON text. One static
// object a step type; thread-safe, pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "skald/result.hpp"
#include "skald/step.hpp"

namespace skald {

enum class StepKind { command, local, child };

struct StepDefinition {
  std::string_view name;
  std::string_view topic;  ///< empty: the configuration must map it (command steps)
  std::string_view child;  ///< the definition of a child saga
  ParentClose parent_close = ParentClose::compensate;  ///< of a child saga
  StepKind kind = StepKind::command;
  StepOptions options{};
  bool has_compensation = false;
  std::string_view no_compensation_reason;
  /// The compensation command's data from input and output (null: unknown outcome). Command steps only. User
  /// code: what it throws comes back as an Error.
  Result<std::string> (*compensation)(std::string_view input, const std::string* output) = nullptr;
  /// The id of a child saga; null: the engine makes one. User code: what it throws comes back as an Error.
  Result<std::string> (*child_id)(std::string_view input) = nullptr;
  /// Does this reply data fit the output type?
  Result<void> (*check_output)(std::string_view output) = nullptr;
  /// What a test kit answers in the place of a participant: an output of default values; null: there is none.
  std::string (*example_output)() = nullptr;
  Result<void> (*check_input)(std::string_view input) = nullptr;
  std::string (*input_schema)() = nullptr;
  std::string (*output_schema)() = nullptr;
};

namespace detail {

template <class S>
Result<std::string> build_compensation(std::string_view input_text, const std::string* output_text) {
  auto input = from_json<typename S::Input>(input_text);
  if (!input) return input.error();
  std::optional<typename S::Output> output;
  if (output_text != nullptr) {
    auto read = from_json<typename S::Output>(*output_text);
    if (!read) return read.error();
    output = std::move(read).value();
  }
  try {
    return to_json(S::compensation(*input, output));
  } catch (const std::exception& error) {
    return Error{ErrorKind::kInvalid, "SKALD-421",
                 std::string(S::name) + "::compensation threw: " + error.what()};
  }
}

template <class S>
Result<std::string> build_child_id(std::string_view input_text) {
  auto input = from_json<typename S::Input>(input_text);
  if (!input) return input.error();
  try {
    return std::string(S::saga_id(*input));
  } catch (const std::exception& error) {
    return Error{ErrorKind::kInvalid, "SKALD-421", std::string(S::name) + "::saga_id threw: " + error.what()};
  }
}

template <class T>
Result<void> check_json(std::string_view text) {
  auto read = from_json<T>(text);
  if (!read) return read.error();
  return {};
}

template <class S>
constexpr StepDefinition make_step_definition() {
  static_assert(check_step<S>());
  StepDefinition definition;
  definition.name = S::name;
  if constexpr (HasTopic<S>) definition.topic = S::topic;
  if constexpr (HasOptions<S>) definition.options = S::options;
  if constexpr (IsLocalStep<S>) definition.kind = StepKind::local;
  definition.check_output = &check_json<typename S::Output>;
  if constexpr (std::is_default_constructible_v<typename S::Output>)
    definition.example_output = [] { return to_json(typename S::Output{}); };
  definition.check_input = &check_json<typename S::Input>;
  definition.input_schema = [] { return json_schema<typename S::Input>(); };
  definition.output_schema = [] { return json_schema<typename S::Output>(); };
  if constexpr (IsChildSaga<S>) {
    definition.kind = StepKind::child;
    definition.child = S::Child::name;
    definition.parent_close = S::parent_close;
    definition.has_compensation = S::parent_close != ParentClose::abandon;
    definition.no_compensation_reason = "the child saga is left to itself";
    if constexpr (HasChildId<S>) definition.child_id = &build_child_id<S>;
  } else if constexpr (StatesNoCompensation<S>) {
    definition.no_compensation_reason = S::compensation.reason;
  } else {
    definition.has_compensation = true;
    if constexpr (IsCommandStep<S>) definition.compensation = &build_compensation<S>;
  }
  return definition;
}

/// Adds a definition to the list of steps this binary's saga code mentions; called during static
/// initialisation.
bool note_step_use(const StepDefinition& definition);

template <class S>
struct StepUse {
  static constexpr StepDefinition definition = make_step_definition<S>();
  static inline const bool noted = note_step_use(definition);
};

}  // namespace detail

/// The one definition object of a step type.
template <class S>
const StepDefinition& step_definition() {
  static_cast<void>(detail::StepUse<S>::noted);
  return detail::StepUse<S>::definition;
}

/// Every step that saga code linked into this binary mentions: by it a local step used but not added, or a
/// command step without a topic, is refused at start, by name.
const std::vector<const StepDefinition*>& mentioned_steps();

}  // namespace skald
