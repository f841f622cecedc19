// See server.hpp.
#include "server.hpp"

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certificate.hpp"

namespace skald::http {
namespace {

/// A socket on a free port of the loopback interface.
std::pair<int, int> bound() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  socklen_t size = sizeof address;
  EXPECT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  return {listener, ntohs(address.sin_port)};
}

}  // namespace

std::string Asked::header(std::string_view name) const {
  std::string found;
  for (const Header& header : headers)
    if (detail::same_http_name(header.name, name)) found += (found.empty() ? "" : ", ") + header.value;
  return found;
}

/// Of cpp-httplib: a dot would match no line break.
constexpr const char* kEveryPath = R"([\s\S]*)";

Server::Server(Handler handler, const Certificate* certificate) : handler_(std::move(handler)) {
  if (certificate != nullptr)
    server_ = std::make_unique<httplib::SSLServer>(certificate->x509.get(), certificate->key.get());
  else
    server_ = std::make_unique<httplib::Server>();
  const auto handle = [this](const httplib::Request& request, httplib::Response& response) {
    Asked asked{request.method, request.target, {}, request.body};
    for (const auto& [name, value] : request.headers) asked.headers.push_back({name, value});
    {
      const std::scoped_lock lock(mutex_);
      asked_.push_back(asked);
    }
    const Answer answer = handler_(asked);
    response.status = answer.status;
    for (const Header& header : answer.headers) response.set_header(header.name, header.value);
    response.set_content(answer.body, "application/json");
  };
  server_->Get(kEveryPath, handle);
  server_->Post(kEveryPath, handle);
  server_->Put(kEveryPath, handle);
  server_->Delete(kEveryPath, handle);
  const int port = server_->bind_to_any_port("127.0.0.1");
  url_ = (certificate != nullptr ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port);
  server_->set_keep_alive_timeout(1);
  thread_ = std::thread([this] { server_->listen_after_bind(); });
  while (!server_->is_running()) std::this_thread::yield();  // stop() before that would be lost
}

Server::~Server() {
  server_->stop();
  thread_.join();
}

std::vector<Asked> Server::asked() const {
  const std::scoped_lock lock(mutex_);
  return asked_;
}

RawServer::RawServer(std::vector<Turn> script) {
  std::tie(listener_, port_) = bound();
  EXPECT_EQ(::listen(listener_, 8), 0);
  thread_ = std::thread([this, script = std::move(script)]() mutable { serve(std::move(script)); });
}

RawServer::~RawServer() {
  ::shutdown(listener_, SHUT_RDWR);  // wakes an accept that nobody will satisfy
  {
    const std::scoped_lock lock(mutex_);
    if (connection_ >= 0) ::shutdown(connection_, SHUT_RDWR);
  }
  thread_.join();
  ::close(listener_);
}

int RawServer::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

void RawServer::serve(std::vector<Turn> script) {
  int connection = -1;
  for (const Turn& turn : script) {
    if (connection < 0) {
      connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      const std::scoped_lock lock(mutex_);
      connection_ = connection;
    }
    std::string request;
    char bytes[65536];
    while (request.find("\r\n\r\n") == std::string::npos && request.find('\x16') != 0) {  // 0x16: TLS
      const ssize_t got = ::recv(connection, bytes, sizeof bytes, 0);
      if (got <= 0) break;
      request.append(bytes, static_cast<std::size_t>(got));
    }
    {
      const std::scoped_lock lock(mutex_);
      ++requests_;
    }
    if (turn.before) turn.before();
    for (std::size_t done = 0; done < turn.bytes.size();) {
      const ssize_t sent =
          ::send(connection, turn.bytes.data() + done, turn.bytes.size() - done, MSG_NOSIGNAL);
      if (sent <= 0) break;
      done += static_cast<std::size_t>(sent);
    }
    if (turn.last) ::shutdown(listener_, SHUT_RDWR);
    if (!turn.close) continue;
    const std::scoped_lock lock(mutex_);
    ::shutdown(connection, SHUT_RDWR);
    ::close(connection);
    connection = connection_ = -1;
  }
  const std::scoped_lock lock(mutex_);
  if (connection >= 0) ::close(connection);
  connection_ = -1;
}

std::string dead_url() {
  const auto [listener, port] = bound();
  ::close(listener);
  return "http://127.0.0.1:" + std::to_string(port);
}

}  // namespace skald::http
