// HttpClient: the connections to one service, shared by the HTTP steps that call it; HttpRequest: what a step says of
// one request; and the two exceptions by which a call ends that was not done. Requests are constants, the endpoint
// comes from wherever the author's main reads its configuration. Thread-safe throughout.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "skald/failure.hpp"
#include "skald/record.hpp"
#include "skald/result.hpp"
#include "skald/step.hpp"

namespace skald {

/// What the status of an answer says about the step.
enum class HttpMeaning {
  done,     ///< it took effect: 2xx
  refused,  ///< certain: no effect, and never will be: 3xx and 4xx but those below
  not_now,  ///< certain: no effect; tried again: 425, 429
  unknown,  ///< it may have taken effect; tried again under the same key: 408, 5xx, and 302 and 303 after a write
};

struct HttpHeader {
  std::string_view name;
  std::string_view value;
};
/// An exception to the meanings above: a service that answers 409 while it still works on the key means `unknown`, one
/// that answers a compensation with 404 because there is nothing to undo means `done`.
struct HttpStatus {
  int status = 0;
  HttpMeaning meaning = HttpMeaning::refused;
};

/// Up to 8 of them, usable in constant expressions.
template <class T>
class HttpList {
 public:
  constexpr HttpList() = default;
  constexpr HttpList(std::initializer_list<T> items) {
    for (const T& item : items) items_.at(size_++) = item;
  }
  [[nodiscard]] constexpr const T* begin() const { return items_.data(); }
  [[nodiscard]] constexpr const T* end() const { return items_.data() + size_; }

 private:
  std::array<T, 8> items_{};
  std::size_t size_ = 0;
};

struct HttpRequest {
  std::string_view method = "POST";
  /// After the base URL: "/customers/{customer}/charges?currency={currency}". A {field} is a field of the step's input
  /// (a string, number or boolean), percent-encoded; {idempotency-key} is the key. A field that is absent, or would be
  /// an empty path segment, `.` or `..`, is a certain refusal: nothing is sent to a URL nobody meant.
  std::string_view path{};
  HttpList<HttpHeader> headers{};
  /// The header that carries the idempotency key: the same for every attempt and for the compensation.
  std::string_view idempotency_header = "Idempotency-Key";
  /// Appended to the key in that header. For the compensation of a service that takes a key for one kind of request
  /// only ("-undo"); {idempotency-key} stays the action's key.
  std::string_view idempotency_suffix{};
  HttpList<HttpStatus> statuses{};
};

/// One service, and what a call of it may cost.
struct HttpEndpoint {
  std::string base_url{};         ///< http://HOST[:PORT][/PATH] or https://…
  std::vector<Header> headers{};  ///< with every request; a request's own of the same name goes before
  /// Gives the value of the Authorization header, asked before every attempt: tokens expire. Thread-safe. What it
  /// throws is a certain failure, tried again: nothing was sent.
  std::function<std::string()> authorization{};
  std::chrono::milliseconds connect_timeout{5'000};
  /// For the whole call. The step's deadline and the process's shutdown end it earlier.
  std::chrono::milliseconds request_timeout{30'000};
  std::size_t maximum_response_bytes = 1 << 20;
  std::chrono::seconds maximum_retry_after{24 * 3600};  ///< a longer Retry-After counts as this
  /// TLS certificates are always verified, with the system's authorities or, if given, those of this PEM file.
  std::string ca_file{};
  std::string client_certificate_file{};  ///< PEM, for mutual TLS; with the key
  std::string client_key_file{};
  std::string proxy{};  ///< http://HOST:PORT; the environment's proxies are not asked
};

/// An answer that means `done`.
struct HttpAnswer {
  int status = 0;
  std::string body;
};

/// A call that certainly had no effect: `http-<status>`, `http-unreachable` (no connection), `http-tls`, `http-stopped`
/// (deadline or shutdown came first), `http-authorization` or `http-request` (a URL, header or body that cannot be
/// sent). What the answer's Retry-After asks for stands in the failure and is heeded.
class HttpFailed : public StepFailed {
 public:
  explicit HttpFailed(Failure failure) : StepFailed({}, std::move(failure)) {}
};

/// A call that may have had an effect, tried again under the same key: `http-<status>`, `http-output` (an answer that
/// nobody can read), `http-timeout`, `http-cut`, `http-stopped`. Retry-After likewise.
class HttpUnknown : public OutcomeUnknown {
 public:
  using OutcomeUnknown::OutcomeUnknown;
};

class HttpClient {
 public:
  /// Connects to nothing yet. An endpoint that cannot work: one line on stderr and exit code 2.
  explicit HttpClient(HttpEndpoint endpoint);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// What the constructor would say of it.
  [[nodiscard]] static Result<void> check(const HttpEndpoint& endpoint);

  /// One attempt: blocks until the answer, a limit, or the context's stop. `input` is the JSON object the path's
  /// fields come from. Throws HttpFailed or HttpUnknown unless the answer means `done`. `request` has been checked
  /// (HttpStep does).
  HttpAnswer send(const HttpRequest& request, std::string_view input, const std::optional<std::string>& body,
                  const StepContext& step);

  [[nodiscard]] std::size_t maximum_response_bytes() const noexcept;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace skald
