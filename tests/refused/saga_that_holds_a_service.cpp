// A saga is made anew for each replay: what it holds would be lost.
// refused: a saga is default-constructed for each replay
#include "skald/skald.hpp"

struct Order {
  std::string id;
};
SKALD_FIELDS(Order, id)

class PlaceOrder : public skald::Saga<Order, skald::Nothing> {
 public:
  static constexpr std::string_view name = "place-order";
#ifdef SKALD_REFUSED
  explicit PlaceOrder(int service) : service_(service) {}
#endif
  skald::Task<skald::Nothing> run(skald::Context&, Order) override { co_return skald::Nothing{}; }

 private:
  int service_ = 0;
};
void fill(skald::Registry& registry) { registry.add_saga<PlaceOrder>(); }
