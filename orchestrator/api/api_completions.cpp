// Completing a step by its token: for who was handed one, days ago. A token is the id of the attempt's command.
#include "api/answers.hpp"
#include "api/api.hpp"
#include "wire/command_id.hpp"

namespace skald::api {
namespace {

constexpr std::size_t kMaximumMessageBytes = 2048;

Result<Failure> failure_of(const json::Value& body) {
  const auto code = text_of(body, "code", wire::kMaximumNameBytes, true);
  if (!code) return code.error();
  if (!wire::is_valid_name(*code))
    return Error{ErrorKind::kInvalid, kBadRequest,
                 "/failure/code takes 1 to 63 characters of A-Z a-z 0-9 . _ -"};
  const auto message = text_of(body, "message", kMaximumMessageBytes, false);
  if (!message) return message.error();
  const auto retryable = body.find("retryable");
  if (retryable && retryable->kind() != json::Kind::kBoolean)
    return Error{ErrorKind::kInvalid, kBadRequest, "/failure/retryable takes true or false"};
  const bool again = retryable && retryable->as_boolean();
  return Failure{*code, *message, again ? Retry::allowed : Retry::never, false};
}

/// What the body says about the attempt.
Result<engine::Input> input_of(const json::Value& body, engine::AttemptId attempt) {
  const auto output = body.find("output");
  const auto failure = body.find("failure");
  const auto heartbeat = body.find("heartbeat");
  if ((output ? 1 : 0) + (failure ? 1 : 0) + (heartbeat ? 1 : 0) != 1)
    return Error{ErrorKind::kInvalid, kBadRequest, "one of /output, /failure and /heartbeat is needed"};
  if (heartbeat) return engine::Input(engine::HeartbeatInput{attempt, {}, heartbeat->text()});
  engine::ReplyInput reply;
  reply.id = attempt;
  reply.succeeded = output.has_value();
  if (output) reply.data = output->text();
  if (failure) {
    auto read = failure_of(*failure);
    if (!read) return read.error();
    reply.failure = std::move(read).value();
  }
  return engine::Input(std::move(reply));
}

}  // namespace

HttpResponse Api::complete(const HttpRequest& request) {
  const auto body = json::Document::parse(request.body);
  if (!body) return refuse(400, body.error().code, body.error().message);
  const auto token = text_of(body->root(), "token", wire::kMaximumIdBytes, true);
  if (!token) return refuse(token.error());
  const auto id = wire::parse_command_id(*token);
  if (!id || id->ns != settings_.name_space || id->phase != wire::Phase::kAction)
    return refuse(400, kBadRequest,
                  "/token is no token of a step's attempt in namespace " + settings_.name_space);
  auto input = input_of(body->root(), {id->ordinal, id->phase, id->attempt});
  if (!input) return refuse(input.error());
  const auto done = control_.send({id->definition, id->saga_id}, *input);
  return done ? applied(done->duplicate) : refuse(done.error());
}

}  // namespace skald::api
