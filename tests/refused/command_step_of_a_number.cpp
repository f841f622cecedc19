// A command step whose output is no JSON object or array.
// refused: what a command step sends and gets is a struct with fields
#include "skald/skald.hpp"

struct Order {
  std::string id;
};
SKALD_FIELDS(Order, id)

#ifdef SKALD_REFUSED
using Answer = std::int64_t;
#else
using Answer = std::vector<std::int64_t>;
#endif
struct Count : skald::CommandStep<Order, Answer> {
  static constexpr std::string_view name = "count";
  static constexpr skald::NoCompensation compensation{"nothing to undo"};
};
const auto& definition = skald::step_definition<Count>();
