// HTTP requests by cpp-httplib; see http_client.hpp.
#include "api/http_client.hpp"

#include <httplib.h>

namespace skald::api {
namespace {

constexpr int kConnectSeconds = 5;
constexpr int kAnswerSeconds = 20;

}  // namespace

Result<ClientAnswer> ask(const ClientRequest& request) {
  if (!request.url.starts_with("http://") && !request.url.starts_with("https://"))
    return Error{ErrorKind::kInvalid, "SKALD-909", "--url takes an address like http://127.0.0.1:8080"};
  httplib::Client client(request.url);
  if (!client.is_valid())
    return Error{ErrorKind::kInvalid, "SKALD-909", "--url takes an address like http://127.0.0.1:8080"};
  client.set_connection_timeout(kConnectSeconds);
  client.set_read_timeout(kAnswerSeconds);
  httplib::Headers headers;
  if (!request.token.empty()) headers.emplace("Authorization", "Bearer " + request.token);
  const auto answer = request.method == "POST"
                          ? client.Post(request.path, headers, request.body, "application/json")
                          : client.Get(request.path, headers);
  if (!answer)
    return Error{ErrorKind::kUnavailable, "SKALD-961",
                 "no orchestrator answers at " + request.url + " (" + httplib::to_string(answer.error()) +
                     "): is it running? --url names another address"};
  return ClientAnswer{answer->status, answer->body};
}

std::string percent_encoded(const std::string& text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kPlain.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

}  // namespace skald::api
