// A local step that forgot what undoes it.
// refused: a local step overrides compensate
#include "skald/skald.hpp"

struct Order {
  std::string id;
};
SKALD_FIELDS(Order, id)

class Charge : public skald::LocalStep<Order, skald::Nothing> {
 public:
  static constexpr std::string_view name = "charge";
  skald::Nothing execute(const Order&, skald::StepContext&) override { return {}; }
#ifndef SKALD_REFUSED
  void compensate(const Order&, const std::optional<skald::Nothing>&, skald::StepContext&) override {}
#endif
};
const auto& definition = skald::step_definition<Charge>();
