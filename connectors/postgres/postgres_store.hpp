// Store on PostgreSQL: the truth about every saga, in the tables of migrations/. PostgresStore is immutable and
// thread-safe; each Session it opens is one connection of one thread, and reconnects on its next call after a break.
// Nothing is retried inside a call, and every call ends within connect_timeout plus call_timeout, whatever the server
// and the network do.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "ports/store.hpp"
#include "wire/slots.hpp"

namespace skald::postgres {

struct StoreOptions {
  std::string uri;  ///< libpq URI or key=value string; what it leaves out, PG* variables give
  std::string schema = "skald";
  std::string namespace_name = "default";  ///< sessions see only what is of this namespace
  /// The slots this process takes the database to have: no incarnation is registered if the database says otherwise.
  /// nullopt: for reading only.
  std::optional<wire::SlotSet> slots = std::nullopt;
  std::string application_name = "skald";
  std::chrono::milliseconds connect_timeout{5000};
  // All below Kafka's default session timeout (45 s): a process that stops in mid-transaction blocks nobody for longer.
  std::chrono::milliseconds lock_timeout{5000};
  std::chrono::milliseconds idle_in_transaction_timeout{10000};
  std::chrono::milliseconds statement_timeout{20000};
  std::chrono::milliseconds call_timeout{30000};  ///< of all statements of a call, kept by this process
};

class Watchdog;

class PostgresStore : public Store {
 public:
  explicit PostgresStore(StoreOptions options);
  ~PostgresStore() override;
  /// Connects and checks that the schema fits this binary. kUnavailable: not reached now; kRefused: credentials, or
  /// a schema this binary does not fit (Migrator says which).
  Result<std::unique_ptr<Session>> open() override;
  /// Does the database have the slots of the options? Recorded, if nobody has worked on it yet. kRefused (SKALD-339):
  /// it has others.
  Result<void> claim_slots();
  /// Open now, in all its sessions.
  [[nodiscard]] int connections() const;

 private:
  std::shared_ptr<const StoreOptions> options_;
  std::shared_ptr<Watchdog> watchdog_;  ///< sessions hold it too
};

}  // namespace skald::postgres
