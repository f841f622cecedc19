// What each answer means for the step: the table of docs/http-steps.md, row by row.
#include "server.hpp"

namespace skald::http {
namespace {

using testing::AllOf, testing::HasSubstr, testing::IsEmpty, testing::Not, testing::SizeIs;

LocalOutcome charge(Answer answer) {
  Server server(std::move(answer));
  HttpClient client({.base_url = server.url()});
  return attempt<ChargeCard>(client, kCharge);
}
LocalOutcome notify(Answer answer) {
  Server server(std::move(answer));
  HttpClient client({.base_url = server.url()});
  return attempt<Notify>(client, kCharge);
}

TEST(HttpMeaning, ASuccessIsReadAsTheOutput) {
  for (const int status : {200, 201, 202})
    EXPECT_THAT(charge({.status = status}), succeeded(R"({"id":"p-1"})"));
}

TEST(HttpMeaning, AStepWithoutOutputTakesAnyBodyOrNone) {
  EXPECT_THAT(notify({.status = 204, .body = ""}), succeeded("{}"));
  EXPECT_THAT(notify({.status = 200, .body = ""}), succeeded("{}"));
  EXPECT_THAT(notify({.status = 200, .body = "OK"}), succeeded("{}"));
}

TEST(HttpMeaning, ASuccessWhoseBodyIsNotTheOutputTookEffectAndIsNeverARefusal) {
  EXPECT_THAT(charge({.body = "<html>"}), unknown("http-output", "not this step's output"));
  EXPECT_THAT(charge({.body = ""}), unknown("http-output", "not this step's output"));
  EXPECT_THAT(charge({.status = 204, .body = ""}), unknown("http-output", "not this step's output"));
  EXPECT_THAT(charge({.body = R"({"id":7})"}), unknown("http-output", "at /id: expected a string"));
}

TEST(HttpMeaning, FourHundredsAreCertainRefusals) {
  for (const int status : {400, 401, 403, 404, 405, 409, 410, 413, 418, 422, 451})
    EXPECT_THAT(charge({.status = status}), refused("http-" + std::to_string(status), Retry::never));
}

TEST(HttpMeaning, ARefusalSaysTheBeginningOfTheBody) {
  const auto outcome =
      charge({.status = 422, .body = "the card\nhas \xff expired " + std::string(5000, '.')});
  EXPECT_THAT(outcome.failure.message, HasSubstr("POST answered 422: the card has \xEF\xBF\xBD expired ..."));
  EXPECT_LT(outcome.failure.message.size(), 400u);
  std::string umlauts;
  while (umlauts.size() < 1000) umlauts += "ü";
  for (const std::string prefix : {"", "a"}) {
    const auto cut = charge({.status = 422, .body = prefix + umlauts});
    EXPECT_THAT(cut.failure.message, HasSubstr(prefix + "üüü"));
    EXPECT_THAT(cut.failure.message, Not(HasSubstr("\xEF\xBF\xBD"))) << "the cut goes through no character";
  }
}

TEST(HttpMeaning, TooEarlyAndTooManyAreCertainAndTriedAgain) {
  EXPECT_THAT(charge({.status = 425}), refused("http-425", Retry::allowed));
  EXPECT_THAT(charge({.status = 429}), refused("http-429", Retry::allowed));
}

TEST(HttpMeaning, RequestTimeoutAndServerErrorsAreUnknown) {
  for (const int status : {408, 500, 501, 502, 503, 504, 599})
    EXPECT_THAT(charge({.status = status}), unknown("http-" + std::to_string(status)));
}

TEST(HttpMeaning, RetryAfterSaysWhenTheNextAttemptIsMade) {
  const auto pause = [](int status, const std::string& value) {
    return charge({status, "", {{"Retry-After", value}}}).failure.retry_after;
  };
  EXPECT_EQ(pause(429, "17"), std::chrono::seconds(17));
  EXPECT_EQ(pause(425, "17"), std::chrono::seconds(17));
  EXPECT_EQ(pause(503, "120"), std::chrono::minutes(2));
  EXPECT_EQ(pause(503, "Wed, 01 Jan 2098 00:00:00 GMT"), std::chrono::hours(24))
      << "no longer than the endpoint says";
  EXPECT_EQ(pause(429, "9999999999"), std::chrono::hours(24));
  for (const std::string value :
       {"", "0", "-5", "soon", "99999999999999999999", "Wed, 01 Jan 2020 00:00:00 GMT"})
    EXPECT_EQ(pause(429, value), std::nullopt) << value;
}

TEST(HttpMeaning, ARedirectIsARefusalThatNamesItAndIsNotFollowed) {
  for (const int status : {301, 307, 308}) {
    Server server(Answer{status, "", {{"Location", "/elsewhere?secret=1"}}});
    HttpClient client({.base_url = server.url()});
    const auto outcome = attempt<ChargeCard>(client, kCharge);
    EXPECT_THAT(outcome, refused("http-" + std::to_string(status), Retry::never));
    EXPECT_THAT(outcome.failure.message,
                AllOf(HasSubstr("redirects are not followed"), HasSubstr(server.url() + "/elsewhere"),
                      Not(HasSubstr("secret"))));
    EXPECT_THAT(server.asked(), SizeIs(1));
  }
  EXPECT_THAT(charge({.status = 304, .body = ""}), refused("http-304", Retry::never));
}

struct Look : HttpStep<Look, Charge, Payment> {
  using HttpStep::HttpStep;
  static constexpr std::string_view name = "look";
  static constexpr HttpRequest action{.method = "GET", .path = "/payments?of={customer}"};
  static constexpr NoCompensation compensation{"it only looks"};
};

TEST(HttpMeaning, SeeOtherAfterAWriteMayMeanThatItWasDone) {
  for (const int status : {302, 303}) {
    const Answer answer{status, "", {{"Location", "/charges/7"}}};
    EXPECT_THAT(charge(answer), unknown("http-" + std::to_string(status)));
    Server server(answer);
    HttpClient client({.base_url = server.url()});
    EXPECT_THAT(attempt<Look>(client, kCharge), refused("http-" + std::to_string(status), Retry::never));
  }
}

struct OwnMeanings : HttpStep<OwnMeanings, Charge, Payment> {
  using HttpStep::HttpStep;
  static constexpr std::string_view name = "own-meanings";
  static constexpr HttpRequest action{.path = "/",
                                      .statuses = {{409, HttpMeaning::unknown},
                                                   {401, HttpMeaning::not_now},
                                                   {501, HttpMeaning::refused},
                                                   {303, HttpMeaning::done}}};
  static constexpr NoCompensation compensation{"not needed here"};
};

TEST(HttpMeaning, AStepMayKnowItsServiceBetter) {
  const auto ask = [](int status) {
    Server server(Answer{.status = status});
    HttpClient client({.base_url = server.url()});
    return attempt<OwnMeanings>(client, kCharge);
  };
  EXPECT_THAT(ask(409), unknown("http-409"));
  EXPECT_THAT(ask(401), refused("http-401", Retry::allowed));
  EXPECT_THAT(ask(501), refused("http-501", Retry::never));
  EXPECT_THAT(ask(303), succeeded(R"({"id":"p-1"})"));
  EXPECT_THAT(ask(404), refused("http-404", Retry::never));
}

TEST(HttpMeaning, ACompensationIsJudgedAlikeByItsOwnRequest) {
  const auto ask = [](int status) {
    Server server(Answer{.status = status, .body = "nothing JSON"});
    HttpClient client({.base_url = server.url()});
    return undo<ChargeCard>(client, kCharge);
  };
  EXPECT_THAT(ask(204), succeeded(""));
  EXPECT_THAT(ask(200), succeeded(""));
  EXPECT_THAT(ask(404), succeeded("")) << "the step says so: nothing to undo";
  EXPECT_THAT(ask(503), unknown("http-503"));
  EXPECT_THAT(ask(429), refused("http-429", Retry::allowed));
  EXPECT_THAT(ask(403), refused("http-403", Retry::never));
}

}  // namespace
}  // namespace skald::http
