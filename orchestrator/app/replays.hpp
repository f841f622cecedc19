// Replays: does this binary's code do again what histories say? Counts, and keeps each difference once with an example:
// what `preflight` and `replay` report. One thread.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "engine/environment.hpp"
#include "ports/store.hpp"
#include "skald/registry.hpp"

namespace skald::app {

class Replays {
 public:
  /// Both outlive it.
  Replays(const engine::Environment& environment, const Registry& registry)
      : environment_(environment), registry_(registry) {}

  void add(const StoredSaga& saga);
  [[nodiscard]] std::size_t replayed() const { return replayed_; }
  /// Those that would not go on with this binary: their code differs or is not there, or their history is damaged.
  [[nodiscard]] std::size_t broken() const { return broken_; }
  /// A line a definition and revision, and under it a line a difference.
  [[nodiscard]] std::string report() const;

 private:
  struct Difference {
    std::size_t sagas = 0;
    std::string example;
    std::int64_t sequence = 0;
  };
  struct Revision {
    std::size_t fit = 0;
    std::size_t without_code = 0;
    std::map<std::string, Difference> differences;  ///< by message
  };

  const engine::Environment& environment_;
  const Registry& registry_;
  std::map<std::pair<std::string, int>, Revision> revisions_;
  std::size_t replayed_ = 0;
  std::size_t broken_ = 0;
};

}  // namespace skald::app
