// Memory, processor time, descriptors and threads of this process, under the names every Prometheus client
// library uses. Read from /proc when asked; safe from any thread.
#pragma once

#include <string>

namespace skald::api {

/// Exposition text; a figure that cannot be read is left out.
[[nodiscard]] std::string process_metrics();

}  // namespace skald::api
