// What the order saga and its three participants say to each other: inputs, outputs and compensations of the three
// command steps, their topics, and the contents by which the demo makes a participant fail. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "skald/fields.hpp"

namespace shop {

struct Order {
  std::string id;
  std::string customer;
  std::string sku;
  std::int64_t total_cents = 0;
};
SKALD_FIELDS(Order, id, customer, sku, total_cents)

// reserve-stock, done by inventory
struct Reservation {
  std::string id;
  std::string warehouse;
};
SKALD_FIELDS(Reservation, id, warehouse)
struct Release {
  std::string order;
  std::optional<std::string> reservation;  ///< empty: nobody knows whether there is one
};
SKALD_FIELDS(Release, order, reservation)

// charge-card, done by payments
struct Charge {
  std::string order;
  std::string customer;
  std::int64_t cents = 0;
};
SKALD_FIELDS(Charge, order, customer, cents)
struct Payment {
  std::string id;
};
SKALD_FIELDS(Payment, id)
struct Refund {
  std::string order;
  std::optional<std::string> payment;
};
SKALD_FIELDS(Refund, order, payment)

// ship-order, done by shipping
struct Shipment {
  std::string order;
  std::string customer;
  std::string warehouse;
};
SKALD_FIELDS(Shipment, order, customer, warehouse)
struct Parcel {
  std::string tracking;
};
SKALD_FIELDS(Parcel, tracking)
struct Recall {
  std::string order;
  std::optional<std::string> tracking;
};
SKALD_FIELDS(Recall, order, tracking)

struct Receipt {
  std::string payment;
  std::string tracking;
};
SKALD_FIELDS(Receipt, payment, tracking)

inline constexpr std::string_view kInventoryTopic = "inventory.commands";
inline constexpr std::string_view kPaymentsTopic = "payments.commands";
inline constexpr std::string_view kShippingTopic = "shipping.commands";

/// What inventory has; of every other sku there is none.
inline constexpr std::string_view kSkus[] = {"book", "lamp", "chair", "table", "flaky-shelf"};

// --- orders that meet trouble ---

/// Out of stock at the first step: refused for good.
inline constexpr std::string_view kSoldOutSku = "sold-out";
/// Inventory is flaky: the first two attempts fail and may be retried, the third succeeds.
inline constexpr std::string_view kFlakySku = "flaky-shelf";
/// Customers of this prefix: the card is declined, not retryable.
inline constexpr std::string_view kDeclinedCustomer = "declined-";
/// Customers of this prefix: no carrier goes there, refused for good at the last step.
inline constexpr std::string_view kRemoteCustomer = "remote-";
/// Customers of this prefix: the parcel is shipped, and the reply never leaves shipping.
inline constexpr std::string_view kSilentCustomer = "silent-";

}  // namespace shop
