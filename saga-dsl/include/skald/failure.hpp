// How a step and a saga fail: Failure is the value that is stored and sent, StepFailed and SagaFailed are the
// two exceptions by which saga code and local steps speak of it, Outcome is what try_step gives. Values;
// thread-neutral.
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace skald {

/// May the step be tried again?
enum class Retry { allowed, never };

/// Why a step failed. `code` is for programs (compared, counted, listed in RetryPolicy::non_retryable),
/// `message` for people. `unknown`: nobody can tell whether the step took effect; Skald compensates it before
/// the saga ends.
struct Failure {
  std::string code;
  std::string message;
  Retry retry = Retry::allowed;
  bool unknown = false;
  /// When to try again at the earliest, said by who failed, in the place of the policy's pause; at most a year.
  std::optional<std::chrono::milliseconds> retry_after{};

  /// "code: message".
  [[nodiscard]] std::string what() const { return message.empty() ? code : code + ": " + message; }
  bool operator==(const Failure&) const = default;
};

/// Codes Skald itself gives; a participant's own codes stand beside them.
namespace failure_code {
inline constexpr std::string_view kTimeout = "timeout";                     ///< schedule_to_close passed
inline constexpr std::string_view kAttemptTimeout = "attempt-timeout";      ///< start_to_close passed
inline constexpr std::string_view kHeartbeatTimeout = "heartbeat-timeout";  ///< it fell silent
inline constexpr std::string_view kUndeliverable = "undeliverable";  ///< Kafka will never take the command
inline constexpr std::string_view kExpired = "expired";      ///< the participant saw it too late: no effect
inline constexpr std::string_view kException = "exception";  ///< a local step threw something else
inline constexpr std::string_view kInterrupted = "interrupted";  ///< the process running a local step died
inline constexpr std::string_view kDeadline = "deadline";        ///< the saga's own deadline passed
inline constexpr std::string_view kAbandoned = "abandoned";      ///< given up by the saga, or by its rollback
inline constexpr std::string_view kCancelled = "cancelled";      ///< somebody cancelled the saga
// Of a child saga:
inline constexpr std::string_view kTerminated = "terminated";  ///< ended by an operator as it stood
inline constexpr std::string_view kPastPivot =
    "past-pivot";  ///< its pivot took effect: it is not rolled back
inline constexpr std::string_view kChildRefused =
    "child-refused";  ///< never started: its id is taken, or its input does not fit
}  // namespace failure_code

/// In a saga: thrown by `co_await saga.step<S>(…)` when S failed for good. In a local step: throw it for a
/// certain refusal (the step had no effect); Retry::never ends the step, Retry::allowed lets the policy try
/// again.
class StepFailed : public std::exception {
 public:
  StepFailed(std::string code, std::string message, Retry retry = Retry::allowed)
      : StepFailed({}, Failure{std::move(code), std::move(message), retry, false}) {}
  /// To be tried again, not before that time has passed.
  StepFailed(std::string code, std::string message, std::chrono::milliseconds retry_after)
      : StepFailed({}, Failure{std::move(code), std::move(message), Retry::allowed, false, retry_after}) {}
  StepFailed(std::string step, Failure failure, int ordinal = 0)
      : step_(std::move(step)), failure_(std::move(failure)), ordinal_(ordinal), what_(failure_.what()) {
    if (!step_.empty()) what_ = step_ + ": " + what_;
  }

  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }
  [[nodiscard]] const std::string& step() const noexcept { return step_; }
  [[nodiscard]] const std::string& code() const noexcept { return failure_.code; }
  [[nodiscard]] const std::string& message() const noexcept { return failure_.message; }
  [[nodiscard]] const Failure& failure() const noexcept { return failure_; }
  /// Which of the saga's steps, counted from 1; 0 outside of a saga.
  [[nodiscard]] int ordinal() const noexcept { return ordinal_; }

 private:
  std::string step_;
  Failure failure_;
  int ordinal_ = 0;
  std::string what_;
};

/// In a local step: an unknown outcome, as any other exception is, with a code of its own and, if it is known, when to
/// try again.
class OutcomeUnknown : public std::exception {
 public:
  OutcomeUnknown(std::string code, std::string message,
                 std::optional<std::chrono::milliseconds> retry_after = {})
      : failure_{std::move(code), std::move(message), Retry::allowed, true, retry_after},
        what_(failure_.what()) {}

  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }
  [[nodiscard]] const Failure& failure() const noexcept { return failure_; }

 private:
  Failure failure_;
  std::string what_;
};

/// Throw it in a saga to fail on purpose: the saga rolls back and ends compensated with this code.
class SagaFailed : public std::exception {
 public:
  SagaFailed(std::string code, std::string message)
      : failure_{std::move(code), std::move(message), Retry::never, false}, what_(failure_.what()) {}

  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }
  [[nodiscard]] const Failure& failure() const noexcept { return failure_; }

 private:
  Failure failure_;
  std::string what_;
};

/// What try_step gives: the output, or the failure. Check it as a bool first.
template <class T>
class [[nodiscard]] Outcome {
 public:
  explicit Outcome(T value) : value_(std::move(value)) {}
  explicit Outcome(Failure failure) : failure_(std::move(failure)) {}

  explicit operator bool() const noexcept { return value_.has_value(); }
  [[nodiscard]] const T& value() const& { return value_.value(); }
  [[nodiscard]] const T& operator*() const& { return *value_; }
  const T* operator->() const { return &*value_; }
  /// Empty code if it succeeded.
  [[nodiscard]] const Failure& failure() const noexcept { return failure_; }

 private:
  std::optional<T> value_;
  Failure failure_;
};

}  // namespace skald
