// The HTTP port against clients that mean no good (B14, F53): raw sockets, so that nothing helps them to be polite.
#include "api/http_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace skald::api {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// The real one, and more if a test says so.
class AheadClock final : public Clock {
 public:
  std::chrono::nanoseconds monotonic() const override {
    return std::chrono::steady_clock::now().time_since_epoch() + ahead_.load();
  }
  Time wall() const override { return {}; }
  void advance(std::chrono::nanoseconds by) { ahead_ = ahead_.load() + by; }

 private:
  std::atomic<std::chrono::nanoseconds> ahead_{std::chrono::nanoseconds(0)};
};

/// A TCP client that waits at most ten seconds for anything.
class Client {
 public:
  explicit Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval limit{10, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { close(socket_); }
  bool connected() const { return connected_; }

  void send(const std::string& bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t sent = ::send(socket_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
      if (sent <= 0) return;
      done += static_cast<std::size_t>(sent);
    }
  }
  /// Up to the end of the connection.
  std::string rest() {
    std::string all;
    char bytes[4096];
    for (ssize_t got; (got = recv(socket_, bytes, sizeof bytes, 0)) > 0;)
      all.append(bytes, static_cast<std::size_t>(got));
    return all;
  }
  /// Up to `last`, or the end.
  std::string until(const std::string& last) {
    std::string all;
    char byte;
    while (!all.ends_with(last) && recv(socket_, &byte, 1, 0) == 1) all += byte;
    return all;
  }

 private:
  int socket_;
  bool connected_ = false;
};

class HttpPort : public testing::Test {
 protected:
  void start(HttpSettings settings = {}) {
    settings.port = 0;
    auto server = HttpServer::start(settings, clock_, [this](const HttpRequest& request) {
      ++handled_;
      last_ = request;
      return HttpResponse{200,
                          request.path == "/big" ? std::string(32 << 20, 'x') : "answer to " + request.path,
                          "text/plain"};
    });
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  std::string ask(const std::string& bytes) {
    Client client(server_->port());
    client.send(bytes);
    return client.rest();
  }

  AheadClock clock_;
  std::atomic<int> handled_{0};
  HttpRequest last_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpPort, AnswersAndKeepsTheConnection) {
  start();
  Client client(server_->port());
  client.send("GET /a%20b?x=1 HTTP/1.1\r\nHost: localhost\r\nX-One: 1\r\n\r\n");
  EXPECT_THAT(client.until("answer to /a b"), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_EQ(last_.query.at("x"), "1");
  EXPECT_EQ(last_.headers.at("x-one"), "1");
  EXPECT_EQ(last_.remote, "127.0.0.1");
  client.send("POST /b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
  EXPECT_THAT(client.rest(), HasSubstr("answer to /b"));
  EXPECT_EQ(last_.body, "abc");
}

TEST_F(HttpPort, GivesAClientThatWasIdleAllItsTimeForTheNextRequest) {
  HttpSettings settings;
  settings.threads = 1;
  start(settings);
  Client scraper(server_->port());
  for (int scrape = 0; scrape < 3; ++scrape) {
    scraper.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(scraper.until("answer to /metrics"), StartsWith("HTTP/1.1 200 OK"));
    clock_.advance(2 * settings.header_timeout);
  }
  EXPECT_EQ(handled_, 3);
}

TEST_F(HttpPort, RefusesHeadersWithoutEnd) {
  start();
  std::string headers = "GET / HTTP/1.1\r\n";
  for (int index = 0; index < 5000; ++index) headers += "X-" + std::to_string(index) + ": value\r\n";
  EXPECT_THAT(ask(headers), StartsWith("HTTP/1.1 4"));  // 431, or 400 where the library counts headers itself
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpPort, RefusesABodyAboveTheLimitHoweverItIsSent) {
  start();
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  std::string pieces = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int index = 0; index < 40; ++index) pieces += "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  EXPECT_THAT(ask(pieces + "0\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpPort, RefusesACompressedBody) {
  start();
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
              StartsWith("HTTP/1.1 415"));
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpPort, AnswersNonsenseWith4xx) {
  start();
  EXPECT_THAT(ask("\x16\x03\x01\x02\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("BREW /pot HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 414"));
  EXPECT_EQ(handled_, 0);
  EXPECT_THAT(ask("GET /" + std::string(8'000, 'a') + "%0A HTTP/1.1\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpPort, GivesUpAClientThatDribblesItsHeader) {
  HttpSettings settings;
  settings.threads = 1;
  settings.header_timeout = std::chrono::milliseconds(200);
  start(settings);
  Client slow(server_->port());
  slow.send("GET / HTTP/1.1\r\nX-Slow: ");
  EXPECT_THAT(ask("GET /quick HTTP/1.1\r\nConnection: close\r\n\r\n"), HasSubstr("answer to /quick"));
  EXPECT_THAT(slow.rest(), StartsWith("HTTP/1.1 408"));
}

TEST_F(HttpPort, GivesUpAClientThatDoesNotReadItsAnswer) {
  HttpSettings settings;
  settings.threads = 1;
  settings.request_timeout = std::chrono::milliseconds(200);
  start(settings);
  Client deaf(server_->port());
  deaf.send("GET /big HTTP/1.1\r\n\r\n");
  EXPECT_THAT(ask("GET /small HTTP/1.1\r\nConnection: close\r\n\r\n"), HasSubstr("answer to /small"));
}

TEST_F(HttpPort, TellsConnectionsBeyondItsQueueToComeBack) {
  HttpSettings settings;
  settings.threads = 1;
  settings.queued_connections = 2;
  start(settings);
  std::vector<std::unique_ptr<Client>> idle;
  for (int index = 0; index < 4; ++index) idle.push_back(std::make_unique<Client>(server_->port()));
  EXPECT_THAT(Client(server_->port()).until("\n"), StartsWith("HTTP/1.1 503"));
}

TEST_F(HttpPort, StopsWhileClientsAreConnected) {
  HttpSettings settings;
  settings.header_timeout = std::chrono::milliseconds(300);
  start(settings);
  const int port = server_->port();
  Client idle(port);
  server_.reset();
  EXPECT_FALSE(Client(port).connected());
}

TEST_F(HttpPort, IsNotSharedWithAnotherProcess) {
  start();
  HttpSettings settings;
  settings.port = server_->port();
  const auto second = HttpServer::start(settings, clock_, [](const HttpRequest&) { return HttpResponse{}; });
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message,
              HasSubstr("127.0.0.1:" + std::to_string(server_->port()) + ": the address is in use"));
}

TEST_F(HttpPort, NamesTheAddressItCannotTake) {
  HttpSettings settings;
  settings.host = "192.0.2.1";
  settings.port = 80;
  const auto server = HttpServer::start(settings, clock_, [](const HttpRequest&) { return HttpResponse{}; });
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().message, HasSubstr("192.0.2.1:80"));
}

}  // namespace
}  // namespace skald::api
