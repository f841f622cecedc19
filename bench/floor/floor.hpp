// The two halves of the floor, each a process of its own that runs until it is killed.
#pragma once

#include <string>

#include "topics.hpp"

namespace bench {

[[noreturn]] void participate(const std::string& servers, const Names& names);
/// `lanes` threads, each with its own connection and its own partitions; at most `batch` records a transaction.
[[noreturn]] void orchestrate(const std::string& servers, const std::string& postgres, const Names& names,
                              int lanes, int batch);

}  // namespace bench
