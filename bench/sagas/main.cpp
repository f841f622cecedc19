// bench-sagas: the sagas of the benchmarks that the order example does not have: one of local steps only, one of many
// steps, one that sleeps. Run like any orchestrator: `bench-sagas serve --config FILE`.
#include "sagas.hpp"

int main(int argc, char** argv) {
  skald::Registry registry;
  const auto start = [](const shop::Order& event,
                        const skald::Record&) -> std::optional<skald::Start<shop::Order>> {
    return skald::Start<shop::Order>{.saga_id = event.id, .input = event};
  };
  registry.add_saga<bench::LocalOrder>().trigger("local-order", start);
  registry.add_saga<bench::LongOrder>().trigger("long-order", start);
  registry.add_saga<bench::TakeNap>().trigger(
      "nap",
      [](const bench::Nap& nap, const skald::Record& record) -> std::optional<skald::Start<bench::Nap>> {
        return skald::Start<bench::Nap>{.saga_id = record.key.value_or(""), .input = nap};
      });
  registry.add_step<bench::Reserve>().add_step<bench::Charge>().add_step<bench::Ship>();
  return skald::main(argc, argv, registry);
}
