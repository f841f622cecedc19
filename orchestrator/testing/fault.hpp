// Fault: what may happen to one step's action or compensation, in words that a script of a run is made of.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drive.hpp"
#include "skald/testing/explore.hpp"

namespace skald::testing::detail {

struct Fault {
  enum class Kind {
    none,             ///< it succeeds
    refused,          ///< for good, with `code`
    busy,             ///< the first attempt fails, the next succeeds
    lost,             ///< no attempt arrives
    lost_once,        ///< the first attempt does not arrive
    unanswered,       ///< takes effect, and no answer ever comes
    unanswered_once,  ///< takes effect, and the first answer is lost
    late,             ///< takes effect, and the answer comes after the step was given up
    twice,            ///< the answer comes twice
    slow,             ///< the answer comes after those of others that are under way
  } kind = Kind::none;
  std::string code;

  /// As a script has it: "ok", "refused(card-declined)", "late".
  [[nodiscard]] std::string text() const;
  /// As a sentence for people has it: "takes effect, but its answer is lost".
  [[nodiscard]] std::string sentence(bool compensation) const;
};

/// All that may happen to this attempt, the first of its step and phase; to succeed comes first.
[[nodiscard]] std::vector<Fault> faults_of(const Attempt& attempt, bool pivot, const Drive& drive,
                                           const Explore& options);
/// What becomes of an attempt of a step to which this happens.
[[nodiscard]] Reaction reaction_of(const Fault& fault, const Attempt& attempt, const Drive& drive,
                                   const Explore& options);

}  // namespace skald::testing::detail
