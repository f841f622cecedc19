// HttpConnection: an accepted socket that gives and takes bytes within limits of size and time. What exceeds
// them reads as the end of the connection, after the fitting 4xx went out. Used by one thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_server.hpp"
#include "ports/clock.hpp"

namespace skald::api {

class HttpConnection {
 public:
  HttpConnection(int socket, const HttpSettings& settings, Clock& clock);
  /// Closes the socket.
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  /// Waits for the first byte of another request; false if none came in time.
  bool next_request();
  /// As recv: bytes, 0 at the end, -1 when a limit is passed or the socket failed.
  long read(char* bytes, std::size_t size);
  /// All of it, or -1.
  long write(const char* bytes, std::size_t size);
  /// Waits until bytes can be read, at most until the limit of the phase.
  bool wait_readable();
  /// Answers and ends the connection.
  void refuse(int status, std::string_view reason, std::string_view code, std::string_view message);
  /// After an answer that was no success the rest of the request stands unread: the connection must end.
  [[nodiscard]] bool must_close() const noexcept { return broken_ || failed_answer_; }

  [[nodiscard]] int socket() const noexcept { return socket_; }
  /// The client's address, without its port.
  [[nodiscard]] std::string peer() const;

 private:
  bool fill();
  bool wait(short events, std::chrono::nanoseconds until);
  bool count_header_byte(char byte);

  const int socket_;
  const HttpSettings& settings_;
  Clock& clock_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  ///< unread bytes in buffer_
  std::chrono::nanoseconds started_{0};
  std::size_t request_bytes_ = 0, header_bytes_ = 0;
  int line_length_ = 0;
  bool in_header_ = true;
  bool answering_ = false;
  bool broken_ = false;
  bool failed_answer_ = false;
};

}  // namespace skald::api
