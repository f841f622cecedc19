// The parts of the floor, each a process of its own that runs until it is killed.
#pragma once

#include <array>
#include <string>

#include "topics.hpp"

namespace bench {

/// Reads the three topics of reserve, charge and ship commands from their beginning; answers where each command says.
[[noreturn]] void participate(const std::string& servers, const std::array<std::string, 3>& commands,
                              const std::string& linger_ms);
/// `lanes` threads, each with its own connection and its own partitions; at most `batch` records a transaction.
[[noreturn]] void orchestrate(const std::string& servers, const std::string& postgres, const Names& names,
                              int lanes, int batch);
/// `lanes` threads, each with its own connection: claims due sagas, at most `batch` at once, and ends them.
[[noreturn]] void wake(const std::string& servers, const std::string& postgres, const Names& names, int lanes,
                       int batch);

}  // namespace bench
