// The order saga's three participants: each adds its step and tables to a service. What took effect stands in their
// table `effect`, one row each time it happened, so that anybody can count: once done, at most once undone.
#pragma once

#include <memory>

#include "ports/bus.hpp"
#include "skald/participant.hpp"

namespace shop {

/// stock (sku, initial, available): initial - available = reserve - release, for each sku.
void add_inventory(skald::participant::Service& service);
/// money (account, cents): the sum over all accounts is 0; "shop" has charge - refund.
void add_payments(skald::participant::Service& service);
/// parcel (order_id, tracking, state): shipped = ship - recall.
void add_shipping(skald::participant::Service& service);

/// A bus on which the successes of silent customers' shipments are never sent.
std::unique_ptr<skald::Bus> without_silent_replies(skald::Bus& bus);

/// Common to the three: kind is reserve, release, charge, refund, ship or recall.
inline constexpr const char* kEffectTable = R"sql(
CREATE TABLE IF NOT EXISTS effect (
  order_id        text NOT NULL,
  kind            text NOT NULL,
  idempotency_key text NOT NULL,
  subject         text NOT NULL,
  cents           bigint NOT NULL DEFAULT 0,
  happened_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS effect_order ON effect (order_id)
)sql";

}  // namespace shop
