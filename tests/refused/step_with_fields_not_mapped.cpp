// A step whose output has no JSON form.
// refused: output is not mapped: add SKALD_FIELDS
#include "skald/skald.hpp"

struct Order {
  std::string id;
};
SKALD_FIELDS(Order, id)

struct Reservation {
  std::string id;
};
#ifndef SKALD_REFUSED
SKALD_FIELDS(Reservation, id)
#endif
struct Reserve : skald::CommandStep<Order, Reservation> {
  static constexpr std::string_view name = "reserve";
  static constexpr skald::NoCompensation compensation{"nothing to undo"};
};
const auto& definition = skald::step_definition<Reserve>();
