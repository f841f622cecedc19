// Saga: what a saga author derives from, and SagaDefinition: the same with its types erased, as the registry
// and the engine use it. A saga object is default-constructed for each replay, so it holds no services; what its
// members hold, replay builds again.
#pragma once

#include <concepts>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "skald/context.hpp"
#include "skald/handlers.hpp"
#include "skald/task.hpp"

namespace skald {

/// Derive, give it `static constexpr std::string_view name`, optionally `static constexpr SagaOptions
/// options` and `static constexpr int revision` (default 1), and write run as a coroutine. run has no side
/// effects of its own: time, ids and every effect come from the Context. StepFailed and SagaFailed that leave
/// it roll back; any other exception makes the saga stuck. What reaches a running saga from outside stands in
/// `signals`, `queries` and `updates` (handlers.hpp).
template <class InputType, class OutputType>
class Saga {
 public:
  using Input = InputType;
  using Output = OutputType;

  virtual ~Saga() = default;
  virtual Task<Output> run(Context& saga, Input input) = 0;
};

namespace detail {

/// How `run` ended.
struct RunResult {
  enum class Kind { returned, failed, defect } kind = Kind::returned;
  std::string output;  ///< JSON, if returned
  int ordinal = 0;     ///< of the step whose failure escaped, 0 if it was none
  Failure failure;     ///< if failed; for a defect its message says which exception escaped
};

/// One running frame of a saga. Destroying it destroys the frame where it is suspended.
class Execution {
 public:
  virtual ~Execution() = default;
  /// Runs from the start to the first suspension. Once.
  virtual void start() = 0;
  [[nodiscard]] virtual bool done() const = 0;
  /// Once done.
  [[nodiscard]] virtual RunResult result() = 0;
  /// Asks the saga's object. kInvalid: there is no such query, or the input does not fit it.
  [[nodiscard]] virtual Result<std::string> query(std::string_view name, std::string_view input) const = 0;
  /// What the update would answer, changing nothing. kInvalid as above; kRefused: the handler threw.
  [[nodiscard]] virtual Result<std::string> try_update(std::string_view name,
                                                       std::string_view input) const = 0;
  /// Changes the saga's object; gives the answer. Only what try_update let pass.
  virtual Result<std::string> update(std::string_view name, std::string_view input) = 0;
};

template <class S>
class TypedExecution final : public Execution {
 public:
  TypedExecution(Journal& journal, typename S::Input input)
      : context_(journal), task_(saga_.run(context_, std::move(input))) {}
  void start() override { task_.start(); }
  [[nodiscard]] bool done() const override { return task_.done(); }
  [[nodiscard]] RunResult result() override {
    RunResult result;
    try {
      result.output = to_json(task_.result());
    } catch (const StepFailed& failed) {
      result.kind = RunResult::Kind::failed;
      result.failure = failed.failure();
      result.ordinal = failed.ordinal();
      if (!failed.step().empty()) result.failure.message = failed.step() + ": " + failed.message();
    } catch (const SagaFailed& failed) {
      result.kind = RunResult::Kind::failed;
      result.failure = failed.failure();
    } catch (const std::exception& error) {
      result.kind = RunResult::Kind::defect;
      result.failure = Failure{"exception", error.what(), Retry::never, false};
    } catch (...) {
      result.kind = RunResult::Kind::defect;
      result.failure =
          Failure{"exception", "an exception not derived from std::exception", Retry::never, false};
    }
    return result;
  }

  [[nodiscard]] Result<std::string> query(std::string_view name, std::string_view input) const override {
    return ask_query(saga_, name, input);
  }
  [[nodiscard]] Result<std::string> try_update(std::string_view name, std::string_view input) const override {
    if constexpr (HasUpdates<S>) {
      S copy(saga_);
      return apply_update(copy, name, input);
    } else {
      return no_such_handler("update", name, {});
    }
  }
  Result<std::string> update(std::string_view name, std::string_view input) override {
    return apply_update(saga_, name, input);
  }

