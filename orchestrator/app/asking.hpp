// What every command that asks a running orchestrator needs: where it is, JSON from the command line, and what its answer
// says.
#pragma once

#include <string>

#include "api/http_client.hpp"
#include "app/program.hpp"

namespace skald::app {

/// `given`, or where the configuration says that the HTTP port listens.
[[nodiscard]] std::string url_of(const Config& config, const std::string& given);
/// The message and code of an answer that was no success.
[[nodiscard]] Error error_of(const api::ClientAnswer& answer);
/// JSON from the command line: itself, @FILE, or - for standard input. `option` names it in an error.
[[nodiscard]] Result<std::string> read_argument(const std::string& argument, const std::string& option);
/// Complains about an answer that was no success; the exit code.
int refused(const Program& program, const api::ClientAnswer& answer);

}  // namespace skald::app
