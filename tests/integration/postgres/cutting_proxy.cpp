// Plain sockets and poll. A cut after the statement forwards it, waits for the first byte of the answer (so the
// server has executed it) and closes both sides without passing it on.
#include "cutting_proxy.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace skald::postgres {
namespace {

constexpr int kPollMs = 50;

sockaddr_in address_of(const std::string& host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

bool wait_readable(int socket, const std::atomic<bool>& stopping) {
  pollfd waited{socket, POLLIN, 0};
  while (!stopping)
    if (poll(&waited, 1, kPollMs) > 0) return true;
  return false;
}

bool send_all(int to, const char* bytes, std::size_t length) {
  while (length > 0) {
    const ssize_t sent = send(to, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    length -= static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace

CuttingProxy::CuttingProxy(const std::string& host, int port) : host_(host), target_port_(port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = address_of("127.0.0.1", 0);
  socklen_t length = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 || listen(listener_, 16) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw std::runtime_error("the proxy cannot listen");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread{[this] { serve(); }};
}

CuttingProxy::~CuttingProxy() {
  stopping_ = true;
  acceptor_.join();
  for (std::thread& relay : relays_) relay.join();
  close(listener_);
}

void CuttingProxy::cut_at(const std::string& statement, Cut cut) {
  const std::lock_guard lock{mutex_};
  statement_ = statement;
  cut_ = cut;
}

void CuttingProxy::serve() {
  while (wait_readable(listener_, stopping_)) {
    const int client = accept(listener_, nullptr, nullptr);
    if (client >= 0) relays_.emplace_back([this, client] { relay(client); });
  }
}

void CuttingProxy::relay(int client) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = address_of(host_, target_port_);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    std::array<pollfd, 2> sides{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    bool open = true;
    while (open && !stopping_) {
      if (poll(sides.data(), sides.size(), kPollMs) <= 0) continue;
      if (sides[0].revents) open = forward(client, server, true);
      if (open && sides[1].revents) open = forward(server, client, false);
    }
  }
  close(client);
  close(server);
}

bool CuttingProxy::forward(int from, int to, bool from_client) {
  std::array<char, 65536> buffer;
  const ssize_t received = recv(from, buffer.data(), buffer.size(), 0);
  if (received <= 0) return false;
  const auto length = static_cast<std::size_t>(received);
  // Type, 4 bytes of length, text; of a prepared statement the empty name of a portal, then its own name.
  if (from_client && length > 6 && (buffer[0] == 'Q' || buffer[0] == 'B')) {
    const std::string_view text{buffer.data() + (buffer[0] == 'Q' ? 5 : 6), length - 6};
    std::string statement;
    Cut cut;
    {
      const std::lock_guard lock{mutex_};
      if (!statement_.empty() && text.starts_with(statement_)) statement.swap(statement_);
      cut = cut_;
    }
    if (!statement.empty()) {
      if (cut == Cut::kAfter && send_all(to, buffer.data(), length)) wait_readable(to, stopping_);
      if (cut == Cut::kHold) wait_readable(to, stopping_);
      ++cuts_;
      return false;
    }
  }
  return send_all(to, buffer.data(), length);
}

}  // namespace skald::postgres
