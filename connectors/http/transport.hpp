// One HTTP call by libcurl: from a finished URL to a status and a body, or to why there is none and whether the request
// had begun. Knows nothing of steps. Any thread; each call has a libcurl handle to itself while it lasts, and the
// handles keep their connections for the next call.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "skald/http_client.hpp"

namespace skald::http {

struct Call {
  std::string_view method;
  std::string url;
  std::vector<std::string> headers;  ///< "Name: value"
  const std::string* body = nullptr;
};

struct Reply {
  enum class Ending {
    answered,     ///< status and body are whole
    too_large,    ///< the status is known, the body has been cut at the limit
    unreachable,  ///< no connection
    tls,          ///< no connection that can be trusted
    timed_out,
    stopped,  ///< by the stop token
    cut,      ///< the connection broke, or what came is not HTTP
  } ending = Ending::cut;
  /// Whether any byte of the request may have left. Until then, certainly nothing happened over there.
  bool begun = false;
  int status = 0;
  std::string body;
  std::optional<std::chrono::seconds> retry_after;
  std::string location;  ///< of a redirect, absolute
  std::string why;       ///< if it was not answered: libcurl's words
};

class Transport {
 public:
  explicit Transport(const HttpEndpoint& endpoint);  ///< kept by reference
  ~Transport();
  Reply perform(const Call& call, const std::stop_token& stop);

 private:
  class Pool;
  std::unique_ptr<Pool> pool_;
};

/// http or https, a host, and neither user, query nor fragment; otherwise what is wrong, as part of a sentence.
[[nodiscard]] std::optional<std::string> problem_of_base_url(const std::string& url);

}  // namespace skald::http
