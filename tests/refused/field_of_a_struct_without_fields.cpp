// SKALD_FIELDS names a field whose type is a struct of which nobody named the fields.
// refused: SKALD_FIELDS: a field's type has no JSON form
// refused: FieldIsMapped<Order, std::vector<Line
#include "skald/fields.hpp"

struct Line {
  std::string sku;
};
#ifndef SKALD_REFUSED
SKALD_FIELDS(Line, sku)
#endif

struct Order {
  std::vector<Line> lines;
};
SKALD_FIELDS(Order, lines)
