// Inventory: takes one piece of a sku from the stock, and puts it back.
#include <map>

#include "order_types.hpp"
#include "participants/participants.hpp"

namespace shop {
namespace {

using skald::participant::Item;
using skald::participant::Outcome;
using skald::participant::Refused;
using skald::participant::Retry;
using skald::participant::Transaction;

constexpr int kFlakyAttempts = 2;

constexpr const char* kTables = R"sql(
CREATE TABLE IF NOT EXISTS stock (
  sku       text PRIMARY KEY,
  initial   bigint NOT NULL,
  available bigint NOT NULL CHECK (available >= 0)
);
INSERT INTO stock (sku, initial, available)
SELECT sku, 1000000000, 1000000000 FROM unnest('{book,lamp,chair,table,flaky-shelf}'::text[]) AS sku
ON CONFLICT DO NOTHING
)sql";

Reservation reservation_of(const Order& order) { return {"reservation-" + order.id, "north"}; }
bool is_flaky(const Order& order, int attempt) { return order.sku == kFlakySku && attempt <= kFlakyAttempts; }

Reservation reserve(const Order& order, Transaction& tx) {
  if (is_flaky(order, tx.attempt())) throw Retry("shelf-blocked", "somebody stands before it");
  const auto taken =
      tx.exec("UPDATE stock SET available = available - 1 WHERE sku = $1 AND available > 0", order.sku);
  if (taken.affected() == 0) throw Refused("out-of-stock", "no " + order.sku + " left");
  tx.exec("INSERT INTO effect (order_id, kind, idempotency_key, subject) VALUES ($1, 'reserve', $2, $3)",
          order.id, tx.idempotency_key(), order.sku);
  return reservation_of(order);
}

void release(const Release& release, Transaction& tx) {
  const auto undone = tx.exec(
      "INSERT INTO effect (order_id, kind, idempotency_key, subject) "
      "SELECT order_id, 'release', idempotency_key, subject FROM effect "
      "WHERE order_id = $1 AND kind = 'reserve' LIMIT 1 RETURNING subject",
      release.order);
  tx.exec("UPDATE stock SET available = available + 1 WHERE sku = $1", undone.text(0, 0));
}

/// The same as reserve, for many orders with three statements.
std::vector<Outcome<Reservation>> reserve_many(std::span<const Item<Order>> items, Transaction& tx) {
  std::map<std::string, std::int64_t> available;
  for (const auto& item : items) available[item.input.sku] = 0;
  std::vector<std::string> skus;
  for (const auto& [sku, pieces] : available) skus.push_back(sku);
  const auto stock =
      tx.exec("SELECT sku, available FROM stock WHERE sku = ANY ($1::text[]) ORDER BY sku FOR UPDATE", skus);
  for (std::size_t row = 0; row < stock.size(); ++row)
    available[std::string(stock.text(row, 0))] = stock.integer(row, 1);

  std::vector<Outcome<Reservation>> outcomes;
  std::vector<std::string> orders, keys, subjects;
  for (const auto& [order, key, saga_id, attempt] : items) {
    if (is_flaky(order, attempt)) {
      outcomes.emplace_back(Retry("shelf-blocked", "somebody stands before it"));
    } else if (available[order.sku]-- <= 0) {
      outcomes.emplace_back(Refused("out-of-stock", "no " + order.sku + " left"));
    } else {
      outcomes.emplace_back(reservation_of(order));
      orders.push_back(order.id);
      keys.emplace_back(key);
      subjects.push_back(order.sku);
    }
  }
  tx.exec(
      "UPDATE stock SET available = available - taken.pieces "
      "FROM (SELECT sku, count(*) AS pieces FROM unnest($1::text[]) AS sku GROUP BY sku) AS taken "
      "WHERE stock.sku = taken.sku",
      subjects);
  tx.exec(
      "INSERT INTO effect (order_id, kind, idempotency_key, subject) "
      "SELECT order_id, 'reserve', idempotency_key, sku "
      "FROM unnest($1::text[], $2::text[], $3::text[]) AS taken (order_id, idempotency_key, sku)",
      orders, keys, subjects);
  return outcomes;
}

}  // namespace

void add_inventory(skald::participant::Service& service) {
  service.schema_sql(kEffectTable);
  service.schema_sql(kTables);
  service.on<Order, Reservation>("reserve-stock",
                                 {.execute = reserve, .compensate = release, .execute_batch = reserve_many});
}

}  // namespace shop
