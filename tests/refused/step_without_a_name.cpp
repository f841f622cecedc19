// A step nobody can name in topics, metrics and history.
// refused: a step needs: static constexpr std::string_view name
#include "skald/skald.hpp"

struct Order {
  std::string id;
};
SKALD_FIELDS(Order, id)

struct Reserve : skald::CommandStep<Order, skald::Nothing> {
#ifndef SKALD_REFUSED
  static constexpr std::string_view name = "reserve";
#endif
  static constexpr skald::NoCompensation compensation{"nothing to undo"};
};
const auto& definition = skald::step_definition<Reserve>();
