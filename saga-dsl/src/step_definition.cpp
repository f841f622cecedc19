// The list of steps that saga code in this binary mentions. Written during static initialisation only, read
// after.
#include "skald/step_definition.hpp"

namespace skald {
namespace {
std::vector<const StepDefinition*>& steps() {
  static std::vector<const StepDefinition*> list;
  return list;
}
}  // namespace

namespace detail {
bool note_step_use(const StepDefinition& definition) {
  steps().push_back(&definition);
  return true;
}
}  // namespace detail

const std::vector<const StepDefinition*>& mentioned_steps() { return steps(); }

}  // namespace skald
