// How a call ends that is not answered, and whether the step can be sure that nothing happened over there.
#include <future>

#include "server.hpp"

namespace skald::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr, testing::SizeIs;

/// A server whose answer waits until the gate is destroyed.
class SlowServer {
 public:
  ~SlowServer() { release_.set_value(); }
  std::string url() const { return server_.url(); }
  void wait_until_asked() { arrived_.get_future().wait(); }

 private:
  std::promise<void> release_;
  std::shared_future<void> released_{release_.get_future()};
  std::promise<void> arrived_;
  Server server_{[this](const Asked&) {
    arrived_.set_value();
    released_.wait();
    return Answer{};
  }};
};

TEST(HttpEnding, NobodyListensIsCertainAndTriedAgain) {
  HttpClient client({.base_url = dead_url()});
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), refused("http-unreachable", Retry::allowed));
}

TEST(HttpEnding, AnUnknownHostIsCertainAndTriedAgain) {
  HttpClient client({.base_url = "http://nobody.invalid"});
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), refused("http-unreachable", Retry::allowed));
}

TEST(HttpEnding, AServerThatNeverShakesHandsWasNotAsked) {
  std::promise<void> release;
  RawServer server({{.before = [&release] { release.get_future().wait(); }}});
  {
    HttpClient client({.base_url = "https://" + server.address(), .connect_timeout = 50ms});
    EXPECT_THAT(attempt<ChargeCard>(client, kCharge), refused("http-unreachable", Retry::allowed));
  }
  release.set_value();
}

TEST(HttpEnding, NoAnswerInTimeIsUnknown) {
  SlowServer server;
  HttpClient client({.base_url = server.url(), .request_timeout = 400ms});
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), unknown("http-timeout"));
}

TEST(HttpEnding, TheStopTokenEndsACallAtOnceAndLeavesItUnknown) {
  SlowServer server;
  HttpClient client({.base_url = server.url()});
  std::stop_source stop;
  std::thread stopper([&] {
    server.wait_until_asked();
    stop.request_stop();
  });
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge, {.stop = stop.get_token()}), unknown("http-stopped"));
  stopper.join();
}

TEST(HttpEnding, ACallThatWasStoppedBeforeItBeganIsNotMade) {
  Server server(Answer{});
  HttpClient client({.base_url = server.url()});
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge, {.stop = stop.get_token()}),
              refused("http-stopped", Retry::allowed));
  EXPECT_THAT(server.asked(), SizeIs(0));
}

TEST(HttpEnding, AConnectionCutAfterTheRequestIsUnknown) {
  RawServer server({{.bytes = ""}});
  HttpClient client({.base_url = server.url()});
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), unknown("http-cut"));
}

TEST(HttpEnding, HalfAnAnswerIsUnknownWhateverItsStatus) {
  for (const std::string& line : {"HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found"}) {
    RawServer server({{.bytes = line + "\r\nContent-Length: 100\r\n\r\n{\"id\":\"p-1\"}"}});
    HttpClient client({.base_url = server.url()});
    EXPECT_THAT(attempt<ChargeCard>(client, kCharge), unknown("http-cut"));
  }
}

TEST(HttpEnding, WhatIsNotHttpIsUnknown) {
  RawServer server({{.bytes = "220 mail.example.com ESMTP\r\n"}});
  HttpClient client({.base_url = server.url()});
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), unknown("http-cut"));
}

TEST(HttpEnding, EndlessHeadersAreUnknown) {
  std::string bytes = "HTTP/1.1 200 OK\r\n";
  for (int line = 0; line < 100; ++line) bytes += "X-More: " + std::string(1000, 'x') + "\r\n";
  RawServer server({{.bytes = bytes + "\r\n"}});
  HttpClient client({.base_url = server.url()});
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), unknown("http-cut"));
}

TEST(HttpEnding, ASuccessTooLargeToReadTookEffect) {
  Server server(Answer{.body = R"({"id":")" + std::string(2000, 'x') + R"("})"});
  HttpClient client({.base_url = server.url(), .maximum_response_bytes = 1000});
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), unknown("http-output", "larger than 1000 bytes"));
  HttpClient large({.base_url = server.url(), .maximum_response_bytes = 2009});
  EXPECT_EQ(attempt<ChargeCard>(large, kCharge).kind, LocalOutcome::Kind::succeeded)
      << "the limit itself is fine";
}

TEST(HttpEnding, AnAnswerBeyondADefaultDocumentIsReadIfTheEndpointAllowsIt) {
  Server server(Answer{.body = R"({"id":"p-1","more":")" + std::string(2 << 20, 'x') + R"("})"});
  HttpClient usual({.base_url = server.url()});
  EXPECT_THAT(attempt<ChargeCard>(usual, kCharge), unknown("http-output", "larger than 1048576 bytes"));
  HttpClient large({.base_url = server.url(), .maximum_response_bytes = 3 << 20});
  EXPECT_THAT(attempt<ChargeCard>(large, kCharge), succeeded(R"({"id":"p-1"})"));
}

TEST(HttpEnding, ARefusalStaysOneHoweverMuchItSays) {
  Server server(Answer{.status = 404, .body = std::string(5 << 20, 'x')});
  HttpClient client({.base_url = server.url(), .maximum_response_bytes = 1000});
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), refused("http-404", Retry::never));
}

const std::string kFine = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"id\":\"p-1\"}";

TEST(HttpEnding, AConnectionIsUsedAgain) {
  RawServer server({{.bytes = kFine, .close = false}, {.bytes = kFine, .close = false}});
  HttpClient client({.base_url = server.url()});
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), succeeded(R"({"id":"p-1"})"));
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), succeeded(R"({"id":"p-1"})"))
      << "nobody accepts a second one";
}

TEST(HttpEnding, AConnectionThatBrokeWhileIdleIsReplaced) {
  RawServer server({{.bytes = kFine, .close = false}, {.bytes = ""}, {.bytes = kFine}});
  HttpClient client({.base_url = server.url()});
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), succeeded(R"({"id":"p-1"})"));
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), succeeded(R"({"id":"p-1"})"));
  EXPECT_EQ(server.requests(), 3);
}

TEST(HttpEnding, ARequestThatBrokeWithAnIdleConnectionIsUnknownThoughNobodyListensNow) {
  RawServer server({{.bytes = kFine, .close = false}, {.bytes = "", .last = true}});
  HttpClient client({.base_url = server.url()});
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), succeeded(R"({"id":"p-1"})"));
  EXPECT_THAT(attempt<ChargeCard>(client, kCharge), unknown("http-cut"))
      << "it was read before the server went";
}

TEST(HttpEnding, OneStepServesManyThreads) {
  Server server([](const Asked& asked) {
    return Answer{.body = R"({"id":")" + asked.header("Idempotency-Key") + R"("})"};
  });
  HttpClient client({.base_url = server.url()});
  ChargeCard step(client);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&step, thread] {
      for (int call = 0; call < 25; ++call) {
        const std::string key = std::to_string(thread) + "." + std::to_string(call);
        StepContext context({.idempotency_key = key});
        EXPECT_EQ(step.execute(kCharge, context).id, key);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(server.asked(), SizeIs(100));
}

}  // namespace
}  // namespace skald::http
