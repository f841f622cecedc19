// Steps: what a saga author derives from. A CommandStep is done by a participant over Kafka and never
// instantiated; a LocalStep is one object in this process, called by several threads at once. Mistakes that
// types can tell are static_asserts of check_step, raised where the step is first used.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "skald/child.hpp"
#include "skald/failure.hpp"
#include "skald/fields.hpp"
#include "skald/options.hpp"
#include "skald/record.hpp"

namespace skald {

/// A step a participant does. Give it: `name`; `topic` (or map it in the configuration); `options` if the
/// defaults do not fit; and `compensation`: a static function of (const Input&, const std::optional<Output>&)
/// that builds the compensation command (output empty: the outcome is unknown), or a NoCompensation with its
/// reason.
template <class InputType, class OutputType>
struct CommandStep {
  using Input = InputType;
  using Output = OutputType;
};

/// What a local step's attempt is told. Valid during the call only.
class StepContext {
 public:
  struct Values {
    std::string saga_id{};
    std::string idempotency_key{};
    int attempt = 1;
    std::optional<Time> deadline{};
    std::stop_token stop{};
    std::string token{};
    std::string checkpoint{};                              ///< JSON, empty: none
    std::function<void(std::string details)> heartbeat{};  ///< any thread
  };
  explicit StepContext(Values values) : values_(std::move(values)) {}

  /// The same for every attempt of the action and for its compensation: give it to what you call.
  [[nodiscard]] const std::string& idempotency_key() const noexcept { return values_.idempotency_key; }
  [[nodiscard]] const std::string& saga_id() const noexcept { return values_.saga_id; }
  /// Counts from 1.
  [[nodiscard]] int attempt() const noexcept { return values_.attempt; }
  /// When this attempt is given up, if ever. Use it as the timeout of your call.
  [[nodiscard]] std::optional<Time> deadline() const noexcept { return values_.deadline; }
  /// Says that the attempt lives, and how far it has come: the next attempt finds the last details in checkpoint(). Call
  /// it as often as you like: at most one in half of the step's heartbeat timeout (10 s if it has none) is written, each a
  /// row of the saga's history. `details`: at most 4,096 bytes as JSON; longer ones are left out. From any thread.
  template <class T>
  void heartbeat(const T& details) const {
    if (values_.heartbeat) values_.heartbeat(to_json(details));
  }
  /// What an attempt before said last; nothing if none did, or if it does not fit T.
  template <class T>
  [[nodiscard]] std::optional<T> checkpoint() const {
    if (values_.checkpoint.empty()) return std::nullopt;
    auto read = from_json<T>(values_.checkpoint);
    if (!read) return std::nullopt;
    return std::move(read).value();
  }
  /// Names this attempt: who has it completes the step later, over the API or with `complete`.
  [[nodiscard]] const std::string& token() const noexcept { return values_.token; }
  /// The step goes on when execute returns, until somebody completes it by its token: what execute returns counts for
  /// nothing. The step's timeouts go on. Not for a compensation.
  void complete_later() noexcept { is_later_ = true; }
  [[nodiscard]] bool is_completed_later() const noexcept { return is_later_; }
  /// Set at the deadline and at shutdown: return soon, throwing anything.
  [[nodiscard]] const std::stop_token& stop() const noexcept { return values_.stop; }

 private:
  Values values_;
  bool is_later_ = false;
};

/// A step done in this process. `execute` returns its output; throws StepFailed for a certain refusal; any
/// other exception is an unknown outcome and tried again under the same idempotency key. `compensate` undoes
/// it by that key (output empty: the outcome is unknown), and is tried again until it returns; a step without
/// one states `static constexpr skald::NoCompensation compensation{"why"}`. Both are called from several
/// threads at once.
template <class InputType, class OutputType>
class LocalStep {
 public:
  using Input = InputType;
  using Output = OutputType;

