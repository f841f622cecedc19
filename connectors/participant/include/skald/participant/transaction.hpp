// What a handler works with: the transaction in which its effect, the inbox row and the reply stand or fall
// together, and the rows it answers. Used by the service's one thread, inside a handler only.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace skald::participant {

namespace detail {
class Connection;
struct ResultHandle;
}  // namespace detail

/// A statement PostgreSQL refused. A handler may catch it and refuse or retry; uncaught it is a retryable failure.
class SqlError : public std::runtime_error {
 public:
  SqlError(std::string state, const std::string& message)
      : std::runtime_error(message), state_(std::move(state)) {}
  /// Five characters: "23505" is a unique violation.
  [[nodiscard]] const std::string& state() const noexcept { return state_; }

 private:
  std::string state_;
};

/// A parameter as text, or null. Vectors become arrays, for `unnest($1::text[])` and `= ANY($1::bigint[])`.
class Parameter {
 public:
  Parameter(std::nullopt_t) {}
  Parameter(std::string_view text) : text_(text) {}
  Parameter(const std::string& text) : text_(text) {}
  Parameter(const char* text) : text_(text) {}
  Parameter(bool value) : text_(value ? "true" : "false") {}
  template <class Number>
    requires(std::integral<Number> && !std::same_as<Number, bool> && !std::same_as<Number, char>)
  Parameter(Number value) : text_(std::to_string(value)) {}
  Parameter(double value);
  Parameter(std::span<const std::string> values);
  Parameter(const std::vector<std::string>& values) : Parameter(std::span<const std::string>(values)) {}
  Parameter(std::span<const std::int64_t> values);
  Parameter(const std::vector<std::int64_t>& values) : Parameter(std::span<const std::int64_t>(values)) {}
  template <class T>
  Parameter(const std::optional<T>& value) {
    if (value) *this = Parameter(*value);
  }

  [[nodiscard]] const std::optional<std::string>& text() const noexcept { return text_; }

 private:
  std::optional<std::string> text_;
};

/// The answer to one statement. Cheap to copy; texts are valid as long as any copy lives.
class Rows {
 public:
  Rows() = default;
  explicit Rows(std::shared_ptr<const detail::ResultHandle> result) : result_(std::move(result)) {}

  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  /// Rows inserted, updated, deleted or selected.
  [[nodiscard]] std::size_t affected() const noexcept;
  [[nodiscard]] bool is_null(std::size_t row, std::size_t column) const noexcept;
  /// "" for null and for places that do not exist.
  [[nodiscard]] std::string_view text(std::size_t row, std::size_t column) const noexcept;
  /// 0 for what is not an integer.
  [[nodiscard]] std::int64_t integer(std::size_t row, std::size_t column) const noexcept;

 private:
  std::shared_ptr<const detail::ResultHandle> result_;
};

/// Statements are prepared once per connection and text. Names are looked up in the participant's schema first.
/// Committing and rolling back is the service's business.
class Transaction {
 public:
  explicit Transaction(detail::Connection& connection) : connection_(connection) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// Throws SqlError; a lost connection passes through the handler as another exception, do not swallow it.
  template <class... Parameters>
  Rows exec(std::string_view sql, const Parameters&... parameters) {
    std::vector<Parameter> list;
    list.reserve(sizeof...(parameters));
    (list.emplace_back(parameters), ...);
    return run(sql, std::move(list));
  }

  /// Of the command under way: the same for every attempt of an action and for its compensation. In a batch handler
  /// take them from the item.
  [[nodiscard]] std::string_view idempotency_key() const noexcept { return idempotency_key_; }
  [[nodiscard]] std::string_view saga_id() const noexcept { return saga_id_; }
  /// From 1.
  [[nodiscard]] int attempt() const noexcept { return attempt_; }

  /// Names this attempt of an action to whoever is to complete it (docs/long-steps.md). Empty in a compensation and in a
  /// batch handler.
  [[nodiscard]] std::string_view token() const noexcept { return token_; }
  /// What the handler does stands, but no reply is sent and what it returns counts for nothing: somebody completes the
  /// step by its token. A later attempt finds it done and is not answered either; a compensation undoes it. Throws where
  /// there is no token: a batch handler's commands then go through `execute`.
  void complete_later();

  // For the service: one savepoint a handler, opened with its first statement.
  void begin_handler(std::string_view idempotency_key, std::string_view saga_id, int attempt,
                     std::string_view token);
  [[nodiscard]] bool completes_later() const noexcept { return completes_later_; }
  /// False if the handler swallowed a failed statement: nothing of it can be kept.
  [[nodiscard]] bool end_handler();
  void undo_handler();

 private:
  enum class Savepoint { kNone, kWanted, kOpen };

  Rows run(std::string_view sql, std::vector<Parameter> parameters);

  detail::Connection& connection_;
  Savepoint savepoint_ = Savepoint::kNone;
  bool left_open_ = false;  ///< the savepoint of an earlier handler, released with the next one's
  std::string idempotency_key_;
  std::string saga_id_;
  int attempt_ = 0;
  std::string token_;
  bool completes_later_ = false;
};

}  // namespace skald::participant
