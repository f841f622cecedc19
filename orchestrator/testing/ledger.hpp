// Ledger: what participants have done, by idempotency key, as an inbox keeps it: an action takes effect once, an undone
// one never again, and who asks twice is answered what was decided. One thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/input.hpp"
#include "skald/step_definition.hpp"

namespace skald::testing::detail {

/// One attempt as it reaches whoever does the step.
struct Attempt {
  const StepDefinition* step = nullptr;
  engine::AttemptId id;
  std::string input;  ///< JSON
  std::string key;    ///< the idempotency key
  std::optional<Time> expiry;
};

/// What happens to an attempt.
struct Reaction {
  enum class Effect {
    none,     ///< it never arrives, or what it did was undone
    applies,  ///< the action takes effect, the compensation undoes it
    refused,  ///< it arrives, and is refused for good
    not_now,  ///< it arrives, and may be tried again
  } effect = Effect::applies;
  std::string output;  ///< JSON, of an action that applies
  Failure failure;     ///< of a refusal
  int answers = 1;     ///< how often the answer arrives; 0: never
  std::chrono::milliseconds latency{10};
  std::optional<Time> answered_at;  ///< instead of the latency
};

/// The answer a participant gives, if it gives any.
struct Decision {
  bool succeeded = false;
  std::string output;
  Failure failure;
};

class Ledger {
 public:
  struct Entry {
    const StepDefinition* step = nullptr;
    int ordinal = 0;
    enum class State { open, done, refused, cancelled, undone } state = State::open;
    std::string output;
    Failure failure;
    [[nodiscard]] bool stands() const { return state == State::done; }
  };

  Decision decide(const Attempt& attempt, const Reaction& reaction);
  /// In the order of their ordinals.
  [[nodiscard]] std::vector<const Entry*> entries() const;
  [[nodiscard]] std::string situation() const;

 private:
  Decision act(Entry& entry, const Reaction& reaction);
  static Decision undo(Entry& entry, const Reaction& reaction);

  std::map<std::string, Entry> entries_;  ///< by key
};

}  // namespace skald::testing::detail
