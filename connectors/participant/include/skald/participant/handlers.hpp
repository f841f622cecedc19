// How a step's handlers are written and what the service sees of them: typed functions on one side, JSON in and
// Answer out on the other. A handler runs on the service's one thread, inside its transaction.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "skald/fields.hpp"
#include "skald/options.hpp"
#include "skald/participant/transaction.hpp"

namespace skald::participant {

/// Throw it for a final "no": the handler's statements are undone, and every repetition gets the same answer.
class Refused : public std::runtime_error {
 public:
  Refused(std::string code, const std::string& message)
      : std::runtime_error(message), code_(std::move(code)) {}
  [[nodiscard]] const std::string& code() const noexcept { return code_; }

 private:
  std::string code_;
};

/// Throw it for "not now": the handler's statements are undone, and the next attempt executes anew. Any other
/// exception counts as one with code `exception`.
class Retry : public std::runtime_error {
 public:
  Retry(std::string code, const std::string& message) : std::runtime_error(message), code_(std::move(code)) {}
  /// Not before `after` has passed, in the place of the pause that the saga's own policy gives; at most a year.
  Retry(std::string code, const std::string& message, std::chrono::milliseconds after)
      : std::runtime_error(message), code_(std::move(code)), after_(after) {}
  [[nodiscard]] const std::string& code() const noexcept { return code_; }
  [[nodiscard]] std::optional<std::chrono::milliseconds> after() const noexcept { return after_; }

 private:
  std::string code_;
  std::optional<std::chrono::milliseconds> after_;
};

/// One command of a batch.
template <class Input>
struct Item {
  Input input;
  std::string_view idempotency_key;
  std::string_view saga_id;
  int attempt = 1;
};

/// One answer of a batch handler. What it refuses or wants retried must have had no effect.
template <class Output>
using Outcome = std::variant<Output, Refused, Retry>;

namespace detail {

struct RawItem {
  std::string_view data;  ///< JSON
  std::string_view idempotency_key;
  std::string_view saga_id;
  int attempt = 1;
};

struct Answer {
  enum class Kind { kSucceeded, kRefused, kRetry, kLater };
  Kind kind = Kind::kSucceeded;
  std::string data;  ///< JSON, of a success
  std::string code;
  std::string message;
  std::optional<std::chrono::milliseconds> retry_after{};
};

using One =
    std::function<std::string(const RawItem&, Transaction&)>;  ///< throws Refused, Retry or anything else
using Many = std::function<std::vector<Answer>(std::span<const RawItem>, Transaction&)>;

struct Step {
  One execute;
  Many execute_batch;
  One compensate;
  StepLimits limits{};
};

/// The first parameter of a function, lambda or function object, without const and reference.
template <class T>
struct FirstOf : FirstOf<decltype(&T::operator())> {};
template <class Object, class Answer, class First, class... Rest>
struct FirstOf<Answer (Object::*)(First, Rest...) const> {
  using type = std::remove_cvref_t<First>;
};
template <class Object, class Answer, class First, class... Rest>
struct FirstOf<Answer (Object::*)(First, Rest...)> {
  using type = std::remove_cvref_t<First>;
};

template <class Answer, class First, class... Rest>
struct FirstOf<Answer (*)(First, Rest...)> {
  using type = std::remove_cvref_t<First>;
};

template <class Input>
Input read_input(std::string_view data) {
  auto input = from_json<Input>(data);
  if (!input) throw Refused("invalid-input", input.error().message);
  return std::move(input).value();
}

template <class Output>
Answer to_answer(const Outcome<Output>& outcome) {
  if (const auto* output = std::get_if<0>(&outcome))
    return {Answer::Kind::kSucceeded, to_json(*output), {}, {}};
  if (const auto* refused = std::get_if<1>(&outcome))
    return {Answer::Kind::kRefused, {}, refused->code(), refused->what()};
  const auto& retry = std::get<2>(outcome);
  return {Answer::Kind::kRetry, {}, retry.code(), retry.what(), retry.after()};
}

/// Items whose input does not fit are refused here; the handler sees the others, in order.
template <class Input, class Output, class Handler>
std::vector<Answer> answer_batch(const Handler& handler, std::span<const RawItem> raw,
                                 Transaction& transaction) {
  std::vector<Answer> answers(raw.size());
  std::vector<Item<Input>> items;
  std::vector<std::size_t> places;
  items.reserve(raw.size());
  for (std::size_t index = 0; index < raw.size(); ++index) {
    auto input = from_json<Input>(raw[index].data);
    if (input) {
      items.push_back(
          {std::move(input).value(), raw[index].idempotency_key, raw[index].saga_id, raw[index].attempt});
      places.push_back(index);
    } else {
      answers[index] = {Answer::Kind::kRefused, {}, "invalid-input", input.error().message};
    }
  }
  if (items.empty()) return answers;
  const auto outcomes = handler(std::span<const Item<Input>>(items), transaction);
  if (outcomes.size() != items.size()) throw std::logic_error("a batch handler answers each item, in order");
  for (std::size_t index = 0; index < places.size(); ++index)
    answers[places[index]] = to_answer<Output>(outcomes[index]);
  return answers;
}

}  // namespace detail

/// A compensation handler: any callable (const Undo&, Transaction&), where Undo is what the step's compensation
/// sends. It is called only if the action took effect, once.
class Compensation {
 public:
  Compensation() = default;
  template <class Handler>
    requires(!std::same_as<std::remove_cvref_t<Handler>, Compensation>)
  Compensation(Handler handler)
      : handler_([handler = std::move(handler)](const detail::RawItem& item,
                                                Transaction& transaction) -> std::string {
          handler(detail::read_input<typename detail::FirstOf<Handler>::type>(item.data), transaction);
          return "{}";
        }) {}
  [[nodiscard]] const detail::One& handler() const noexcept { return handler_; }

 private:
  detail::One handler_;
};

template <class Input, class Output>
struct Handlers {
  std::function<Output(const Input&, Transaction&)> execute{};
  /// Left out for a step that declares that it needs none.
  Compensation compensate{};
  /// Optional, for throughput: many commands of different keys with few statements. If it throws, its statements are
  /// undone and each command goes through `execute`.
  std::function<std::vector<Outcome<Output>>(std::span<const Item<Input>>, Transaction&)> execute_batch{};
  /// What this process does of the step, action and compensation together: commands in one transaction, starts per
  /// second, and the breaker, for which `Retry` and whatever else is thrown but `Refused` are failures. --limit
  /// overrides it number by number. Commands that wait stay in Kafka: docs/limits.md.
  StepLimits limits{};

  [[nodiscard]] detail::Step erased() const {
    detail::Step step;
    step.execute = [handler = execute](const detail::RawItem& item, Transaction& transaction) {
      return to_json(handler(detail::read_input<Input>(item.data), transaction));
    };
    if (execute_batch)
      step.execute_batch = [handler = execute_batch](std::span<const detail::RawItem> items,
                                                     Transaction& transaction) {
        return detail::answer_batch<Input, Output>(handler, items, transaction);
      };
    step.compensate = compensate.handler();
    step.limits = limits;
    return step;
  }
};

}  // namespace skald::participant
