// What is sent: URL, headers, key and body; and what never is.
#include "server.hpp"

namespace skald::http {
namespace {

using testing::HasSubstr, testing::IsEmpty, testing::SizeIs;

class HttpRequests : public testing::Test {
 protected:
  Asked last() const { return server.asked().back(); }
  Server server{Answer{}};
  HttpEndpoint endpoint{.base_url = server.url() + "/v1/",
                        .headers = {{"X-Tenant", "acme"}, {"X-Version", "1"}}};
};

TEST_F(HttpRequests, CarryInputKeyAndHeaders) {
  HttpClient client(endpoint);
  attempt<ChargeCard>(client, kCharge);
  EXPECT_EQ(last().method, "POST");
  EXPECT_EQ(last().target, "/v1/customers/ann/charges");
  EXPECT_EQ(last().body, R"({"customer":"ann","cents":500,"express":false})");
  EXPECT_EQ(last().header("Idempotency-Key"), "saga-1.1");
  EXPECT_EQ(last().header("Content-Type"), "application/json");
  EXPECT_EQ(last().header("Accept"), "application/json");
  EXPECT_EQ(last().header("X-Tenant"), "acme");
}

TEST_F(HttpRequests, GoUnderTheSameKeyAtEveryAttemptAndForTheCompensation) {
  HttpClient client(endpoint);
  for (const int number : {1, 2, 3})
    attempt<ChargeCard>(client, kCharge, {.idempotency_key = "saga-9.4", .attempt = number});
  for (const Asked& asked : server.asked()) EXPECT_EQ(asked.header("Idempotency-Key"), "saga-9.4");
  EXPECT_THAT(undo<ChargeCard>(client, kCharge), succeeded(""));
  EXPECT_EQ(last().method, "DELETE");
  EXPECT_EQ(last().target, "/v1/charges/saga-1.1");
  EXPECT_EQ(last().header("Idempotency-Key"), "saga-1.1");
  EXPECT_THAT(last().body, IsEmpty());
  EXPECT_THAT(last().header("Content-Type"), IsEmpty());
}

struct Refund {
  std::string why;
  std::optional<std::string> payment;
};
SKALD_FIELDS(Refund, why, payment)

struct Elaborate : HttpStep<Elaborate, Charge, Payment> {
  using HttpStep::HttpStep;
  static constexpr std::string_view name = "elaborate";
  static constexpr HttpRequest action{
      .method = "PUT",
      .path = "/a%20b/{customer}/{cents}?express={express}&note={note}",
      .headers = {{"x-version", "2"}, {"Content-Type", "application/vnd.acme+json"}, {"X-Empty", ""}},
      .idempotency_header = "X-Request-Id"};
  static constexpr HttpRequest compensation{.path = "/refunds", .idempotency_suffix = "-undo"};
  static Payment body(const Charge& charge) { return {charge.customer + "!"}; }
  static Refund compensation_body(const Charge&, const std::optional<Payment>& payment) {
    return {"rolled back", payment ? std::optional(payment->id) : std::nullopt};
  }
};

TEST_F(HttpRequests, AreWhatTheStepSays) {
  HttpClient client(endpoint);
  EXPECT_THAT(attempt<Elaborate>(client, {.customer = "ann", .cents = -5, .note = ""}),
              succeeded(R"({"id":"p-1"})"));
  EXPECT_EQ(last().method, "PUT");
  EXPECT_EQ(last().target, "/v1/a%20b/ann/-5?express=false&note=");
  EXPECT_EQ(last().header("X-Version"), "2") << "the step's goes before the endpoint's";
  EXPECT_EQ(last().header("Content-Type"), "application/vnd.acme+json");
  EXPECT_EQ(last().header("X-Request-Id"), "saga-1.1");
  EXPECT_THAT(last().header("Idempotency-Key"), IsEmpty());
  EXPECT_EQ(last().body, R"({"id":"ann!"})");

  undo<Elaborate>(client, kCharge);
  EXPECT_EQ(last().header("Idempotency-Key"), "saga-1.1-undo");
  EXPECT_EQ(last().body, R"({"why":"rolled back"})");
  undo<Elaborate>(client, kCharge, R"({"id":"p-1"})");
  EXPECT_EQ(last().body, R"({"why":"rolled back","payment":"p-1"})");
}

TEST_F(HttpRequests, EncodeWhateverAFieldHolds) {
  HttpClient client(endpoint);
  attempt<ChargeCard>(client, {.customer = "a/../b?c=d&e#f%2F;g +\"ü\r\nX: y"});
  EXPECT_EQ(last().target,
            "/v1/customers/a%2F..%2Fb%3Fc%3Dd%26e%23f%252F%3Bg%20%2B%22%C3%BC%0D%0AX%3A%20y/charges");
  attempt<ChargeCard>(client, {.customer = "-._~AZaz09"});
  EXPECT_EQ(last().target, "/v1/customers/-._~AZaz09/charges");
  attempt<ChargeCard>(client, {.customer = "..."});
  EXPECT_EQ(last().target, "/v1/customers/.../charges");
}

TEST_F(HttpRequests, AreNotSentToAUrlNobodyMeant) {
  HttpClient client(endpoint);
  for (const std::string& customer : {"", ".", ".."})
    EXPECT_THAT(attempt<ChargeCard>(client, {.customer = customer}), refused("http-request", Retry::never));
  const auto outcome = attempt<Elaborate>(client, kCharge);
  EXPECT_THAT(outcome, refused("http-request", Retry::never));
  EXPECT_THAT(outcome.failure.message, HasSubstr("`note`, which is absent"));
  EXPECT_THAT(server.asked(), IsEmpty());
}

struct OfAMap : HttpStep<OfAMap, std::map<std::string, std::vector<int>>, Nothing> {
  using HttpStep::HttpStep;
  static constexpr std::string_view name = "of-a-map";
  static constexpr HttpRequest action{.path = "/x/{field}"};
  static constexpr NoCompensation compensation{"not needed here"};
};

TEST_F(HttpRequests, TakeNoListIntoAUrl) {
  HttpClient client(endpoint);
  EXPECT_THAT(attempt<OfAMap>(client, {{"field", {1, 2}}}), refused("http-request", Retry::never));
  EXPECT_THAT(attempt<OfAMap>(client, {}), refused("http-request", Retry::never));
  EXPECT_THAT(server.asked(), IsEmpty());
}

TEST_F(HttpRequests, AskForTheAuthorizationEachTime) {
  int asked = 0;
  endpoint.authorization = [&asked] { return "Bearer " + std::to_string(++asked); };
  HttpClient client(endpoint);
  attempt<ChargeCard>(client, kCharge);
  attempt<ChargeCard>(client, kCharge);
  EXPECT_EQ(last().header("Authorization"), "Bearer 2");
}

TEST_F(HttpRequests, AreNotSentWithoutAnAuthorizationThatCanBeSent) {
  endpoint.authorization = []() -> std::string { throw std::runtime_error("the token service is away"); };
  HttpClient without(endpoint);
  EXPECT_THAT(attempt<ChargeCard>(without, kCharge), refused("http-authorization", Retry::allowed));
  endpoint.authorization = [] { return std::string("Bearer x\r\nX-Admin: yes"); };
  HttpClient smuggling(endpoint);
  EXPECT_THAT(attempt<ChargeCard>(smuggling, kCharge), refused("http-request", Retry::never));
  EXPECT_THAT(server.asked(), IsEmpty());
}

TEST_F(HttpRequests, GoWhereTheEndpointSaysWhateverTheEnvironmentSays) {
  for (const char* name : {"http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"})
    setenv(name, dead_url().c_str(), 1);
  HttpClient client(endpoint);
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), succeeded(R"({"id":"p-1"})"));
  for (const char* name : {"http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"}) unsetenv(name);
  endpoint.proxy = dead_url();
  HttpClient through(endpoint);
  EXPECT_THAT(attempt<ChargeCard>(through, kCharge), refused("http-unreachable", Retry::allowed));
}

