// Writing answers and reading bodies; see answers.hpp.
#include "api/answers.hpp"

namespace skald::api {

HttpResponse answer(int status, std::string body) { return {status, std::move(body) + "\n"}; }

HttpResponse refuse(int status, std::string_view code, std::string_view message) {
  json::Writer writer;
  writer.begin_object();
  writer.key("code");
  writer.string(code);
  writer.key("message");
  writer.string(message);
  writer.end_object();
  return answer(status, writer.take());
}

HttpResponse refuse(const Error& error) {
  const std::string code = error.code.empty() ? "SKALD-956" : error.code;
  switch (error.kind) {
    case ErrorKind::kInvalid: return refuse(code == kNotFound ? 404 : 400, code, error.message);
    case ErrorKind::kRefused: return refuse(409, code, error.message);
    case ErrorKind::kRetry:
    case ErrorKind::kUnavailable: break;
    case ErrorKind::kUnknown:
      return refuse(503, code, error.message + "; it may have taken effect: the same request again is safe");
  }
  HttpResponse response = refuse(503, code, error.message);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

HttpResponse wrong_method(const char* allowed) {
  HttpResponse response = refuse(405, kBadRequest, std::string("this address takes ") + allowed);
  response.headers.emplace_back("Allow", allowed);
  return response;
}

void text_member(json::Writer& writer, std::string_view name, std::string_view text) {
  writer.key(name);
  writer.string(text);
}

/// A string member of a body, within its limit.
Result<std::string> text_of(const json::Value& body, const char* name, std::size_t maximum, bool required) {
  const auto found = body.find(name);
  if (!found || found->is_null()) {
    if (!required) return std::string();
    return Error{ErrorKind::kInvalid, kBadRequest, std::string("/") + name + " is missing"};
  }
  if (found->kind() != json::Kind::kString || found->as_string().size() > maximum ||
      (required && found->as_string().empty()))
    return Error{ErrorKind::kInvalid, kBadRequest,
                 std::string("/") + name + " takes text of " + (required ? "1 to " : "up to ") +
                     std::to_string(maximum) + " bytes"};
  return std::string(found->as_string());
}

HttpResponse applied(bool duplicate, const std::string& value) {
  json::Writer writer;
  writer.begin_object();
  text_member(writer, "result", duplicate ? "duplicate" : "applied");
  if (!value.empty()) {
    writer.key("answer");
    writer.raw(value);
  }
  writer.end_object();
  return answer(200, writer.take());
}

}  // namespace skald::api
