// The memory bus keeps the contract of the Bus.
#include "contract/bus_contract.hpp"
#include "memory/memory_bus.hpp"

namespace skald::contract {
namespace {

class MemoryHarness final : public BusHarness {
 public:
  Bus& bus() override { return bus_; }
  std::string unique(const std::string& name) override { return name + "-" + std::to_string(++names_); }

 private:
  memory::MemoryBus bus_;
  int names_ = 0;
};

std::unique_ptr<BusHarness> make_harness() { return std::make_unique<MemoryHarness>(); }

}  // namespace

INSTANTIATE_TEST_SUITE_P(Memory, BusContract, ::testing::Values(&make_harness));

}  // namespace skald::contract
