// Names stand in topics, metrics, ids and URLs.
// refused: 1 to 63 characters
#include "skald/skald.hpp"

struct Order {
  std::string id;
};
SKALD_FIELDS(Order, id)

struct Reserve : skald::CommandStep<Order, skald::Nothing> {
#ifdef SKALD_REFUSED
  static constexpr std::string_view name = "reserve stock";
#else
  static constexpr std::string_view name = "reserve-stock";
#endif
  static constexpr skald::NoCompensation compensation{"nothing to undo"};
};
const auto& definition = skald::step_definition<Reserve>();
