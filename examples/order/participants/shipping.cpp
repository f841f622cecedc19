// Shipping: sends parcels and calls them back. For silent customers the parcel goes out and the reply does not: the
// saga cannot know, and calls the parcel back.
#include "order_types.hpp"
#include "participants/participants.hpp"

namespace shop {
namespace {

using skald::participant::Item;
using skald::participant::Outcome;
using skald::participant::Refused;
using skald::participant::Transaction;

constexpr const char* kTables = R"sql(
CREATE TABLE IF NOT EXISTS parcel (order_id text NOT NULL, tracking text NOT NULL, state text NOT NULL);
CREATE INDEX IF NOT EXISTS parcel_order ON parcel (order_id)
)sql";

constexpr std::string_view kSilentParcel = R"({"tracking":"silent-)";

std::string tracking_of(const Shipment& shipment) {
  return (shipment.customer.starts_with(kSilentCustomer) ? "silent-" : "parcel-") + shipment.order;
}

bool is_remote(const Shipment& shipment) { return shipment.customer.starts_with(kRemoteCustomer); }
Refused no_carrier() { return {"no-carrier", "nobody drives there"}; }

/// One row each in parcel and effect.
constexpr const char* kShip = R"sql(
WITH shipped AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS given (order_id, idempotency_key, tracking)
), sent AS (
  INSERT INTO parcel (order_id, tracking, state) SELECT order_id, tracking, 'shipped' FROM shipped
)
INSERT INTO effect (order_id, kind, idempotency_key, subject)
SELECT order_id, 'ship', idempotency_key, tracking FROM shipped
)sql";

Parcel ship(const Shipment& shipment, Transaction& tx) {
  if (is_remote(shipment)) throw no_carrier();
  const auto tracking = tracking_of(shipment);
  const std::vector<std::string> orders{shipment.order}, keys{std::string(tx.idempotency_key())},
      parcels{tracking};
  tx.exec(kShip, orders, keys, parcels);
  return {tracking};
}

void recall(const Recall& recall, Transaction& tx) {
  tx.exec("UPDATE parcel SET state = 'recalled' WHERE order_id = $1", recall.order);
  tx.exec(
      "INSERT INTO effect (order_id, kind, idempotency_key, subject) "
      "SELECT order_id, 'recall', idempotency_key, subject FROM effect "
      "WHERE order_id = $1 AND kind = 'ship' LIMIT 1",
      recall.order);
}

std::vector<Outcome<Parcel>> ship_many(std::span<const Item<Shipment>> items, Transaction& tx) {
  std::vector<Outcome<Parcel>> outcomes;
  std::vector<std::string> orders, keys, parcels;
  for (const auto& [shipment, key, saga_id, attempt] : items) {
    if (is_remote(shipment)) {
      outcomes.emplace_back(no_carrier());
      continue;
    }
    orders.push_back(shipment.order);
    keys.emplace_back(key);
    parcels.push_back(tracking_of(shipment));
    outcomes.emplace_back(Parcel{parcels.back()});
  }
  tx.exec(kShip, orders, keys, parcels);
  return outcomes;
}

/// Swallows what it should send, and says it was sent.
class SilentProducer : public skald::Producer {
 public:
  explicit SilentProducer(std::unique_ptr<skald::Producer> producer) : producer_(std::move(producer)) {}
  skald::Result<void> produce(const skald::Message& message, Callback callback) override {
    if (!message.value || !message.value->starts_with(kSilentParcel))
      return producer_->produce(message, std::move(callback));
    callback(skald::Delivery::kAcknowledged, {});
    return {};
  }
  bool flush(std::chrono::milliseconds timeout) override { return producer_->flush(timeout); }

 private:
  std::unique_ptr<skald::Producer> producer_;
};

class SilentBus : public skald::Bus {
 public:
  explicit SilentBus(skald::Bus& bus) : bus_(bus) {}
  skald::Result<std::unique_ptr<skald::Consumer>> consumer(const skald::ConsumerSpec& spec,
                                                           skald::RebalanceListener& listener) override {
    return bus_.consumer(spec, listener);
  }
  skald::Result<std::unique_ptr<skald::Producer>> producer() override {
    auto producer = bus_.producer();
    if (!producer) return producer.error();
    return std::unique_ptr<skald::Producer>(std::make_unique<SilentProducer>(std::move(producer).value()));
  }
  skald::Result<std::string> cluster_id(std::chrono::milliseconds timeout) override {
    return bus_.cluster_id(timeout);
  }
  skald::Result<std::map<std::string, std::int32_t>> partition_counts(
      std::span<const std::string> topics, std::chrono::milliseconds timeout) override {
    return bus_.partition_counts(topics, timeout);
  }
  skald::Result<void> create_topics(std::span<const std::string> topics, std::int32_t partitions) override {
    return bus_.create_topics(topics, partitions);
  }

 private:
  skald::Bus& bus_;
};

}  // namespace

void add_shipping(skald::participant::Service& service) {
  service.schema_sql(kEffectTable);
  service.schema_sql(kTables);
  service.on<Shipment, Parcel>("ship-order",
                               {.execute = ship, .compensate = recall, .execute_batch = ship_many});
}

std::unique_ptr<skald::Bus> without_silent_replies(skald::Bus& bus) {
  return std::make_unique<SilentBus>(bus);
}

}  // namespace shop
