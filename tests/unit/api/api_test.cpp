// The routes of the API and what a stranger reads when they are used wrongly (B14), over the store in memory.
#include "api/api.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skald/json.hpp"

namespace skald::api {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class FakeControl final : public Control {
 public:
  Health health() override { return health_; }
  Readiness readiness() override { return readiness_; }
  Result<Started> start(const SagaAddress& address, const std::string& input, const std::string&) override {
    calls += "start " + address.definition + "/" + address.saga_id + " " + input + ";";
    if (error) return *error;
    return Started{duplicate};
  }
  Result<Sent> send(const SagaAddress& address, const engine::Input& input) override {
    if (const auto* action = std::get_if<engine::OperatorAction>(&input))
      calls += "act " + address.saga_id + " " + std::to_string(action->sequence) + " " + action->who + " " +
               action->result + ";";
    if (const auto* signal = std::get_if<engine::SignalInput>(&input))
      calls += "signal " + address.saga_id + " " + signal->name + " " + signal->source + " " + signal->id +
               " " + signal->data + ";";
    if (const auto* update = std::get_if<engine::UpdateInput>(&input))
      calls += "update " + address.saga_id + " " + update->name + " " + update->id + " " + update->data + ";";
    if (const auto* reply = std::get_if<engine::ReplyInput>(&input))
      calls += "complete " + address.saga_id + " " + std::to_string(reply->id.ordinal) + "." +
               std::to_string(reply->id.attempt) + " " +
               (reply->succeeded
                    ? reply->data
                    : reply->failure.what() + (reply->failure.retry == Retry::allowed ? " again" : "")) +
               ";";
    if (const auto* beat = std::get_if<engine::HeartbeatInput>(&input))
      calls += "beat " + address.saga_id + " " + beat->details + ";";
    if (error) return *error;
    return Sent{duplicate, answer};
  }
  Result<std::vector<engine::ResetStep>> plan_reset(const StoredSaga&,
                                                    const engine::OperatorAction&) override {
    return std::vector<engine::ResetStep>{};
  }
  Result<std::string> query(const StoredSaga&, std::string_view, std::string_view) override {
    return std::string("{}");
  }
  bool knows(PauseKind kind, std::string_view name) override {
    return kind == PauseKind::definition ? name == "place-order" : name == "charge-card";
  }
  Result<void> could_start(const std::string& definition, const std::string& input) override {
    if (definition != "place-order") return Error{ErrorKind::kInvalid, "SKALD-411", "no saga " + definition};
    if (input != "{}") return Error{ErrorKind::kInvalid, "SKALD-404", "the input does not fit"};
    return {};
  }
  Result<std::string> cluster_id() override { return std::string("cluster"); }

  Health health_;
  Readiness readiness_{true, true, "", ""};
  std::optional<Error> error;
  bool duplicate = false;
  std::string answer;
  std::string calls;
};

/// No database to be had.
class AbsentStore final : public Store {
 public:
  Result<std::unique_ptr<Session>> open() override {
    return Error{ErrorKind::kUnavailable, "SKALD-201", "PostgreSQL is not reached"};
  }
};

class Routes : public testing::Test {
 protected:
  HttpResponse get(const std::string& path, std::map<std::string, std::string> query = {}) {
    return api().handle({"GET", path, std::move(query), headers, "", "127.0.0.1"});
  }
  HttpResponse post(const std::string& path, const std::string& body) {
    auto with_type = headers;
    with_type.emplace("content-type", "application/json");
    return api().handle({"POST", path, {}, with_type, body, "127.0.0.1"});
  }
  Api& api() {
    settings.name_space = "shop";
    if (!api_)
      api_ = std::make_unique<Api>(settings, control,
                                   std::vector<Api::Database>{{"", wire::SlotSet::all(), &store, &metrics}});
    return *api_;
  }

  ApiSettings settings;
  FakeControl control;
  AbsentStore store;
  Metrics metrics{{"0.1", "test"}};
  std::map<std::string, std::string> headers{{"host", "localhost:8080"}};

