// A signed argument given for an unsigned field: a negative one would become huge.
// refused: this argument cannot fill its field without changing
// refused: ArgumentFitsField<Charge, 1,
#include "skald/fields.hpp"

struct Charge {
  std::uint64_t cents = 0;
};
SKALD_FIELDS(Charge, cents)

#ifdef SKALD_REFUSED
Charge charge = skald::make_input<Charge>(5);
#else
Charge charge = skald::make_input<Charge>(5u);
#endif
