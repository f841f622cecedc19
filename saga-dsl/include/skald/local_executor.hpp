// LocalExecutor: a local step's object with its types erased. Called by the step executor's threads, several
// at once; translates what the step throws, so that no exception of an author's code goes further.
#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "skald/step.hpp"

namespace skald {

/// How an attempt of a local step ended.
struct LocalOutcome {
  enum class Kind {
    succeeded,  ///< `output` holds its JSON (empty for a compensation)
    refused,    ///< certain: no effect; `failure.retry` says whether to try again
    unknown,    ///< any other exception
    later,      ///< it has returned, and somebody else completes it
  } kind = Kind::succeeded;
  std::string output;
  Failure failure;
};

class LocalExecutor {
 public:
  virtual ~LocalExecutor() = default;
  virtual LocalOutcome execute(std::string_view input, StepContext& step) = 0;
  /// `output` is null if the outcome is unknown.
  virtual LocalOutcome compensate(std::string_view input, const std::string* output, StepContext& step) = 0;
};

namespace detail {

/// Runs an author's code and translates what leaves it.
template <class F>
LocalOutcome translate_local(F&& call) {
  using Kind = LocalOutcome::Kind;
  try {
    return {Kind::succeeded, call(), {}};
  } catch (const StepFailed& failed) {
    return {Kind::refused, {}, failed.failure()};
  } catch (const OutcomeUnknown& unknown) {
    return {Kind::unknown, {}, unknown.failure()};
  } catch (const std::exception& error) {
    return {Kind::unknown, {}, {std::string(failure_code::kException), error.what(), Retry::allowed, true}};
  } catch (...) {
    return {Kind::unknown,
            {},
            {std::string(failure_code::kException), "not derived from std::exception", Retry::allowed, true}};
  }
}

template <class S>
class TypedExecutor final : public LocalExecutor {
 public:
  using Input = typename S::Input;
  using Output = typename S::Output;

  template <class... Arguments>
  explicit TypedExecutor(Arguments&&... arguments) : step_(std::forward<Arguments>(arguments)...) {}

  LocalOutcome execute(std::string_view text, StepContext& step) override {
    auto input = from_json<Input>(text);
    if (!input) return unreadable(input.error().message);
    LocalOutcome outcome = translate_local([&] { return to_json(step_.execute(*input, step)); });
    if (outcome.kind == LocalOutcome::Kind::succeeded && step.is_completed_later())
      return {LocalOutcome::Kind::later, {}, {}};
    return outcome;
  }

  LocalOutcome compensate(std::string_view text, const std::string* output_text, StepContext& step) override {
    auto input = from_json<Input>(text);
    if (!input) return unreadable(input.error().message);
    std::optional<Output> output;
    if (output_text != nullptr) {
      auto read = from_json<Output>(*output_text);
      if (!read) return unreadable(read.error().message);
      output = std::move(read).value();
    }
    return translate_local([&] {
      step_.compensate(*input, output, step);
      return std::string();
    });
  }

 private:
  static LocalOutcome unreadable(const std::string& why) {
    return {LocalOutcome::Kind::refused, {}, {"unreadable-input", why, Retry::never, false}};
  }

  S step_;
};

}  // namespace detail
}  // namespace skald
