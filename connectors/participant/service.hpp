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

#include "backlog.hpp"
#include "batch.hpp"
#include "command_limits.hpp"
#include "log.hpp"
#include "ports/bus.hpp"
#include "postgres.hpp"
#include "publisher.hpp"
#include "reader.hpp"
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
  using Work = detail::Work;

  [[nodiscard]] bool stopping() const noexcept;
  bool prepare_limits();
  bool open_bus();
  [[nodiscard]] Result<void> check_topics();
  bool connect();
  void disconnect(const std::string& reason);
  void loop();
  void read();
  void take_in(std::vector<Record> records);
  [[nodiscard]] std::chrono::milliseconds poll_timeout() const;
  [[nodiscard]] bool publisher_has_room() const;
  [[nodiscard]] bool must_restart() const;
  [[nodiscard]] Work decode(std::vector<Record> records) const;
  void add(Work admitted);
  void purge();
  void execute(Work& work);
  void execute_span(Work& work, std::size_t first, std::size_t count, std::vector<detail::Outgoing>& outgoing,
                    std::vector<std::size_t>& put_off);
  void conclude(Work& work, std::vector<detail::Outgoing> outgoing, const std::vector<std::size_t>& put_off);
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
  std::optional<detail::CommandLimits> limits_;
  std::optional<detail::Backlog> backlog_;
  std::uint64_t assignments_ = 0;  ///< of the reader, when the backlog was last looked at
  std::optional<Work> work_;       ///< executed, or waiting for its next attempt
  std::optional<Clock::time_point> blocked_since_;
  Clock::time_point next_purge_{};
  detail::LogLimit kafka_away_;
  detail::LogLimit handler_broke_;
  std::vector<detail::ReadPosition> positions_;  ///< acknowledged, not yet recorded
};

}  // namespace skald::participant
