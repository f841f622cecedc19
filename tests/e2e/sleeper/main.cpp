// An orchestrator whose one saga only sleeps, for as many milliseconds as its input says.
#include "skald/skald.hpp"

namespace {

struct Nap {
  std::int64_t milliseconds = 0;
};
SKALD_FIELDS(Nap, milliseconds)

struct TakeNap : skald::Saga<Nap, Nap> {
  static constexpr std::string_view name = "take-nap";
  skald::Task<Nap> run(skald::Context& saga, Nap nap) override {
    co_await saga.sleep(std::chrono::milliseconds{nap.milliseconds});
    co_return nap;
  }
};

}  // namespace

int main(int argc, char** argv) {
  skald::Registry registry;
  registry.add_saga<TakeNap>();
  return skald::main(argc, argv, registry);
}
