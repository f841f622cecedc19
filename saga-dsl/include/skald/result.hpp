// Result<T>: how the engine and the ports return errors. Exceptions live at library edges only; they are
// translated there into an Error of one of the kinds below. Safe to use from any thread; never allocates but
// for the strings it holds.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace skald {

/// What a caller can do about an error.
enum class ErrorKind {
  kInvalid,      ///< the input is wrong and will stay wrong: refuse it, naming what and where
  kRetry,        ///< passing: nothing took effect, the same call may succeed later
  kUnknown,      ///< it may or may not have taken effect: ask before trying again
  kUnavailable,  ///< the other side is away: wait and reconnect; nothing took effect
  kRefused,      ///< the other side says no for good (credentials, permission, too large)
};

/// An error: its kind, the code of docs/errors.md (`SKALD-nnn`, may be empty inside the engine), and one
/// sentence that names what is wrong and where.
struct Error {
  ErrorKind kind = ErrorKind::kInvalid;
  std::string code;
  std::string message;
};

/// A value or an Error. Test it before use; value() of an error is a programming mistake and aborts.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const noexcept { return state_.index() == 0; }
  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }

  T& value() & { return *std::get_if<0>(&state_); }
  const T& value() const& { return *std::get_if<0>(&state_); }
  T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  [[nodiscard]] const Error& error() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

/// A Result without a value.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}

  explicit operator bool() const noexcept { return ok_; }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  Error error_;
  bool ok_ = true;
};

}  // namespace skald
