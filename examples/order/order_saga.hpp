// The order saga: reserve the stock, charge the card, ship the parcel; what fails rolls back what took effect. Three
// participants do the steps (participants/), this says only in which order and what undoes what.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "order_types.hpp"
#include "skald/skald.hpp"

namespace shop {

using namespace std::chrono_literals;

struct ReserveStock : skald::CommandStep<Order, Reservation> {
  static constexpr std::string_view name = "reserve-stock", topic = kInventoryTopic;
  static constexpr skald::StepOptions options{
      .schedule_to_close = 2min,
      .retry = {.initial_interval = 200ms, .maximum_attempts = 5, .non_retryable = {"out-of-stock"}}};
  static Release compensation(const Order& order, const std::optional<Reservation>& reserved) {
    return {order.id, reserved ? std::optional(reserved->id) : std::nullopt};
  }
};

struct ChargeCard : skald::CommandStep<Charge, Payment> {
  static constexpr std::string_view name = "charge-card", topic = kPaymentsTopic;
  static constexpr skald::StepOptions options{
      .schedule_to_close = 2min, .retry = {.maximum_attempts = 5, .non_retryable = {"card-declined"}}};
  static Refund compensation(const Charge& charge, const std::optional<Payment>& payment) {
    return {charge.order, payment ? std::optional(payment->id) : std::nullopt};
  }
};

struct ShipOrder : skald::CommandStep<Shipment, Parcel> {
  static constexpr std::string_view name = "ship-order", topic = kShippingTopic;
  static constexpr skald::StepOptions options{.schedule_to_close = 1min};
  static Recall compensation(const Shipment& shipment, const std::optional<Parcel>& parcel) {
    return {shipment.order, parcel ? std::optional(parcel->tracking) : std::nullopt};
  }
};

class PlaceOrder : public skald::Saga<Order, Receipt> {
 public:
  static constexpr std::string_view name = "place-order";

  skald::Task<Receipt> run(skald::Context& saga, Order order) override {
    const Reservation stock = co_await saga.step<ReserveStock>(order);
    const Payment payment = co_await saga.step<ChargeCard>(order.id, order.customer, order.total_cents);
    const Parcel parcel = co_await saga.step<ShipOrder>(order.id, order.customer, stock.warehouse);
    co_return Receipt{payment.id, parcel.tracking};
  }
};

}  // namespace shop
