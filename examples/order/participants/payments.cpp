// Payments: moves money from the customer's account to the shop's, and back. Nobody is asked for credit here, so
// accounts may be below zero; what counts is that all of them together are worth nothing.
#include "order_types.hpp"
#include "participants/participants.hpp"

namespace shop {
namespace {

using skald::participant::Item;
using skald::participant::Outcome;
using skald::participant::Refused;
using skald::participant::Transaction;

constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS money (account text PRIMARY KEY, cents bigint NOT NULL)";

constexpr const char* kMove = R"sql(
INSERT INTO money (account, cents)
SELECT account, sum(cents) FROM unnest($1::text[], $2::bigint[]) AS moved (account, cents)
GROUP BY account ORDER BY account
ON CONFLICT (account) DO UPDATE SET cents = money.cents + excluded.cents
)sql";

bool is_declined(const Charge& charge) { return charge.customer.starts_with(kDeclinedCustomer); }
Refused declined() { return {"card-declined", "the bank says no"}; }

void move(Transaction& tx, const std::string& customer, std::int64_t cents) {
  tx.exec(kMove, std::vector<std::string>{customer, "shop"}, std::vector<std::int64_t>{-cents, cents});
}

Payment charge(const Charge& charge, Transaction& tx) {
  if (is_declined(charge)) throw declined();
  move(tx, charge.customer, charge.cents);
  tx.exec(
      "INSERT INTO effect (order_id, kind, idempotency_key, subject, cents) VALUES ($1, 'charge', $2, $3, "
      "$4)",
      charge.order, tx.idempotency_key(), charge.customer, charge.cents);
  return {"payment-" + charge.order};
}

void refund(const Refund& refund, Transaction& tx) {
  const auto undone = tx.exec(
      "INSERT INTO effect (order_id, kind, idempotency_key, subject, cents) "
      "SELECT order_id, 'refund', idempotency_key, subject, cents FROM effect "
      "WHERE order_id = $1 AND kind = 'charge' LIMIT 1 RETURNING subject, cents",
      refund.order);
  move(tx, std::string(undone.text(0, 0)), -undone.integer(0, 1));
}

/// The same as charge, for many with two statements.
std::vector<Outcome<Payment>> charge_many(std::span<const Item<Charge>> items, Transaction& tx) {
  std::vector<Outcome<Payment>> outcomes;
  std::vector<std::string> accounts, orders, keys, customers;
  std::vector<std::int64_t> moved, cents;
  std::int64_t total_cents = 0;
  for (const auto& [charge, key, saga_id, attempt] : items) {
    if (is_declined(charge)) {
      outcomes.emplace_back(declined());
      continue;
    }
    outcomes.emplace_back(Payment{"payment-" + charge.order});
    orders.push_back(charge.order);
    keys.emplace_back(key);
    customers.push_back(charge.customer);
    cents.push_back(charge.cents);
    accounts.push_back(charge.customer);
    moved.push_back(-charge.cents);
    total_cents += charge.cents;
  }
  accounts.emplace_back("shop");
  moved.push_back(total_cents);
  tx.exec(kMove, accounts, moved);
  tx.exec(
      "INSERT INTO effect (order_id, kind, idempotency_key, subject, cents) "
      "SELECT order_id, 'charge', idempotency_key, customer, cents "
      "FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS paid (order_id, idempotency_key, "
      "customer, cents)",
      orders, keys, customers, cents);
  return outcomes;
}

}  // namespace

void add_payments(skald::participant::Service& service) {
  service.schema_sql(kEffectTable);
  service.schema_sql(kTables);
  service.on<Charge, Payment>("charge-card",
                              {.execute = charge, .compensate = refund, .execute_batch = charge_many});
}

}  // namespace shop
