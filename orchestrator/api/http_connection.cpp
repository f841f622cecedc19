// HttpConnection over poll, recv and send; see http_connection.hpp.
#include "api/http_connection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace skald::api {

HttpConnection::HttpConnection(int socket, const HttpSettings& settings, Clock& clock)
    : socket_(socket), settings_(settings), clock_(clock), buffer_(4096) {}

HttpConnection::~HttpConnection() {
  shutdown(socket_, SHUT_WR);
  // What the client still sends is read away for a moment, or its kernel would drop our answer with a reset.
  for (int round = 0;
       broken_ && round < 16 && wait(POLLIN, clock_.monotonic() + std::chrono::milliseconds(50)); ++round)
    if (recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT) <= 0) break;
  close(socket_);
}

std::string HttpConnection::peer() const {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  char host[NI_MAXHOST] = "";
  if (getpeername(socket_, reinterpret_cast<sockaddr*>(&address), &length) == 0)
    getnameinfo(reinterpret_cast<sockaddr*>(&address), length, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
  return host;
}

bool HttpConnection::wait(short events, std::chrono::nanoseconds until) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock_.monotonic());
    if (left.count() <= 0) return false;
    pollfd descriptor{socket_, events, 0};
    const int ready = poll(&descriptor, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

bool HttpConnection::next_request() {
  started_ = clock_.monotonic();
  request_bytes_ = header_bytes_ = 0;
  line_length_ = 0;
  in_header_ = true;
  answering_ = false;
  if (begin_ == end_ && !wait(POLLIN, started_ + settings_.header_timeout)) return false;
  started_ = clock_.monotonic();  // a client that was idle for long has all its time for the request
  return true;
}

bool HttpConnection::wait_readable() {
  return begin_ < end_ ||
         wait(POLLIN, started_ + (in_header_ ? settings_.header_timeout : settings_.request_timeout));
}

bool HttpConnection::fill() {
  if (!wait_readable()) {
    refuse(408, "Request Timeout", "SKALD-955", "the request took too long to arrive");
    return false;
  }
  const ssize_t got = recv(socket_, buffer_.data(), buffer_.size(), 0);
  if (got <= 0) return false;
  begin_ = 0;
  end_ = static_cast<std::size_t>(got);
  return true;
}

bool HttpConnection::count_header_byte(char byte) {
  ++header_bytes_;
  if (byte == '\n') {
    if (line_length_ == 0 && header_bytes_ > 2) in_header_ = false;
    line_length_ = 0;
  } else if (byte != '\r') {
    ++line_length_;
  }
  return header_bytes_ <= settings_.maximum_header_bytes;
}

long HttpConnection::read(char* bytes, std::size_t size) {
  if (broken_) return -1;
  if (begin_ == end_ && !fill()) return broken_ ? -1 : 0;
  const std::size_t count = in_header_ ? 1 : std::min(size, end_ - begin_);
  std::memcpy(bytes, buffer_.data() + begin_, count);
  begin_ += count;
  request_bytes_ += count;
  if (in_header_ && !count_header_byte(*bytes)) {
    refuse(431, "Request Header Fields Too Large", "SKALD-954",
           "the header is larger than " + std::to_string(settings_.maximum_header_bytes) + " bytes");
    return -1;
  }
  // Chunk marks of a body sent in pieces come on top of its bytes.
  if (request_bytes_ > settings_.maximum_header_bytes + settings_.maximum_body_bytes * 2) {
    refuse(413, "Payload Too Large", "SKALD-954",
           "the body is larger than " + std::to_string(settings_.maximum_body_bytes) + " bytes");
    return -1;
  }
  return static_cast<long>(count);
}

long HttpConnection::write(const char* bytes, std::size_t size) {
  if (broken_) return -1;
  constexpr std::string_view kSuccess = "HTTP/1.1 2";
  if (!answering_) failed_answer_ = std::string_view(bytes, size).substr(0, kSuccess.size()) != kSuccess;
  answering_ = true;
  for (std::size_t done = 0; done < size;) {
    const ssize_t sent = send(socket_, bytes + done, size - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      done += static_cast<std::size_t>(sent);
      continue;
    }
    const bool full = sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    if (full && wait(POLLOUT, started_ + settings_.request_timeout)) continue;
    broken_ = true;
    return -1;
  }
  return static_cast<long>(size);
}

void HttpConnection::refuse(int status, std::string_view reason, std::string_view code,
                            std::string_view message) {
  if (broken_) return;
  const std::string body =
      "{\"code\":\"" + std::string(code) + "\",\"message\":\"" + std::string(message) + "\"}\n";
  const std::string answer = "HTTP/1.1 " + std::to_string(status) + " " + std::string(reason) +
                             "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
                             std::to_string(body.size()) + "\r\n\r\n" + body;
  // Nothing was answered before, so this little fits the socket's buffer.
  if (!answering_)
    static_cast<void>(send(socket_, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  broken_ = true;
}

}  // namespace skald::api
