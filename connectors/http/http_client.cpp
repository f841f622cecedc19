// What a call means for the step: headers and key on the way out, the verdict on the way back.
#include "skald/http_client.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "skald/detail/http_checks.hpp"
#include "skald/json.hpp"
#include "transport.hpp"
#include "url.hpp"

namespace skald {
namespace {

using http::Reply;
using Ending = Reply::Ending;

constexpr std::size_t kExcerptBytes = 256;

HttpMeaning meaning(const HttpRequest& request, int status) {
  for (const HttpStatus& own : request.statuses)
    if (own.status == status) return own.meaning;
  if (status >= 200 && status < 300) return HttpMeaning::done;
  if (status == 425 || status == 429) return HttpMeaning::not_now;
  if (status == 408 || status >= 500) return HttpMeaning::unknown;
  // "See there what came of it" is how many a server answers what it has just done.
  if ((status == 302 || status == 303) && !detail::http_method_is_safe(request.method))
    return HttpMeaning::unknown;
  return HttpMeaning::refused;
}

/// The beginning of a body, fit for a history and a log line: UTF-8 without control characters.
std::string excerpt(const std::string& body) {
  std::string text = body.substr(0, kExcerptBytes);
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  if (body.size() > kExcerptBytes) {  // the cut may go through a character, so the last one goes
    const auto leading = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
    while (!text.empty() && !leading(text.back())) text.pop_back();
    if (!text.empty()) text.pop_back();
  }
  json::Writer writer;
  writer.string(text);
  const auto clean = json::Document::parse(writer.text());
  return clean ? std::string(clean->root().as_string()) + (body.size() > kExcerptBytes ? "…" : "") : "";
}

std::string describe(const HttpRequest& request, const Reply& reply) {
  std::string text;
  if (!reply.location.empty())  // its query may hold what nobody should read
    text = "redirects are not followed; this one leads to " +
           reply.location.substr(0, reply.location.find_first_of("?#")).substr(0, kExcerptBytes);
  else
    text = excerpt(reply.body);
  return std::string(request.method) + " answered " + std::to_string(reply.status) +
         (text.empty() ? "" : ": " + text);
}

/// There is a status, and the body is whole or too large.
HttpAnswer judge(const HttpRequest& request, Reply&& reply, const HttpEndpoint& endpoint) {
  const std::string code = "http-" + std::to_string(reply.status);
  const HttpMeaning meant = meaning(request, reply.status);
  if (meant == HttpMeaning::done) {
    if (reply.ending == Ending::too_large)  // it took effect, only nobody can read what came of it
      throw HttpUnknown{"http-output", "the answer is larger than " +
                                           std::to_string(endpoint.maximum_response_bytes) + " bytes"};
    return {reply.status, std::move(reply.body)};
  }
  std::optional<std::chrono::milliseconds> pause;
  if (reply.retry_after) pause = std::min(*reply.retry_after, endpoint.maximum_retry_after);
  if (meant == HttpMeaning::unknown) throw HttpUnknown{code, describe(request, reply), pause};
  if (meant == HttpMeaning::not_now)
    throw HttpFailed{{code, describe(request, reply), Retry::allowed, false, pause}};
  throw HttpFailed{{code, describe(request, reply), Retry::never}};
}

[[noreturn]] void give_up(const HttpRequest& request, const Reply& reply) {
  const bool stopped = reply.ending == Ending::stopped;
  const std::string why =
      std::string(request.method) + ": " + (stopped ? "stopped at the deadline or at shutdown" : reply.why);
  if (reply.begun) {
    if (stopped) throw HttpUnknown{"http-stopped", why};
    throw HttpUnknown{reply.ending == Ending::timed_out ? "http-timeout" : "http-cut", why};
  }
  if (stopped) throw HttpFailed{{"http-stopped", why}};
  throw HttpFailed{{reply.ending == Ending::tls ? "http-tls" : "http-unreachable", why}};
}

void put(std::vector<Header>& headers, std::string_view name, std::string_view value) {
  for (Header& header : headers)
    if (detail::same_http_name(header.name, name)) {
      header.value = value;
      return;
    }
  headers.push_back({std::string(name), std::string(value)});
}

std::vector<std::string> lines(const std::vector<Header>& headers) {
  std::vector<std::string> written;
  for (const Header& header : headers) {
    if (!detail::is_http_header(header.name, header.value))
      throw HttpFailed{
          {"http-request", "the value of header " + header.name + " cannot be sent", Retry::never}};
    written.push_back(header.name + ": " + header.value);
  }
  return written;
}

bool readable(const std::string& file) { return file.empty() || std::ifstream(file).good(); }

}  // namespace

class HttpClient::State {
 public:
  explicit State(HttpEndpoint endpoint) : endpoint(std::move(endpoint)), transport(this->endpoint) {
    while (this->endpoint.base_url.ends_with('/')) this->endpoint.base_url.pop_back();
  }

