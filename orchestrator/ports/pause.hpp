// Pause: what an operator has paused beside single sagas: a definition, of which nothing goes on and nothing starts,
// or a type of step, of which no attempt goes out. Plain values.
#pragma once

#include <cstddef>
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

/// Those in force.
struct PauseSet {
  std::set<std::string, std::less<>> definitions;
  std::set<std::string, std::less<>> steps;
  bool operator==(const PauseSet&) const = default;
};

}  // namespace skald