 private:
  S saga_;
  Context context_;
  Task<typename S::Output> task_;
};

template <class S>
concept HasSagaTypes = requires {
  typename S::Input;
  typename S::Output;
};
template <class S>
concept HasSagaOptions = requires { SagaOptions(S::options); };
template <class S>
concept HasRevision = requires { int(S::revision); };

/// What types can tell about a saga, in sentences.
template <class S>
constexpr bool check_saga() {
  static_assert(HasSagaTypes<S> && std::is_base_of_v<Saga<typename S::Input, typename S::Output>, S>,
                "a saga derives publicly from skald::Saga<Input, Output>");
  static_assert(HasName<S>, "a saga needs: static constexpr std::string_view name = \"…\";");
  static_assert(is_name(S::name), "a saga's name is 1 to 63 characters of A-Z a-z 0-9 . _ -");
  static_assert(
      std::is_default_constructible_v<S>,
      "a saga is default-constructed for each replay: it holds no services; give those to its local steps");
  static_assert(JsonMapped<typename S::Input>,
                "the saga's input is not mapped: add SKALD_FIELDS(Input, field, …) beside its struct");
  static_assert(JsonMapped<typename S::Output>,
                "the saga's output is not mapped: add SKALD_FIELDS(Output, field, …) beside its struct");
  if constexpr (HasSignals<S>)
    static_assert(names_are_good(S::signals),
                  "each of a saga's signals has a name of its own, like a step's");
  if constexpr (HasQueries<S>)
    static_assert(names_are_good(S::queries),
                  "each of a saga's queries has a name of its own, like a step's");
  if constexpr (HasUpdates<S>) {
    static_assert(names_are_good(S::updates),
                  "each of a saga's updates has a name of its own, like a step's");
    static_assert(std::is_copy_constructible_v<S>,
                  "a saga with updates can be copied: an update is tried on a copy before it counts");
  }
  return true;
}

}  // namespace detail

/// A saga type as the engine sees it. Thread-safe, pure.
struct SagaDefinition {
  std::string_view name;
  int revision = 1;
  SagaOptions options{};
  std::span<const SignalDefinition> signals{};
  /// Reads an input and writes it back in its one canonical form (field order, no unknown fields): what is
  /// stored and hashed, so that "the same input" means the same values. Errors carry the JSON pointer.
  Result<std::string> (*canonical_input)(std::string_view input) = nullptr;
  /// A fresh frame, not yet started. The journal outlives it.
  Result<std::unique_ptr<detail::Execution>> (*execution)(detail::Journal& journal,
                                                          std::string_view input) = nullptr;
  std::string (*input_schema)() = nullptr;
  std::string (*output_schema)() = nullptr;
};

template <class S>
SagaDefinition make_saga_definition() {
  static_assert(detail::check_saga<S>());
  using Input = typename S::Input;
  SagaDefinition definition;
  definition.name = S::name;
  if constexpr (detail::HasRevision<S>) definition.revision = S::revision;
  if constexpr (detail::HasSagaOptions<S>) definition.options = S::options;
  if constexpr (detail::HasSignals<S>) definition.signals = S::signals;
  definition.canonical_input = [](std::string_view text) -> Result<std::string> {
    auto input = from_json<Input>(text);
    if (!input) return input.error();
    return try_to_json(*input);  // input just below a limit may be longer when written anew
  };
  definition.execution = [](detail::Journal& journal,
                            std::string_view text) -> Result<std::unique_ptr<detail::Execution>> {
    auto input = from_json<Input>(text);
    if (!input) return input.error();
    return std::unique_ptr<detail::Execution>(
        std::make_unique<detail::TypedExecution<S>>(journal, std::move(input).value()));
  };
  definition.input_schema = [] { return json_schema<Input>(); };
  definition.output_schema = [] { return json_schema<typename S::Output>(); };
  return definition;
}

}  // namespace skald
