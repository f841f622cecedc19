// Asking a running orchestrator; see asking.hpp.
#include "app/asking.hpp"

#include "skald/json.hpp"

namespace skald::app {

std::string url_of(const Config& config, const std::string& given) {
  if (!given.empty()) return given;
  std::string host = config.http.listen.host;
  if (host == "0.0.0.0" || host == "::") host = "127.0.0.1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return "http://" + host + ":" + std::to_string(config.http.listen.port);
}

Error error_of(const api::ClientAnswer& answer) {
  Error error{ErrorKind::kRefused, "", "the orchestrator answered " + std::to_string(answer.status)};
  if (const auto body = json::Document::parse(answer.body)) {
    if (const auto code = body->root().find("code")) error.code = std::string(code->as_string());
    if (const auto message = body->root().find("message"))
      error.message = printable(message->as_string(), 500);
  }
  if (answer.status == 401)
    error.message +=
        "; this command takes it from SKALD_HTTP_TOKEN_FILE, SKALD_HTTP_TOKEN or http.token_file";
  if (answer.status >= 500) error.kind = ErrorKind::kUnavailable;
  return error;
}

Result<std::string> read_argument(const std::string& argument, const std::string& option) {
  std::string text = argument;
  if (argument == "-" || argument.starts_with('@')) {
    const std::string path = argument == "-" ? "/dev/stdin" : argument.substr(1);
    auto read = read_file(path);
    if (!read) return Error{ErrorKind::kInvalid, kCodeUsage, path + ": " + read.error().message};
    text = std::move(*read);
  }
  auto document = json::Document::parse(text);
  if (!document)
    return Error{ErrorKind::kInvalid, document.error().code, option + ": " + document.error().message};
  return document->root().text();
}

int refused(const Program& program, const api::ClientAnswer& answer) {
  const Error error = error_of(answer);
  program.complain(error);
  return error.kind == ErrorKind::kUnavailable ? kExitUnavailable : kExitNo;
}

}  // namespace skald::app
