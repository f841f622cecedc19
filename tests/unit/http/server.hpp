// The other party of the HTTP steps' tests: a real server on the loopback interface (cpp-httplib's), one that writes
// bytes of the test's choice, and the steps that call them. Nothing here waits for time: a server that is to be slow
// waits for a promise of the test.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "skald/http_step.hpp"
#include "skald/local_executor.hpp"

namespace httplib {
class Server;
}

namespace skald::http {

struct Charge {
  std::string customer;
  std::int64_t cents = 0;
  std::optional<std::string> note{};
  bool express = false;
};
SKALD_FIELDS(Charge, customer, cents, note, express)
struct Payment {
  std::string id;
};
SKALD_FIELDS(Payment, id)

class ChargeCard : public HttpStep<ChargeCard, Charge, Payment> {
 public:
  using HttpStep::HttpStep;
  static constexpr std::string_view name = "charge-card";
  static constexpr HttpRequest action{.path = "/customers/{customer}/charges"};
  static constexpr HttpRequest compensation{
      .method = "DELETE", .path = "/charges/{idempotency-key}", .statuses = {{404, HttpMeaning::done}}};
};

class Notify : public HttpStep<Notify, Charge, Nothing> {
 public:
  using HttpStep::HttpStep;
  static constexpr std::string_view name = "notify";
  static constexpr HttpRequest action{.path = "/notices"};
  static constexpr NoCompensation compensation{"a notice cannot be unsent"};
};

/// What a server was asked.
struct Asked {
  std::string method;
  std::string target;  ///< as it stood in the request line
  std::vector<Header> headers;
  std::string body;

  /// All values of a header, with commas.
  std::string header(std::string_view name) const;
};

struct Answer {
  int status = 200;
  std::string body = R"({"id":"p-1"})";
  std::vector<Header> headers{};
};

struct Certificate;

class Server {
 public:
  /// Called by the server's threads.
  using Handler = std::function<Answer(const Asked&)>;
  explicit Server(Handler handler, const Certificate* certificate = nullptr);
  explicit Server(Answer answer) : Server([answer](const Asked&) { return answer; }) {}
  ~Server();

  std::string url() const { return url_; }
  std::vector<Asked> asked() const;

 private:
  Handler handler_;
  std::string url_;
  mutable std::mutex mutex_;
  std::vector<Asked> asked_;
  std::unique_ptr<httplib::Server> server_;
  std::thread thread_;
};

/// One connection after another: reads a request up to the end of its head (and what came with it), then does what the
/// script says, in order; after the last one it listens no more.
class RawServer {
 public:
  struct Turn {
    std::string bytes;               ///< the answer
    bool close = true;               ///< or read the next request from the same connection
    bool last = false;               ///< stop listening before closing
    std::function<void()> before{};  ///< called between request and answer
  };
  explicit RawServer(std::vector<Turn> script);
  ~RawServer();
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url() const { return "http://" + address(); }
  int requests() const;

 private:
  void serve(std::vector<Turn> script);

  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  int requests_ = 0;
  int connection_ = -1;
  std::thread thread_;
};

/// A port of the loopback interface on which nobody listens.
std::string dead_url();

inline const Charge kCharge{.customer = "ann", .cents = 500};

/// One attempt as the step executor makes it.
template <class S>
LocalOutcome attempt(HttpClient& client, const typename S::Input& input, StepContext::Values values = {}) {
  static_assert(detail::check_step<S>());
  if (values.idempotency_key.empty()) values.idempotency_key = "saga-1.1";
  StepContext context(std::move(values));
  return detail::TypedExecutor<S>(client).execute(to_json(input), context);
}

template <class S>
LocalOutcome undo(HttpClient& client, const typename S::Input& input,
                  const std::optional<std::string>& output = std::nullopt) {
  StepContext context({.saga_id = "saga-1", .idempotency_key = "saga-1.1"});
  return detail::TypedExecutor<S>(client).compensate(to_json(input), output ? &*output : nullptr, context);
}

/// Certain: no effect, and it is tried again, or never.
inline auto refused(const std::string& code, Retry retry) {
  using testing::AllOf, testing::Field;
  return AllOf(
      Field(&LocalOutcome::kind, LocalOutcome::Kind::refused),
      Field(&LocalOutcome::failure, AllOf(Field(&Failure::code, code), Field(&Failure::retry, retry))));
}
inline auto unknown(const std::string& code, const std::string& words = "") {
  using testing::AllOf, testing::Field, testing::HasSubstr;
  return AllOf(Field(&LocalOutcome::kind, LocalOutcome::Kind::unknown),
               Field(&LocalOutcome::failure,
                     AllOf(Field(&Failure::code, code), Field(&Failure::message, HasSubstr(words)),
                           Field(&Failure::retry, Retry::allowed), Field(&Failure::unknown, true))));
}
inline auto succeeded(const std::string& output) {
  using testing::AllOf, testing::Field;
  return AllOf(Field(&LocalOutcome::kind, LocalOutcome::Kind::succeeded),
               Field(&LocalOutcome::output, output));
}

}  // namespace skald::http
