// HttpServer: one HTTP/1.1 port with a limit on everything a client can send or hold: header and body bytes, the
// time for a header and for a request, connections, requests a connection. It knows no route: one handler answers
// all. The handler is called on one of its threads, several at once, and may block within reason: when all
// threads are busy, connections wait in a bounded queue, and beyond it get 503.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ports/clock.hpp"
#include "skald/result.hpp"

namespace skald::api {

struct HttpRequest {
  std::string method;  ///< GET, POST, … (HEAD comes as GET)
  std::string path;    ///< percent-decoded, without the query
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> headers;  ///< names in lower case; of several of one name the last
  std::string body;
  std::string remote;  ///< the client's address
};

struct HttpResponse {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers{};
};

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

struct HttpSettings {
  std::string host = "127.0.0.1";
  int port = 0;  ///< 0: any free one
  std::size_t threads = 16;
  std::size_t queued_connections = 64;
  std::size_t maximum_header_bytes = 32 * 1024;
  std::size_t maximum_body_bytes = 1024 * 1024;
  std::chrono::milliseconds header_timeout{
      5'000};  ///< to the first byte of a request, and from there to the last of its headers
  std::chrono::milliseconds request_timeout{15'000};  ///< from its first byte to the last of the answer
  int requests_per_connection = 100;
};

class HttpServer {
 public:
  /// Listens when it returns. kRefused: the address cannot be taken; the message names it.
  static Result<std::unique_ptr<HttpServer>> start(const HttpSettings& settings, Clock& clock,
                                                   HttpHandler handler);
  /// Stops listening, lets running handlers end.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] int port() const;

 private:
  struct Implementation;
  explicit HttpServer(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace skald::api