  virtual ~LocalStep() = default;
  virtual Output execute(const Input& input, StepContext& step) = 0;
  virtual void compensate(const Input& input, const std::optional<Output>& output, StepContext& step) {
    static_cast<void>(input), static_cast<void>(output), static_cast<void>(step);
  }
};

namespace detail {

template <class S>
concept HasStepTypes = requires {
  typename S::Input;
  typename S::Output;
};
template <class S>
concept HasName = requires { std::string_view(S::name); };
template <class S>
concept HasTopic = requires { std::string_view(S::topic); };
template <class S>
concept HasOptions = requires { StepOptions(S::options); };

template <class S>
concept IsCommandStep =
    HasStepTypes<S> && std::is_base_of_v<CommandStep<typename S::Input, typename S::Output>, S>;
template <class S>
concept IsLocalStep =
    HasStepTypes<S> && std::is_base_of_v<LocalStep<typename S::Input, typename S::Output>, S>;

template <class S>
concept StatesNoCompensation =
    requires { requires std::is_same_v<std::remove_cvref_t<decltype(S::compensation)>, NoCompensation>; };
template <class S>
concept HasCommandCompensation =
    requires(const typename S::Input& input, const std::optional<typename S::Output>& output) {
      S::compensation(input, output);
    };
template <class S>
concept OverridesCompensate = requires {
  requires !std::is_same_v<decltype(&S::compensate),
                           decltype(&LocalStep<typename S::Input, typename S::Output>::compensate)>;
};

/// What a message may carry: an object or an array.
template <class T>
inline constexpr bool kIsDocument = HasFields<T> || std::is_same_v<T, Nothing>;
template <class T>
inline constexpr bool kIsDocument<std::vector<T>> = true;
template <class Key, class T>
inline constexpr bool kIsDocument<std::map<Key, T>> = true;

/// Up to 63 of [A-Za-z0-9._-]: names stand in topics, metrics, ids and URLs.
constexpr bool is_name(std::string_view name) {
  if (name.empty() || name.size() > 63) return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

/// What types can tell about a step, in sentences.
template <class S>
constexpr bool check_step() {
  static_assert(
      HasStepTypes<S> && (IsCommandStep<S> || IsLocalStep<S> || IsChildSaga<S>),
      "a step derives publicly from skald::CommandStep<Input, Output>, skald::LocalStep<Input, Output> "
      "or skald::ChildSaga<Saga>");
  static_assert(HasName<S>, "a step needs: static constexpr std::string_view name = \"…\";");
  static_assert(is_name(S::name), "a step's name is 1 to 63 characters of A-Z a-z 0-9 . _ -");
  static_assert(JsonMapped<typename S::Input>,
                "the step's input is not mapped: add SKALD_FIELDS(Input, field, …) beside its struct");
  static_assert(JsonMapped<typename S::Output>,
                "the step's output is not mapped: add SKALD_FIELDS(Output, field, …) beside its struct");
  if constexpr (IsChildSaga<S>) {
    static_assert(
        kIsDocument<typename S::Input> && kIsDocument<typename S::Output>,
        "what a child saga takes and gives is a struct with fields, skald::Nothing, a vector or a map: it "
        "travels in a message, which is a JSON object or array");
    if constexpr (HasOptions<S>)
      static_assert(
          !S::options.start_to_close && !S::options.schedule_to_start,
          "a child saga has one attempt, which nothing but schedule_to_close or its own deadline ends");
  } else if constexpr (IsCommandStep<S>) {
    static_assert(
        kIsDocument<typename S::Input> && kIsDocument<typename S::Output>,
        "what a command step sends and gets is a struct with fields, skald::Nothing, a vector or a map: "
        "a message is a JSON object or array");
    static_assert(StatesNoCompensation<S> || HasCommandCompensation<S>,
                  "a command step needs a compensation: static C compensation(const Input&, const "
                  "std::optional<Output>&) (empty: the outcome is unknown), or static constexpr "
                  "skald::NoCompensation compensation{\"why\"};");
    if constexpr (HasCommandCompensation<S>) {
      using Compensation =
          decltype(S::compensation(std::declval<const typename S::Input&>(),
                                   std::declval<const std::optional<typename S::Output>&>()));
      static_assert(JsonMapped<Compensation>,
                    "what the compensation returns is not mapped: add SKALD_FIELDS beside its struct");
      static_assert(
          kIsDocument<Compensation>,
          "what the compensation returns is a struct with fields, skald::Nothing, a vector or a map: a "
          "message is a JSON object or array");
    }
  } else {
    static_assert(
        StatesNoCompensation<S> || OverridesCompensate<S>,
        "a local step overrides compensate(const Input&, const std::optional<Output>&, "
        "skald::StepContext&), or states static constexpr skald::NoCompensation compensation{\"why\"};");
  }
  return true;
}

}  // namespace detail
}  // namespace skald
