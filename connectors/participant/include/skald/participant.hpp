// The participant's SDK: a process that executes command steps with PostgreSQL. Its promise: each idempotency key
// takes effect once and is undone at most once, whatever is repeated, reordered or killed, because the inbox row, the
// effect and the reply stand in one transaction of the participant's own database. docs/participants.md has the table.
//
//   int main(int argc, char** argv) {
//     skald::participant::Service service{skald::participant::Options::from(argc, argv)};
//     service.on<Order, Reservation>("reserve-stock", {
//         .execute = [](const Order& order, Transaction& tx) -> Reservation { … tx.exec("UPDATE …", order.sku) … },
//         .compensate = [](const Release& release, Transaction& tx) { … }});
//     return service.run();
//   }
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "skald/participant/handlers.hpp"
#include "skald/participant/transaction.hpp"

namespace skald {
class Bus;
}

namespace skald::participant {

struct Options {
  std::string kafka = "127.0.0.1:9092";  ///< bootstrap servers; --kafka, SKALD_KAFKA
  std::string postgres{};                ///< libpq URI, empty: PG* variables; --postgres, SKALD_POSTGRES
  std::string group{};                   ///< consumer group; --group, SKALD_GROUP; default: the schema
  std::vector<std::string> topics{};     ///< of commands; --topic (repeated or comma-separated), SKALD_TOPIC
  std::string schema{};                  ///< this participant's own; --schema, SKALD_SCHEMA
  /// Any librdkafka property; --kafka-property name=value.
  std::map<std::string, std::string> kafka_properties{};
  /// Where the outcome events of the sagas come; --lifecycle-topic, SKALD_LIFECYCLE_TOPIC. Empty: inbox rows stay.
  std::string lifecycle_topic{};
  /// Inbox rows go this long after their saga's end; --inbox-retention-hours. Longer than any command can come again:
  /// than the longest expiry, and than the topics of commands keep their records.
  std::chrono::seconds inbox_retention = std::chrono::hours(24 * 14);
  std::chrono::milliseconds purge_interval{10'000};
  std::size_t maximum_batch = 500;    ///< commands a transaction; --batch
  std::size_t maximum_in_flight = 8;  ///< committed batches whose replies Kafka has not acknowledged
  std::chrono::milliseconds drain_timeout{10'000};  ///< at SIGTERM, for replies under way
  /// What this process does of all its steps together, besides each step's own limits.
  StepLimits limits{};
  /// Changes of limits, each STEP.KEY=VALUE with the names of StepLimits, like charge-card.breaker.failures=5; `*` for
  /// all steps together; --limit (repeated or comma-separated), SKALD_LIMIT.
  std::vector<std::string> limit_changes{};
  /// Reads all partitions of `topics` without joining a group (one process only: tests, `dev`).
  bool assign_all = false;
  /// SIGTERM and SIGINT end run(); from() sets it.
  bool handle_signals = false;
  /// SKALD_UNSAFE_NO_INBOX=1: breaks the promise on purpose, to prove that a check notices. Never otherwise.
  bool unsafe_without_inbox = false;

  /// Flags first, then environment, then `defaults`. Wrong ones: one line on stderr and exit code 2.
  static Options from(int argc, char** argv, Options defaults);
  static Options from(int argc, char** argv) { return from(argc, argv, Options()); }
};

/// Counted since the process started; for logs and tests.
struct Statistics {
  std::atomic<std::uint64_t> executed{0};     ///< actions that took effect
  std::atomic<std::uint64_t> compensated{0};  ///< compensations that undid an effect
  std::atomic<std::uint64_t> cancelled{0};    ///< compensations that found nothing to undo
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> retryable{0};
  std::atomic<std::uint64_t> repeated{0};  ///< answered from the inbox
  std::atomic<std::uint64_t> expired{0};
  std::atomic<std::uint64_t> dead_letters{0};
  std::atomic<std::uint64_t> batches{0};
  std::atomic<std::uint64_t> waiting{0};        ///< now: commands read that their limits let wait
  std::atomic<std::uint64_t> breakers_open{0};  ///< now: of this process, half-open ones included
};

/// The bus on Kafka these options name; for those who put something between it and the service. Options that cannot
/// work: one line on stderr and exit code 2.
[[nodiscard]] std::unique_ptr<Bus> open_bus(const Options& options);

class Service {
 public:
  /// Connects to nothing yet.
  explicit Service(Options options);
  /// With a bus of the caller's, which must outlive the service.
  Service(Options options, Bus& bus);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Before run(). `name` is the step's name; each once.
  template <class Input, class Output>
  void on(std::string_view name, Handlers<Input, Output> handlers) {
    add(name, handlers.erased());
  }
  /// SQL for the participant's own tables, applied at start in its schema: say IF NOT EXISTS.
  void schema_sql(std::string sql);

  /// Serves until SIGTERM, SIGINT or stop(); then finishes what is under way. PostgreSQL or Kafka absent: waits.
  /// The exit code: 0, 77 or 78 for credentials or a configuration that are refused.
  int run();
  /// From any thread or signal handler.
  void stop() noexcept;

  [[nodiscard]] const Statistics& statistics() const noexcept;

 private:
  void add(std::string_view name, detail::Step step);

  class State;
  std::unique_ptr<State> state_;
};

}  // namespace skald::participant
