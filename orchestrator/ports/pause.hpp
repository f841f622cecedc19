// Pause: what an operator has paused beside single sagas: a definition, of which nothing goes on and nothing starts,
// or a type of step, of which no attempt goes out. Plain values.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "skald/record.hpp"

namespace skald {

enum class PauseKind { definition, step };

[[nodiscard]] inline std::string_view to_string(PauseKind kind) {
  return kind == PauseKind::definition ? "definition" : "step";
}

struct Pause {
  PauseKind kind = PauseKind::definition;
  std::string name;
  std::string who;
  std::string why;
  Time since{};
};

/// Those in force, as one process knows them.
struct PauseSet {
  std::set<std::string, std::less<>> definitions;
  std::set<std::string, std::less<>> steps;
  Time began{};                                        ///< when the process first knew
  std::map<std::string, Time, std::less<>> resumed{};  ///< definitions whose pause it saw end

  /// Since when this process has worked on a definition that is not paused.
  [[nodiscard]] Time runs_since(std::string_view definition) const {
    const auto found = resumed.find(definition);
    return found == resumed.end() ? began : found->second;
  }
};

}  // namespace skald
