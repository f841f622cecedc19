// An orchestrator before and after a deploy: built with REVISIONS 1 it knows the first revision of its saga, with 2 both;
// with 3 somebody changed the first and gave it no new number.
#include "skald/skald.hpp"

namespace {

struct Order {
  std::string id;
};
SKALD_FIELDS(Order, id)

template <int kRevision>
class Way : public skald::LocalStep<Order, Order> {
 public:
  static constexpr std::string_view name = kRevision == 1 ? "old-way" : "new-way";
  static constexpr skald::NoCompensation compensation{"nothing happened"};
  Order execute(const Order& order, skald::StepContext&) override {
    return {std::string(name) + " " + order.id};
  }
};

template <int kRevision>
struct Deliver : skald::Saga<Order, Order> {
  static constexpr std::string_view name = "deliver";
  static constexpr int revision = kRevision;
  static constexpr std::array signals{skald::signal<skald::Nothing>("go")};
  skald::Task<Order> run(skald::Context& saga, Order order) override {
#if REVISIONS == 3
    co_await saga.step<Way<2>>(order);
#endif
    co_await saga.signal<skald::Nothing>("go");
    co_return co_await saga.step<Way<kRevision>>(order);
  }
};

}  // namespace

int main(int argc, char** argv) {
  skald::Registry registry;
  registry.add_step<Way<1>>();
  registry.add_saga<Deliver<1>>();
#if REVISIONS > 1
  registry.add_step<Way<2>>();
#endif
#if REVISIONS == 2
  registry.add_saga<Deliver<2>>();
#endif
  return skald::main(argc, argv, registry);
}
