// A step that forgot what undoes it.
// refused: a command step needs a compensation
#include "skald/skald.hpp"

struct Order {
  std::string id;
};
SKALD_FIELDS(Order, id)

struct Reserve : skald::CommandStep<Order, skald::Nothing> {
  static constexpr std::string_view name = "reserve";
#ifndef SKALD_REFUSED
  static constexpr skald::NoCompensation compensation{"nothing to undo"};
#endif
};
const auto& definition = skald::step_definition<Reserve>();
