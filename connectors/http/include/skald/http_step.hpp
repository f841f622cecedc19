// HttpStep: a local step whose action and compensation are HTTP requests, so that a service that knows nothing of Skald
// takes part in a saga. What an answer means for the saga (done, refused, not now, unknown) is decided by its status;
// docs/http-steps.md has the table. Requests are constants of the step's class, and what is wrong with them does not
// compile. Called by several threads at once, as any local step.
//
//   class ChargeCard : public skald::HttpStep<ChargeCard, Charge, Payment> {
//    public:
//     using HttpStep::HttpStep;                                     // (skald::HttpClient&), which outlives the step
//     static constexpr std::string_view name = "charge-card";
//     static constexpr skald::HttpRequest action{.path = "/customers/{customer}/charges"};
//     static constexpr skald::HttpRequest compensation{.method = "DELETE", .path = "/charges/{idempotency-key}"};
//   };
//   …
//   skald::HttpClient payments{{.base_url = "https://payments.example.com/v1"}};
//   registry.add_step<ChargeCard>(payments);
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "skald/detail/http_checks.hpp"
#include "skald/fields.hpp"
#include "skald/http_client.hpp"
#include "skald/step.hpp"

namespace skald {

namespace detail {

template <class S>
concept HasHttpAction =
    requires { requires std::is_same_v<std::remove_cvref_t<decltype(S::action)>, HttpRequest>; };
template <class S>
concept HasHttpCompensation =
    requires { requires std::is_same_v<std::remove_cvref_t<decltype(S::compensation)>, HttpRequest>; };
template <class S>
concept HasHttpBody = requires(const typename S::Input& input) { S::body(input); };
template <class S>
concept HasHttpCompensationBody =
    requires(const typename S::Input& input, const std::optional<typename S::Output>& output) {
      S::compensation_body(input, output);
    };

/// Is every {field} of the path one of Input? An input whose fields no type tells (a map) is judged at each attempt.
template <class Input>
constexpr bool http_fields_exist(std::string_view path) {
  if constexpr (HasFields<Input>) {
    return each_http_part(path, [](std::string_view part, bool placeholder) {
      return !placeholder || part == kHttpKeyPlaceholder ||
             !every_field<Input>([part](const auto& field) { return field.name != part; });
    });
  }
  return true;
}

/// What types and constants tell about a request, in sentences. `Get::request` is the constant.
template <class Get, class Input>
constexpr void check_http_request() {
  constexpr HttpRequest kRequest = Get::request;
  static_assert(is_http_method(kRequest.method),
                "an HTTP step's method is GET, HEAD, POST, PUT, PATCH or DELETE");
  static_assert(
      is_http_path(kRequest.path),
      "an HTTP step's path begins with a / and holds no space, #, . or .. segment, nor a bracket but those "
      "of {field}; the query comes after one ?");
  static_assert(
      http_fields_exist<Input>(kRequest.path),
      "an HTTP step's path names a {field} that its input does not have ({idempotency-key} is the key)");
  static_assert(
      are_http_headers(kRequest.headers) && is_http_token(kRequest.idempotency_header),
      "an HTTP step's header has a name or value that HTTP forbids, or one that Skald or libcurl writes "
      "itself (Host, Content-Length, Transfer-Encoding, Connection, Expect)");
}

template <class S>
struct HttpActionOf {
  static constexpr const HttpRequest& request = S::action;
};
template <class S>
struct HttpCompensationOf {
  static constexpr const HttpRequest& request = S::compensation;
};

/// JSON of what is sent. What JSON cannot hold is a certain refusal: nothing was sent.
template <class T>
std::string http_json(const T& value) {
  Result<std::string> text = try_to_json(value);
  if (!text)
    throw HttpFailed{{"http-request", text.error().code + ": " + text.error().message, Retry::never}};
  return std::move(text).value();
}

}  // namespace detail

/// Derive with the class itself as the first argument, and give it: `name`; `action`; `compensation`, either another
/// HttpRequest or a NoCompensation with its reason. A POST, PUT or PATCH sends the input as JSON, unless
///   static B body(const Input&)                                              // of the action
///   static B compensation_body(const Input&, const std::optional<Output>&)   // output empty: the outcome is unknown
/// builds something else; with them a DELETE has a body as well. The answer's body is read as OutputType; a step whose
/// output is skald::Nothing does not look at it.
template <class Step, class InputType, class OutputType>
class HttpStep : public LocalStep<InputType, OutputType> {
 public:
  /// `client` outlives the step; several steps may share it.
  explicit HttpStep(HttpClient& client) : client_(client) {
    static_assert(
        std::is_base_of_v<HttpStep, Step>,
        "an HTTP step gives its own class first: class S : public skald::HttpStep<S, Input, Output>");
    static_assert(detail::HasHttpAction<Step>,
                  "an HTTP step needs: static constexpr skald::HttpRequest action{…};");
    static_assert(
        detail::HasHttpCompensation<Step> || detail::StatesNoCompensation<Step>,
        "an HTTP step needs static constexpr skald::HttpRequest compensation{…}; or static constexpr "
        "skald::NoCompensation compensation{\"why\"};");
    detail::check_http_request<detail::HttpActionOf<Step>, InputType>();
    if constexpr (detail::HasHttpCompensation<Step>)
      detail::check_http_request<detail::HttpCompensationOf<Step>, InputType>();
  }

  OutputType execute(const InputType& input, StepContext& step) override {
    const std::string document = detail::http_json(input);
    std::optional<std::string> body;
    if constexpr (detail::HasHttpBody<Step>)
      body = detail::http_json(Step::body(input));
    else if (detail::http_method_has_body(Step::action.method))
      body = document;
    const HttpAnswer answer = client_.send(Step::action, document, body, step);
    if constexpr (std::is_same_v<OutputType, Nothing>) {
      return {};
    } else {
      auto output = from_json<OutputType>(answer.body, {.maximum_bytes = client_.maximum_response_bytes()});
      if (!output)  // the callee has done it, whatever it says: never a refusal
        throw HttpUnknown{"http-output", "the answer is not this step's output: " + output.error().message};
      return std::move(output).value();
    }
  }

  void compensate(const InputType& input, const std::optional<OutputType>& output,
                  StepContext& step) override {
    if constexpr (detail::HasHttpCompensation<Step>) {
      const std::string document = detail::http_json(input);
      std::optional<std::string> body;
      if constexpr (detail::HasHttpCompensationBody<Step>)
        body = detail::http_json(Step::compensation_body(input, output));
      else if (detail::http_method_has_body(Step::compensation.method))
        body = document;
      client_.send(Step::compensation, document, body, step);
    } else {
      LocalStep<InputType, OutputType>::compensate(input, output, step);
    }
  }

 private:
  HttpClient& client_;
};

}  // namespace skald
