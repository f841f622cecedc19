// Replaying, and saying what came of it.
#include "app/replays.hpp"

#include "app/config.hpp"
#include "engine/instance.hpp"

namespace skald::app {

namespace {
constexpr std::size_t kMaximumDifferences = 20;  ///< told of one revision; more are counted
}  // namespace

void Replays::add(const StoredSaga& saga) {
  ++replayed_;
  Revision& revision = revisions_[{saga.row.address.definition, saga.row.revision}];
  const SagaDefinition* definition = registry_.saga(saga.row.address.definition, saga.row.revision);
  if (definition == nullptr) {
    ++revision.without_code;
    ++broken_;
    return;
  }
  const auto replayed = engine::Instance::replay(environment_, *definition, saga);
  if (!replayed.problem) {
    ++revision.fit;
    return;
  }
  ++broken_;
  const bool room = revision.differences.size() < kMaximumDifferences;
  const std::string what =
      (replayed.problem->corrupt ? "its history is damaged: " : "") + replayed.problem->message;
  const auto known = revision.differences.find(what);
  Difference& difference = known != revision.differences.end()
                               ? known->second
                               : revision.differences[room ? what : "others beside these"];
  if (difference.sagas++ > 0) return;
  difference.example = saga.row.address.saga_id;
  difference.sequence = replayed.problem->sequence;
}

std::string Replays::report() const {
  std::string text;
  const auto sagas = [](std::size_t count) {
    return std::to_string(count) + (count == 1 ? " saga" : " sagas");
  };
  for (const auto& [name, revision] : revisions_) {
    const std::string head = printable(name.first) + " revision " + std::to_string(name.second) + ": ";
    if (revision.fit > 0) text += head + sagas(revision.fit) + (revision.fit == 1 ? " fits\n" : " fit\n");
    if (revision.without_code > 0)
      text += head + sagas(revision.without_code) + ", and no code for it in this binary\n";
    for (const auto& [what, difference] : revision.differences)
      text += head + sagas(difference.sagas) + " would break, like " + printable(difference.example, 255) +
              " at transition " + std::to_string(difference.sequence) + ": " + printable(what, 500) + "\n";
  }
  return text;
}

}  // namespace skald::app
