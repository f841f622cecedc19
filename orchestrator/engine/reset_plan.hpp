// What a reset does with each step that was scheduled after its target: for who decides about it.
#pragma once

#include <string>

namespace skald::engine {

struct ResetStep {
  enum class Fate {
    kCompensated,
    kKept,      ///< counts as done if the code comes to it again with the same input
    kStays,     ///< it took effect, or may have, and has no compensation
    kNoEffect,  ///< it failed, or was undone before
  };
  int ordinal = 0;
  std::string step;
  Fate fate = Fate::kNoEffect;
};

}  // namespace skald::engine
