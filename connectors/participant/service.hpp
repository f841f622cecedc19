// The service's loop: poll, one transaction a batch, publish, record positions. All of it on the thread that calls
// run(); only stop() and the delivery callbacks come from elsewhere.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "batch.hpp"
#include "log.hpp"
#include "ports/bus.hpp"
#include "postgres.hpp"
#include "publisher.hpp"
#include "reader.hpp"
#include "retention.hpp"
#include "skald/participant.hpp"

namespace skald::participant {

class Service::State {
 public:
  State(Options options, Bus& bus) : options_(std::move(options)), bus_(&bus) {}
  State(Options options, std::unique_ptr<Bus> bus)
      : owned_bus_(std::move(bus)), options_(std::move(options)), bus_(owned_bus_.get()) {}

  void add(std::string_view name, detail::Step step);
  void add_schema_sql(std::string sql) { schema_sql_ += std::move(sql) + ";\n"; }
  int run();
  void stop() noexcept { stopped_.store(true); }
  [[nodiscard]] const Statistics& statistics() const noexcept { return statistics_; }

 private:
  using Clock = std::chrono::steady_clock;

  /// Records read and not yet committed.
  struct Work {
    std::vector<Record> records;
    std::vector<wire::Command> commands;
    std::vector<std::size_t> command_records;  ///< the record of each command
    std::vector<detail::Outgoing> dead_letters;
    std::vector<detail::EndedSaga> ended_sagas;
    int attempts = 0;
    Clock::time_point next_attempt{};
  };

  [[nodiscard]] bool stopping() const noexcept;
  bool open_bus();
  [[nodiscard]] Result<void> check_topics();
  bool connect();
  void disconnect(const std::string& reason);
  void loop();
  void read();
  [[nodiscard]] Work decode(std::vector<Record> records) const;
  void join(Work arrived);
  void purge();
  void execute(Work& work);
  void execute_span(Work& work, std::size_t first, std::size_t count,
                    std::vector<detail::Outgoing>& outgoing);
  void postpone(Work& work, const std::string& reason);
  void collect_positions();
  void save_positions_when_idle();
  void commit_and_clear_positions();
  void drain();
  void wait(std::chrono::milliseconds timeout);

  std::unique_ptr<Bus> owned_bus_;
  Options options_;
  Bus* bus_;
  detail::Steps steps_;
  std::string schema_sql_;
  Statistics statistics_;
  std::atomic<bool> stopped_{false};
  int exit_code_ = 0;

  std::optional<detail::Connection> connection_;
  Clock::time_point next_connect_{};
  int connect_attempts_ = 0;
  std::unique_ptr<detail::Reader> reader_;
  std::unique_ptr<Producer> producer_;
  std::unique_ptr<detail::Publisher> publisher_;
  std::unique_ptr<Consumer> consumer_;
  std::optional<Work> work_;
  std::optional<Clock::time_point> blocked_since_;
  Clock::time_point next_purge_{};
  detail::LogLimit kafka_away_;
  detail::LogLimit handler_broke_;
  std::vector<detail::ReadPosition> positions_;  ///< acknowledged, not yet recorded
};

}  // namespace skald::participant
