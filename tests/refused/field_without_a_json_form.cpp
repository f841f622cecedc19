// SKALD_FIELDS names a field whose type has no JSON form.
// refused: SKALD_FIELDS: a field's type has no JSON form
// refused: FieldIsMapped<Charge, float>
#include "skald/fields.hpp"

struct Charge {
  std::string customer;
#ifdef SKALD_REFUSED
  float amount = 0;
#else
  double amount = 0;
#endif
};
SKALD_FIELDS(Charge, customer, amount)
