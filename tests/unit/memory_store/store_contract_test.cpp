// The store contract on the memory store, its time a number.
#include <atomic>

#include "contract/store_contract.hpp"
#include "memory/memory_store.hpp"

namespace skald::contract {
namespace {

class SettableClock : public Clock {
 public:
  std::chrono::nanoseconds monotonic() const override { return wall().time_since_epoch(); }
  Time wall() const override { return Time{std::chrono::milliseconds{now_ms_.load()}}; }
  void advance(std::chrono::milliseconds span) { now_ms_ += span.count(); }

 private:
  std::atomic<std::int64_t> now_ms_{1'700'000'000'000};
};

class MemoryHarness : public StoreHarness {
 public:
  Store& store() override { return store_; }
  void let_time_pass(std::chrono::milliseconds span) override { clock_.advance(span); }

 private:
  SettableClock clock_;
  memory::MemoryStore store_{clock_};
};

std::unique_ptr<StoreHarness> make_memory_store() { return std::make_unique<MemoryHarness>(); }

}  // namespace

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(&make_memory_store));

}  // namespace skald::contract
