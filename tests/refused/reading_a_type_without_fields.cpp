// Reading a type of which nobody named the fields.
// refused: from_json: this type has no JSON form; name its fields with SKALD_FIELDS or SKALD_ENUM
#include "skald/fields.hpp"

struct Order {
  std::string id;
};
#ifndef SKALD_REFUSED
SKALD_FIELDS(Order, id)
#endif

bool readable() { return skald::from_json<Order>("{}").ok(); }
