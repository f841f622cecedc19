// Opening: one connection, checked against the schema before anything is prepared on it.
#include "postgres/postgres_store.hpp"

#include "postgres/session.hpp"
#include "postgres/watchdog.hpp"

namespace skald::postgres {

PostgresStore::PostgresStore(StoreOptions options)
    : options_(std::make_shared<const StoreOptions>(std::move(options))),
      watchdog_(std::make_shared<Watchdog>()) {}

PostgresStore::~PostgresStore() = default;

Result<std::unique_ptr<Session>> PostgresStore::open() {
  auto session = std::make_unique<PostgresSession>(options_, watchdog_);
  if (auto connected = session->connect(); !connected) return connected.error();
  return std::unique_ptr<Session>{std::move(session)};
}

int PostgresStore::connections() const { return watchdog_->connections.load(); }

Result<void> PostgresStore::claim_slots() {
  PostgresSession session(options_, watchdog_);
  return session.claim_slots();
}

}  // namespace skald::postgres
