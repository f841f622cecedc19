// Verdict: is this end of a saga consistent? One sentence for the first thing that is not. Pure.
#pragma once

#include <string>

#include "drive.hpp"
#include "skald/testing/explore.hpp"

namespace skald::testing::detail {

/// Empty: it is. Of a saga that came to rest.
[[nodiscard]] std::string inconsistency(const Drive& drive, const std::string& saga, const Explore& options);
/// How it came to rest, for counting: "completed", "stuck: compensation-refused", "waits for ever".
[[nodiscard]] std::string end_of(const Drive& drive);

}  // namespace skald::testing::detail
