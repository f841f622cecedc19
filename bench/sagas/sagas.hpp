// The benchmarks' own sagas. Inputs are the order example's; nothing here does any work, so that what is measured is
// the orchestrator's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "order_types.hpp"
#include "skald/skald.hpp"

namespace bench {

/// A local step that answers at once; its compensation does nothing.
template <const char* kName>
class Instant : public skald::LocalStep<shop::Order, shop::Payment> {
 public:
  static constexpr std::string_view name = kName;
  shop::Payment execute(const shop::Order& order, skald::StepContext&) override {
    if (refuses && order.customer.starts_with(shop::kRemoteCustomer))
      throw skald::StepFailed("no-carrier", "nobody goes there", skald::Retry::never);
    return {order.id};
  }
  void compensate(const shop::Order&, const std::optional<shop::Payment>&, skald::StepContext&) override {}

 private:
  static constexpr bool refuses = name == "ship";
};
inline constexpr char kReserve[] = "reserve";
inline constexpr char kCharge[] = "charge";
inline constexpr char kShip[] = "ship";
using Reserve = Instant<kReserve>;
using Charge = Instant<kCharge>;
using Ship = Instant<kShip>;

/// Three local steps, the same orders and the same rollbacks as the order saga.
class LocalOrder : public skald::Saga<shop::Order, shop::Receipt> {
 public:
  static constexpr std::string_view name = "local-order";
  skald::Task<shop::Receipt> run(skald::Context& saga, shop::Order order) override {
    co_await saga.step<Reserve>(order);
    const auto payment = co_await saga.step<Charge>(order);
    const auto parcel = co_await saga.step<Ship>(order);
    co_return shop::Receipt{payment.id, parcel.id};
  }
};

/// A command step that the floor's participants answer (bench/floor/participants.cpp).
struct Next : skald::CommandStep<shop::Order, shop::Reservation> {
  static constexpr std::string_view name = "reserve-stock", topic = shop::kInventoryTopic;
  static constexpr skald::NoCompensation compensation{"a benchmark's step changes nothing"};
};

inline constexpr int kLongSteps = 1'000;

class LongOrder : public skald::Saga<shop::Order, shop::Receipt> {
 public:
  static constexpr std::string_view name = "long-order";
  skald::Task<shop::Receipt> run(skald::Context& saga, shop::Order order) override {
    for (int step = 0; step < kLongSteps; ++step) co_await saga.step<Next>(order);
    co_return shop::Receipt{order.id, order.id};
  }
};

struct Nap {
  std::int64_t until_ms = 0;  ///< since 1970
};
SKALD_FIELDS(Nap, until_ms)

/// Sleeps until a time, and ends.
class TakeNap : public skald::Saga<Nap, Nap> {
 public:
  static constexpr std::string_view name = "take-nap";
  skald::Task<Nap> run(skald::Context& saga, Nap nap) override {
    co_await saga.sleep_until(skald::Time{std::chrono::milliseconds{nap.until_ms}});
    co_return nap;
  }
};

}  // namespace bench
