// A step given more arguments than its input has fields.
// refused: a step takes one argument that is its Input, or exactly one argument for each field of the Input
// refused: OneArgumentPerField<Charge, 2, 3>
#include "skald/fields.hpp"

struct Charge {
  std::string customer;
  std::int64_t cents = 0;
};
SKALD_FIELDS(Charge, customer, cents)

#ifdef SKALD_REFUSED
Charge charge = skald::make_input<Charge>("c-1", 100, 7);
#else
Charge charge = skald::make_input<Charge>("c-1", 100);
#endif
