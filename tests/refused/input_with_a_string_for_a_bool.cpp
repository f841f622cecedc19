// A string literal given for a bool field: C++ would make it true.
// refused: this argument cannot fill its field without changing
#include "skald/fields.hpp"

struct Answer {
  bool agreed = false;
};
SKALD_FIELDS(Answer, agreed)

#ifdef SKALD_REFUSED
Answer answer = skald::make_input<Answer>("false");
#else
Answer answer = skald::make_input<Answer>(false);
#endif