 private:
  std::unique_ptr<Api> api_;
};

TEST_F(Routes, HealthIsThatLanesProgressAndReadinessNamesWhatIsAway) {
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/readyz").status, 200);
  control.readiness_ = {false, true, "connection refused", ""};
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_EQ(get("/readyz").body,
            "{\"status\":\"not ready\",\"postgresql\":\"connection refused\",\"kafka\":\"reached\"}\n");
  control.health_ = {false, "lane 2 made no progress for 31 s"};
  EXPECT_EQ(get("/healthz").status, 503);
  EXPECT_THAT(get("/healthz").body, HasSubstr("lane 2"));
}

TEST_F(Routes, StartsASagaOnceAndSaysWhichItWas) {
  const auto started = post("/api/v1/sagas/place-order", R"({"id":"o-1","input":{"a":1}})");
  EXPECT_EQ(started.status, 201);
  EXPECT_EQ(control.calls, R"(start place-order/o-1 {"a":1};)");
  control.duplicate = true;
  EXPECT_EQ(post("/api/v1/sagas/place-order", R"({"id":"o-1","input":{"a":1}})").status, 200);
  control.error = Error{ErrorKind::kRefused, "SKALD-406", "the id is taken, with other input"};
  EXPECT_EQ(post("/api/v1/sagas/place-order", R"({"id":"o-1","input":{"a":2}})").status, 409);
  control.error = Error{ErrorKind::kUnavailable, "SKALD-201", "away"};
  EXPECT_EQ(post("/api/v1/sagas/place-order", R"({"id":"o-1","input":{"a":2}})").status, 503);
}

TEST_F(Routes, PausesTakeOneDefinitionOrStepThatThereIs) {
  const auto body = [](const std::string& action, const std::string& target) {
    return R"({"action":")" + action + R"(",)" + target + R"("who":"ann","why":"maintenance"})";
  };
  const std::pair<std::string, std::string> wrong[] = {
      {body("stop", R"("step":"charge-card",)"), "/action takes pause or resume"},
      {body("pause", ""), "one of /definition and /step"},
      {body("pause", R"("step":"charge-card","definition":"place-order",)"), "one of /definition and /step"},
      {R"({"action":"pause","step":"charge-card","who":"ann"})", "/why is missing"},
  };
  for (const auto& [text, message] : wrong) {
    const auto response = post("/api/v1/pauses", text);
    EXPECT_EQ(response.status, 400) << text;
    EXPECT_THAT(response.body, HasSubstr(message));
  }
  EXPECT_EQ(post("/api/v1/pauses", body("pause", R"("step":"place-order",)")).status, 404);
  EXPECT_EQ(post("/api/v1/pauses", body("pause", R"("definition":"place-order",)")).status, 503)
      << "no database";
  EXPECT_EQ(get("/api/v1/pauses").status, 503);
}

TEST_F(Routes, CheckASchedulesBodyBeforeTheDatabase) {
  const auto body = [](const std::string& more) {
    return R"({"action":"put","name":"nightly","who":"ann","why":"x","definition":"place-order","input":{})" +
           more + "}";
  };
  const std::pair<std::string, const char*> wrong[] = {
      {R"({"action":"stop","name":"n","who":"a","why":"b"})", "/action takes put, pause, resume or delete"},
      {R"({"action":"pause","who":"a","why":"b"})", "/name is missing"},
      {R"({"action":"pause","name":"n","who":"a"})", "/why is missing"},
      {R"({"action":"put","name":"n","definition":"d","who":"a","why":"b"})", "/input is missing"},
      {R"({"action":"put","name":"n","definition":"d","who":"a","why":"b","input":{}})", "no saga d"},
      {body(R"(,"overlap":"never")"), "/overlap takes allow, skip or wait"},
      {body(R"(,"interval_ms":-1)"), "/interval_ms takes a whole number of milliseconds"},
      {body(R"(,"catch_up_ms":"1h")"), "/catch_up_ms takes a whole number of milliseconds"},
      {R"({"action":"put","name":"n","definition":"place-order","who":"a","why":"b","input":{"x":1}})",
       "the input does not fit"}};
  for (const auto& [text, message] : wrong) {
    const auto response = post("/api/v1/schedules", text);
    EXPECT_EQ(response.status, 400) << text << response.body;
    EXPECT_THAT(response.body, HasSubstr(message));
  }
  EXPECT_EQ(post("/api/v1/schedules", body(R"(,"cron":"0 3 * * *")")).status, 503) << "no database";
  EXPECT_EQ(get("/api/v1/schedules").status, 503);
}

TEST_F(Routes, AnswerNonsenseWith4xxAndNeverReachTheSagas) {
  const std::pair<std::string, std::string> bodies[] = {
      {"", "SKALD-1"},
      {"[[[[", "SKALD-1"},
      {std::string(100'000, '['), "SKALD-1"},
      {"{}", "/id is missing"},
      {R"({"id":""})", "/id takes text"},
      {R"({"id":"a b","input":{}})", "/id takes 1 to 255 visible"},
      {R"({"id":"a\u0000","input":{}})", "SKALD-1"},
      {R"({"id":17,"input":{}})", "/id takes text"},
      {R"({"id":"a"})", "/input is missing"},
      {"{\"id\":\"" + std::string(300, 'a') + "\",\"input\":{}}", "/id takes text of 1 to 255"}};
  for (const auto& [body, reason] : bodies) {
    const auto answer = post("/api/v1/sagas/place-order", body);
    EXPECT_EQ(answer.status, 400) << body.substr(0, 50);
    EXPECT_THAT(answer.body, HasSubstr(reason));
  }
  EXPECT_EQ(get("/").status, 404);
  EXPECT_EQ(get("/etc/passwd").status, 404);
  EXPECT_EQ(get("/api/v1/../../etc/passwd").status, 404);
  EXPECT_EQ(get("/api/v1/sagas/place-order/a\nb").status, 404);
  EXPECT_EQ(get("/api/v1/sagas/place order/1").status, 404);
  EXPECT_EQ(get("/api/v1/sagas/place-order").status, 405);
  EXPECT_EQ(post("/api/v1/sagas", "{}").status, 405);
  EXPECT_EQ(post("/metrics", "{}").status, 405);
  EXPECT_EQ(get("/api/v1/sagas", {{"status", "asleep"}}).status, 400);
  EXPECT_EQ(get("/api/v1/sagas", {{"limit", "100000"}}).status, 400);
  EXPECT_EQ(get("/api/v1/sagas", {{"where", "1=1"}}).status, 400);
  EXPECT_EQ(get("/api/v1/sagas", {{"before", "5"}, {"after", "5"}}).status, 400);
  EXPECT_EQ(get("/api/v1/sagas", {{"after", "yesterday"}}).status, 400);
  EXPECT_EQ(control.calls, "");
}

TEST_F(Routes, TakeAnOperatorsActionOnlyWhole) {
  const std::string path = "/api/v1/sagas/place-order/o/1/actions";
  EXPECT_THAT(post(path, R"({"action":"explode"})").body,
              HasSubstr("/action takes retry, skip, compensate, end, cancel, terminate, pause, resume or "
                        "reset"));
  EXPECT_THAT(post(path, R"({"action":"retry"})").body, HasSubstr("/sequence takes"));
  EXPECT_THAT(post(path, R"({"action":"retry","sequence":4})").body, HasSubstr("/who is missing"));
  EXPECT_THAT(post(path, R"({"action":"retry","sequence":4,"who":"ann"})").body,
              HasSubstr("/why is missing"));
  EXPECT_THAT(post(path, R"({"action":"retry","sequence":4,"ordinal":"x","who":"ann","why":"x"})").body,
              HasSubstr("/ordinal takes"));
  EXPECT_EQ(control.calls, "");
  EXPECT_EQ(post(path, R"({"action":"skip","sequence":4,"who":"ann","why":"x","result":{"id":"r"}})").status,
            200);
  EXPECT_EQ(control.calls, R"(act o/1 4 ann {"id":"r"};)");
  control.error = Error{ErrorKind::kRefused, "SKALD-416", "the saga has moved"};
  EXPECT_EQ(post(path, R"({"action":"retry","sequence":4,"who":"ann","why":"x"})").status, 409);
}

TEST_F(Routes, TakeAResetOnlyWholeAndTryItFirst) {
  const std::string path = "/api/v1/sagas/place-order/o/1/actions";
  const auto reset = [&](const std::string& more) {
    return post(path, R"({"action":"reset","sequence":4,"who":"ann","why":"x")" + more + "}");
  };
  EXPECT_THAT(reset("").body, HasSubstr("/to takes"));
  EXPECT_THAT(reset(R"(,"to":2)").body, HasSubstr("/effects is missing"));
  EXPECT_THAT(reset(R"(,"to":2,"effects":"drop")").body, HasSubstr("/effects takes compensate or keep"));
  EXPECT_THAT(reset(R"(,"to":2,"effects":"compensate")").body, HasSubstr("PostgreSQL is not reached"));
  EXPECT_EQ(control.calls, "") << "it is tried on the saga as it is stored before it is sent";
}

TEST_F(Routes, SendsASignalToASagaWhoseIdHasSlashes) {
  const std::string path = "/api/v1/sagas/place-order/o/1/signals/approval";
  EXPECT_EQ(post(path, R"({"id":"m-1","data":{"by":"ann"}})").body, "{\"result\":\"applied\"}\n");
  EXPECT_EQ(control.calls, R"(signal o/1 approval /skald/api m-1 {"by":"ann"};)");
  control.duplicate = true;
  EXPECT_EQ(post(path, R"({"id":"m-1","source":"/shop"})").body, "{\"result\":\"duplicate\"}\n");
  EXPECT_THAT(control.calls, HasSubstr("signal o/1 approval /shop m-1 {};"));
  EXPECT_THAT(post(path, "{}").body, HasSubstr("/id is missing"));
  EXPECT_THAT(post(path, R"({"id":"two words"})").body, HasSubstr("/id takes visible ASCII"));
  EXPECT_THAT(post(path, R"({"id":"m","start":{}})").body, HasSubstr("/start/input is missing"));
}

TEST_F(Routes, StartsWithASignal) {
  post("/api/v1/sagas/place-order/o-1/signals/approval", R"({"id":"m-1","start":{"input":{"a":1}}})");
  EXPECT_EQ(control.calls, R"(start place-order/o-1 {"a":1};signal o-1 approval /skald/api m-1 {};)");
}

TEST_F(Routes, AnswersAnUpdateOrSaysWhyNot) {
  const std::string path = "/api/v1/sagas/place-order/o-1/updates/move-to";
  control.answer = R"({"moved":true})";
  EXPECT_EQ(post(path, R"({"id":"m-1"})").body, "{\"result\":\"applied\",\"answer\":{\"moved\":true}}\n");
  control.error = Error{ErrorKind::kRefused, "SKALD-922", "it has left"};
  EXPECT_EQ(post(path, R"({"id":"m-2"})").status, 409);
}

TEST_F(Routes, CancelsAndTerminatesWithoutASequence) {
  const std::string path = "/api/v1/sagas/place-order/o-1/actions";
  EXPECT_EQ(post(path, R"({"action":"cancel","who":"ann","why":"x"})").status, 200);
  EXPECT_EQ(post(path, R"({"action":"terminate","sequence":3,"who":"ann","why":"x"})").status, 200);
  EXPECT_EQ(control.calls, "act o-1 0 ann ;act o-1 3 ann ;");
  EXPECT_EQ(post(path, R"({"action":"cancel","sequence":0,"who":"ann","why":"x"})").status, 400);
}

TEST_F(Routes, CompletesAStepByItsToken) {
  const std::string token = R"({"token":"shop/claim/c/7/2/action/3",)";
  EXPECT_EQ(post("/api/v1/completions", token + R"("output":{"cents":5}})").status, 200);
  EXPECT_EQ(
      post("/api/v1/completions", token + R"("failure":{"code":"no","message":"late","retryable":true}})")
          .status,
      200);
  EXPECT_EQ(post("/api/v1/completions", token + R"("heartbeat":{"page":3}})").status, 200);
  EXPECT_EQ(control.calls,
            "complete c/7 2.3 {\"cents\":5};complete c/7 2.3 no: late again;beat c/7 {\"page\":3};");
  control.duplicate = true;
  EXPECT_NE(post("/api/v1/completions", token + R"("output":{}})").body.find("duplicate"), std::string::npos);
}

TEST_F(Routes, RefuseACompletionThatNamesNothing) {
  for (const char* body :
       {R"({"output":{}})", R"({"token":"shop/claim/c/2/action/1"})", R"({"token":"nonsense","output":{}})",
        R"({"token":"elsewhere/claim/c/2/action/1","output":{}})",
        R"({"token":"shop/claim/c/2/compensation/1","output":{}})",
        R"({"token":"shop/claim/c/2/action/1","output":{},"heartbeat":{}})",
        R"({"token":"shop/claim/c/2/action/1","failure":{"code":"not a name"}})",
        R"({"token":"shop/claim/c/2/action/1","failure":{"code":"no","retryable":1}})", "[", "[]"})
    EXPECT_EQ(post("/api/v1/completions", body).status, 400) << body;
  EXPECT_EQ(get("/api/v1/completions").status, 405);
  EXPECT_EQ(control.calls, "");
}

TEST_F(Routes, AskForTheTokenWhereThereIsOneButNotForHealth) {
  settings.token = "s3cret";
  EXPECT_EQ(get("/api/v1/sagas").status, 401);
  headers["authorization"] = "Bearer s3cre";
  EXPECT_EQ(get("/api/v1/sagas").status, 401);
  headers["authorization"] = "Bearer s3cret";
  EXPECT_EQ(get("/api/v1/sagas").status, 503);  // admitted; the store is away
  headers.clear();
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/metrics").status, 200);
}

TEST_F(Routes, RefuseWhatAForeignWebPageCouldSend) {
  headers["host"] = "evil.example";
  EXPECT_EQ(get("/api/v1/sagas").status, 421);
  headers = {{"host", "127.0.0.1:8080"}, {"content-type", "text/plain"}};
  EXPECT_EQ(post("/api/v1/sagas/place-order", R"({"id":"o-1","input":{}})").status, 415);
  EXPECT_EQ(control.calls, "");
}

TEST_F(Routes, SayThatTheDatabaseIsAway) {
  const auto answer = get("/api/v1/sagas/place-order/o-1");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "{\"code\":\"SKALD-201\",\"message\":\"PostgreSQL is not reached\"}\n");
}

}  // namespace
}  // namespace skald::api
