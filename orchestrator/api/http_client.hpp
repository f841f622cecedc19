// The client's side of the HTTP port, for the subcommands that talk to a running process. Blocks; any thread.
#pragma once

#include <string>

#include "skald/result.hpp"

namespace skald::api {

struct ClientRequest {
  std::string url;  ///< http://HOST:PORT
  std::string method = "GET";
  std::string path;  ///< percent-encoded, with its query
  std::string body;
  std::string token;
};

struct ClientAnswer {
  int status = 0;
  std::string body;
};

/// kUnavailable: nobody answers there. kInvalid: no URL.
[[nodiscard]] Result<ClientAnswer> ask(const ClientRequest& request);

/// For one segment of a path.
[[nodiscard]] std::string percent_encoded(const std::string& text);

}  // namespace skald::api