TEST(HttpEndpoints, ThatCannotWorkAreRefusedInOneLine) {
  const auto problem = [](HttpEndpoint endpoint) {
    if (endpoint.base_url.empty()) endpoint.base_url = "https://example.com";
    const auto checked = HttpClient::check(endpoint);
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_EQ(problem({}), "");
  EXPECT_EQ(problem({.base_url = "http://[::1]:8080/a/b/"}), "");
  EXPECT_THAT(problem({.base_url = "example.com"}), HasSubstr("base_url"));
  EXPECT_THAT(problem({.base_url = "ftp://example.com"}), HasSubstr("http://"));
  EXPECT_THAT(problem({.base_url = "file:///etc/passwd"}), HasSubstr("base_url"));
  EXPECT_THAT(problem({.base_url = "https://ann:secret@example.com"}), HasSubstr("names a user"));
  EXPECT_THAT(problem({.base_url = "https://example.com?x=1"}), HasSubstr("query"));
  EXPECT_THAT(problem({.base_url = "https://exa mple.com"}), HasSubstr("base_url"));
  EXPECT_THAT(problem({.headers = {{"Content-Length", "1"}}}), HasSubstr("Content-Length"));
  EXPECT_THAT(problem({.headers = {{"X", "a\r\nY: b"}}}), HasSubstr("`X`"));
  EXPECT_THAT(problem({.connect_timeout = std::chrono::milliseconds(0)}), HasSubstr("timeout"));
  EXPECT_THAT(problem({.maximum_response_bytes = 0}), HasSubstr("maximum_response_bytes"));
  EXPECT_THAT(problem({.ca_file = "/no/such/file"}), HasSubstr("ca_file"));
  EXPECT_THAT(problem({.client_certificate_file = "/dev/null"}), HasSubstr("go together"));
}

TEST(HttpEndpointsDeathTest, ThatCannotWorkEndTheProgram) {
  EXPECT_EXIT(HttpClient({.base_url = "example.com"}), testing::ExitedWithCode(2),
              "HTTP endpoint: base_url is no URL.*SKALD-970");
}

}  // namespace
}  // namespace skald::http