  /// Later ones go before earlier ones; the key before all.
  std::vector<std::string> headers(const HttpRequest& request, bool body, const StepContext& step) const {
    std::vector<Header> all{{"Accept", "application/json"}, {"User-Agent", "skald"}};
    if (body) all.push_back({"Content-Type", "application/json"});
    for (const Header& header : endpoint.headers) put(all, header.name, header.value);
    if (endpoint.authorization) put(all, "Authorization", authorization());
    for (const HttpHeader& header : request.headers) put(all, header.name, header.value);
    put(all, request.idempotency_header, step.idempotency_key() + std::string(request.idempotency_suffix));
    return lines(all);
  }

  HttpEndpoint endpoint;
  http::Transport transport;

 private:
  std::string authorization() const {
    try {
      return endpoint.authorization();
    } catch (const std::exception& error) {
      throw HttpFailed{{"http-authorization", error.what()}};
    }
  }
};

HttpClient::HttpClient(HttpEndpoint endpoint) {
  if (const auto fine = check(endpoint); !fine) {
    std::fprintf(stderr, "%s (%s)\n", fine.error().message.c_str(), fine.error().code.c_str());
    std::exit(2);
  }
  state_ = std::make_unique<State>(std::move(endpoint));
}
HttpClient::~HttpClient() = default;

Result<void> HttpClient::check(const HttpEndpoint& endpoint) {
  const auto wrong = [&](const std::string& what) {
    return Error{ErrorKind::kInvalid, "SKALD-970", "HTTP endpoint: " + what};
  };
  if (const auto problem = http::problem_of_base_url(endpoint.base_url)) return wrong("base_url " + *problem);
  for (const Header& header : endpoint.headers)
    if (!detail::is_http_header(header.name, header.value))
      return wrong("header `" + header.name +
                   "` is none that may be set, or its value has a control character");
  if (endpoint.connect_timeout.count() <= 0 || endpoint.request_timeout.count() <= 0)
    return wrong("connect_timeout and request_timeout are longer than nothing");  // to libcurl, 0 is for ever
  if (endpoint.maximum_response_bytes == 0) return wrong("maximum_response_bytes is at least 1");
  if (endpoint.client_certificate_file.empty() != endpoint.client_key_file.empty())
    return wrong("client_certificate_file and client_key_file go together");
  if (!readable(endpoint.ca_file)) return wrong("ca_file cannot be read");
  if (!readable(endpoint.client_certificate_file) || !readable(endpoint.client_key_file))
    return wrong("client_certificate_file or client_key_file cannot be read");
  return {};
}

std::size_t HttpClient::maximum_response_bytes() const noexcept {
  return state_->endpoint.maximum_response_bytes;
}

HttpAnswer HttpClient::send(const HttpRequest& request, std::string_view input,
                            const std::optional<std::string>& body, const StepContext& step) {
  http::Call call{request.method, state_->endpoint.base_url, state_->headers(request, body.has_value(), step),
                  body ? &*body : nullptr};
  call.url += http::fill_path(request.path, input, step.idempotency_key());
  Reply reply = state_->transport.perform(call, step.stop());
  if (reply.ending != Ending::answered && reply.ending != Ending::too_large) give_up(request, reply);
  return judge(request, std::move(reply), state_->endpoint);
}

}  // namespace skald
