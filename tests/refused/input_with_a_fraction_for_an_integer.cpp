// A double given for an integer field: the cents behind the point would be lost.
// refused: this argument cannot fill its field without changing
// refused: ArgumentFitsField<Charge, 2, long
#include "skald/fields.hpp"

struct Charge {
  std::string customer;
  std::int64_t cents = 0;
};
SKALD_FIELDS(Charge, customer, cents)

#ifdef SKALD_REFUSED
Charge charge = skald::make_input<Charge>("c-1", 99.5);
#else
Charge charge = skald::make_input<Charge>("c-1", 99);
#endif
