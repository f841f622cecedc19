// A compensation that cannot be built when the outcome is unknown: its output is not optional.
// refused: a command step needs a compensation: static C compensation(const Input&, const std::optional<Output>&)
#include "skald/skald.hpp"

struct Order {
  std::string id;
};
SKALD_FIELDS(Order, id)

struct Reserve : skald::CommandStep<Order, Order> {
  static constexpr std::string_view name = "reserve";
#ifdef SKALD_REFUSED
  static Order compensation(const Order&, const Order& output) { return output; }
#else
  static Order compensation(const Order& input, const std::optional<Order>& output) {
    return output.value_or(input);
  }
#endif
};
const auto& definition = skald::step_definition<Reserve>();
