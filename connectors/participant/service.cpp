// The loop of a participant. Whatever fails here is tried again, with the records kept: a command is given up only by
// becoming a dead letter.
#include "service.hpp"

#include <algorithm>
#include <csignal>
#include <set>
#include <stdexcept>
#include <utility>

#include "log.hpp"
#include "retention.hpp"
#include "wire/dead_letter.hpp"

namespace skald::participant {

using namespace std::chrono_literals;

namespace {

constexpr auto kPollTimeout = 100ms;
constexpr auto kLongestBackoff = 5000ms;
constexpr auto kBlockedBeforePause = 1000ms;
constexpr std::size_t kMaximumBytesInFlight = std::size_t{64} << 20;
/// Rounds of a batch that may fail on a deadlock or lock timeout before the handler's failure is answered.
constexpr int kConflictRounds = 4;
constexpr int kExitRefused = 77;        ///< sysexits EX_NOPERM: PostgreSQL does not let us in
constexpr int kExitConfiguration = 78;  ///< EX_CONFIG: Kafka does not take what is configured

std::atomic<bool> signalled{false};

std::chrono::milliseconds backoff(int attempt) {
  return std::min<std::chrono::milliseconds>(kLongestBackoff, 10ms * (1 << std::min(attempt, 9)));
}

/// Errors of the data itself, not of the server, the schema or the permissions.
bool is_data_error(const SqlError& error) {
  return error.state().starts_with("22") || error.state().starts_with("23") ||
         error.state().starts_with("54");
}

detail::CommandLimits::Now limits_now() { return std::chrono::steady_clock::now().time_since_epoch(); }

}  // namespace

// --- Service -----------------------------------------------------------------------------------------------------

Service::Service(Options options) {
  auto bus = open_bus(options);
  state_ = std::make_unique<State>(std::move(options), std::move(bus));
}
Service::Service(Options options, Bus& bus) : state_(std::make_unique<State>(std::move(options), bus)) {}
Service::~Service() = default;

void Service::schema_sql(std::string sql) { state_->add_schema_sql(std::move(sql)); }
int Service::run() { return state_->run(); }
void Service::stop() noexcept { state_->stop(); }
const Statistics& Service::statistics() const noexcept { return state_->statistics(); }
void Service::add(std::string_view name, detail::Step step) { state_->add(name, std::move(step)); }

// --- set-up ------------------------------------------------------------------------------------------------------

void Service::State::add(std::string_view name, detail::Step step) {
  if (!wire::is_valid_name(name))
    throw std::invalid_argument("step name '" + std::string(name) + "' is not allowed");
  if (const auto problem = detail::problem_of(name, step.limits)) throw std::invalid_argument(*problem);
  if (!steps_.emplace(name, std::move(step)).second)
    throw std::invalid_argument("step '" + std::string(name) + "' has its handlers already");
}

bool Service::State::stopping() const noexcept {
  return stopped_.load() || (options_.handle_signals && signalled.load());
}

int Service::State::run() {
  if (options_.handle_signals) {
    struct sigaction action {};
    action.sa_handler = [](int) { signalled.store(true); };
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
  }
  if (options_.unsafe_without_inbox)
    detail::log_warning("the inbox is switched off: promises are broken on purpose",
                        {{"schema", options_.schema}});
  if (!prepare_limits()) return kExitConfiguration;
  while (!stopping() && !connect()) {
    if (exit_code_ != 0) return exit_code_;
    wait(kPollTimeout);
  }
  int attempt = 0;
  while (!stopping() && !open_bus()) {
    if (exit_code_ != 0) return exit_code_;
    wait(backoff(++attempt));
  }
  if (!stopping()) detail::log_info("serving", {{"schema", options_.schema}, {"group", options_.group}});
  loop();
  drain();
  return exit_code_;
}

bool Service::State::prepare_limits() {
  detail::CommandLimits::Limits all{{std::string(detail::kAllSteps), options_.limits}};
  for (const auto& [name, step] : steps_) all[name] = step.limits;
  const auto known = all.size();
  std::optional<std::string> problem;
  for (const auto& change : options_.limit_changes) {
    if (!problem) problem = detail::set_limit(all, change);
    if (!problem && all.size() > known) problem = "'" + change + "': this participant has no such step";
  }
  for (const auto& [name, limits] : all)
    if (!problem) problem = detail::problem_of(name, limits);
  if (problem) {
    detail::log_error("a limit cannot be", {{"option", "--limit"}, {"reason", *problem}});
    return false;
  }
  limits_.emplace(all, statistics_);
  backlog_.emplace(*limits_, statistics_, options_.maximum_batch);
  return true;
}

bool Service::State::open_bus() {
  const auto report = [this](const Error& error) {
    if (error.kind == ErrorKind::kRefused || error.kind == ErrorKind::kInvalid)
      exit_code_ = kExitConfiguration;
    if (exit_code_ != 0 || kafka_away_.pass())
      detail::log_warning("Kafka is not ready", {{"code", error.code}, {"reason", error.message}});
    return false;
  };
  if (!producer_) {
    auto producer = bus_->producer();
    if (!producer) return report(producer.error());
    producer_ = std::move(producer).value();
    publisher_ = std::make_unique<detail::Publisher>(*producer_);
  }
  const auto cluster = bus_->cluster_id(5000ms);
  if (!cluster) return report(cluster.error());
  if (const auto all = check_topics(); !all) return report(all.error());
  reader_ = std::make_unique<detail::Reader>(detail::ReaderId{*cluster, options_.group});
  reader_->use(connection_ ? &*connection_ : nullptr);
  auto topics = options_.topics;
  if (!options_.lifecycle_topic.empty()) topics.push_back(options_.lifecycle_topic);
  auto consumer = bus_->consumer({topics, options_.group, options_.assign_all}, *reader_);
  if (!consumer) return report(consumer.error());
  consumer_ = std::move(consumer).value();
  reader_->attach(*consumer_);
  return true;
}

/// Commands that cannot be understood need a place before the first is read.
Result<void> Service::State::check_topics() {
  auto wanted = options_.topics;
  for (const auto& topic : options_.topics) wanted.push_back(topic + std::string(wire::kDeadLetterSuffix));
  const auto found = bus_->partition_counts(wanted, 5000ms);
  if (!found) return found.error();
  std::string missing;
  for (const auto& topic : wanted)
    if (!found->contains(topic)) missing += (missing.empty() ? "" : ", ") + topic;
  if (missing.empty()) return {};
  return Error{ErrorKind::kUnavailable, "SKALD-313", "Kafka has no topic " + missing + "; waiting for it"};
}

bool Service::State::connect() {
  if (connection_) return true;
  if (Clock::now() < next_connect_) return false;
  try {
    connection_.emplace(options_.postgres, options_.schema);
    detail::create_tables(*connection_, options_.schema, schema_sql_);
    if (reader_) reader_->use(&*connection_);
    connect_attempts_ = 0;
    return true;
  } catch (const detail::ConnectionRefused& error) {
    // At start nobody has to wait for what will not change; later an administrator may be at work.
    if (!reader_) exit_code_ = kExitRefused;
    disconnect(error.what());
    return false;
  } catch (const std::exception& error) {
    disconnect(error.what());
    return false;
  }
}

void Service::State::disconnect(const std::string& reason) {
  detail::log_warning("PostgreSQL is not ready", {{"reason", reason}});
  if (reader_) reader_->use(nullptr);
  connection_.reset();
  next_connect_ = Clock::now() + backoff(++connect_attempts_);
}

// --- the loop ----------------------------------------------------------------------------------------------------

void Service::State::loop() {
  while (!stopping()) {
    publisher_->work();
    collect_positions();
    if (connect()) {
      try {
        if (must_restart() && !work_ && publisher_->in_flight() == 0)
          reader_->restart(Clock::now(), positions_);
        reader_->start_waiting();
        purge();
        if (!work_ && !backlog_->empty() && publisher_has_room()) add(backlog_->release(limits_now()));
        if (work_ && Clock::now() >= work_->next_attempt) execute(*work_);
      } catch (const std::exception& error) {
        disconnect(error.what());
      }
    }
    read();
  }
}

/// Reads when the next batch may be worked on; otherwise waits, and after a while keeps the membership by polling
/// with everything paused.
void Service::State::read() {
  // Before a log is read anew, nothing of the old one may be under way.
  const bool blocked = work_ || !connection_ || must_restart() || !publisher_has_room() ||
                       backlog_->bytes() >= kMaximumBytesInFlight;
  reader_->hold(backlog_->partitions());
  if (blocked) {
    if (!blocked_since_) blocked_since_ = Clock::now();
    if (Clock::now() - *blocked_since_ < kBlockedBeforePause) return wait(10ms);
    reader_->set_paused(true);
  } else {
    blocked_since_.reset();
    reader_->set_paused(false);
  }
  auto polled = consumer_->poll(options_.maximum_batch, poll_timeout());
  if (!polled) {
    if (kafka_away_.pass()) detail::log_warning("Kafka is not reached", {{"reason", polled.error().message}});
    return wait(kPollTimeout);
  }
  take_in(std::move(polled).value());
}

void Service::State::take_in(std::vector<Record> records) {
  // Before this poll partitions came or went: what was held is read anew by whoever has them now.
  if (std::exchange(assignments_, reader_->assignments()) != reader_->assignments()) backlog_->forget();
  if (records.empty()) return save_positions_when_idle();
  auto arrived = decode(reader_->without_foreign(std::move(records)));
  if (!arrived.records.empty()) add(backlog_->admit(std::move(arrived), limits_now()));
}

/// Records of a partition assigned while paused, a few at most, join what waits.
void Service::State::add(Work admitted) {
  if (admitted.records.empty()) return;
  if (work_)
    work_->join(std::move(admitted));
  else
    work_ = std::move(admitted);
}

/// Not beyond the moment when a held command may start, if nothing but its limits keeps it.
std::chrono::milliseconds Service::State::poll_timeout() const {
  if (backlog_->empty() || work_ || !connection_ || !publisher_has_room()) return kPollTimeout;
  const auto now = limits_now();
  const auto next = backlog_->next_start(now);
  if (!next) return kPollTimeout;
  return std::clamp<std::chrono::milliseconds>(std::chrono::ceil<std::chrono::milliseconds>(*next - now), 0ms,
                                               kPollTimeout);
}

/// What is held of an old log is done before the new one is read, however long its limits take.
bool Service::State::must_restart() const {
  return reader_->must_restart(Clock::now()) && !backlog_->holds_any(reader_->failed_partitions());
}

bool Service::State::publisher_has_room() const {
  return publisher_->in_flight() < options_.maximum_in_flight &&
         publisher_->bytes_in_flight() < kMaximumBytesInFlight;
}

Service::State::Work Service::State::decode(std::vector<Record> records) const {
  Work work;
  work.records = std::move(records);
  work.commands.reserve(work.records.size());
  for (std::size_t index = 0; index < work.records.size(); ++index) {
    if (work.records[index].topic == options_.lifecycle_topic) {
      if (auto saga = detail::ended_saga(work.records[index])) work.ended_sagas.push_back(std::move(*saga));
      continue;
    }
    auto command = wire::command_from(work.records[index]);
    if (command) {
      work.commands.push_back(std::move(command).value());
      work.command_records.push_back(index);
    } else {
      work.dead_letters.push_back(
          {wire::dead_letter(work.records[index], command.error().code, command.error().message), index,
           true});
    }
  }
  return work;
}

void Service::State::execute(Work& work) {
  std::vector<detail::Outgoing> outgoing;
  std::vector<std::size_t> put_off;
  try {
    detail::record_ended(*connection_, work.ended_sagas);
    execute_span(work, 0, work.commands.size(), outgoing, put_off);
  } catch (const detail::ConnectionLost& lost) {
    disconnect(lost.what());
    return postpone(work, lost.what());
  } catch (const SqlError& error) {
    return postpone(work, error.what());
  }
  for (auto& letter : work.dead_letters) outgoing.push_back(std::move(letter));
  for (const auto& message : outgoing) statistics_.dead_letters += message.is_dead_letter ? 1 : 0;
  conclude(work, std::move(outgoing), put_off);
  work_.reset();
}

/// `put_off`: the commands, in their order, that a breaker kept from being executed.
void Service::State::conclude(Work& work, std::vector<detail::Outgoing> outgoing,
                              const std::vector<std::size_t>& put_off) {
  for (std::size_t index = 0; index < work.commands.size(); ++index)
    limits_->end(work.commands[index].step, work.tickets[index]);
  std::set<std::size_t> given_back;
  for (const auto index : put_off) given_back.insert(work.command_records[index]);
  auto next = backlog_->finish(work.records, given_back);
  for (auto index = put_off.rbegin(); index != put_off.rend(); ++index)
    backlog_->give_back(std::exchange(work.records[work.command_records[*index]], {}),
                        std::move(work.commands[*index]));
  publisher_->publish(std::move(outgoing), std::move(work.records), std::move(next));
}

/// One transaction for these commands; if PostgreSQL refuses their data, one for each half, until the culprit is
/// alone and becomes a dead letter.
void Service::State::execute_span(Work& work, std::size_t first, std::size_t count,
                                  std::vector<detail::Outgoing>& outgoing,
                                  std::vector<std::size_t>& put_off) {
  if (count == 0) return;
  const std::span commands(work.commands.data() + first, count);
  const detail::BatchContext context{steps_,
                                     "/skald-participant/" + options_.schema,
                                     options_.unsafe_without_inbox,
                                     reader_->id(),
                                     statistics_,
                                     handler_broke_,
                                     *limits_,
                                     limits_now};
  try {
    auto executed = detail::execute_batch(
        *connection_, context, commands, std::span(work.tickets.data() + first, count), positions_,
        work.attempts < kConflictRounds ? detail::OnConflict::kThrow : detail::OnConflict::kAnswer);
    commit_and_clear_positions();
    for (std::size_t index = 0; index < count; ++index)
      if (executed[index].put_off)
        put_off.push_back(first + index);
      else if (const auto& reply = executed[index].reply)
        outgoing.push_back(
            {wire::to_message(*reply, commands[index].reply_to), work.command_records[first + index], false});
  } catch (const SqlError& error) {
    if (!is_data_error(error)) throw;
    if (count > 1) {
      execute_span(work, first, count / 2, outgoing, put_off);
      execute_span(work, first + count / 2, count - count / 2, outgoing, put_off);
      return;
    }
    const auto record = work.command_records[first];
    outgoing.push_back({wire::dead_letter(work.records[record], "SKALD-311",
                                          "PostgreSQL refuses it: SQLSTATE " + error.state()),
                        record, true});
  }
}

void Service::State::postpone(Work& work, const std::string& reason) {
  work.next_attempt = Clock::now() + backoff(++work.attempts);
  detail::log_warning("a batch is tried again",
                      {{"reason", reason}, {"attempt", std::to_string(work.attempts)}});
}

void Service::State::purge() {
  if (options_.lifecycle_topic.empty() || Clock::now() < next_purge_) return;
  const bool more = detail::purge(*connection_, options_.inbox_retention);
  next_purge_ = more ? Clock::now() : Clock::now() + options_.purge_interval;
}

// --- positions and the end ---------------------------------------------------------------------------------------

void Service::State::collect_positions() {
  const auto acknowledged = publisher_->take_acknowledged();
  for (const auto& position : acknowledged) {
    const auto known =
        std::find_if(positions_.begin(), positions_.end(), [&position](const detail::ReadPosition& other) {
          return other.next.partition == position.next.partition;
        });
    if (known == positions_.end())
      positions_.push_back(position);
    else
      *known = position;
  }
}

/// They are recorded: Kafka may hear of them, for its lag monitors.
void Service::State::commit_and_clear_positions() {
  if (positions_.empty()) return;
  std::vector<PartitionOffset> offsets;
  offsets.reserve(positions_.size());
  for (const auto& position : positions_) offsets.push_back(position.next);
  consumer_->commit(offsets);
  positions_.clear();
}

void Service::State::save_positions_when_idle() {
  if (positions_.empty() || !connection_) return;
  try {
    detail::save_positions(*connection_, reader_->id(), positions_);
    commit_and_clear_positions();
  } catch (const std::exception& error) {
    disconnect(error.what());
  }
}

void Service::State::drain() {
  if (!publisher_) return;
  const auto deadline = Clock::now() + options_.drain_timeout;
  while (publisher_->in_flight() > 0 && Clock::now() < deadline) {
    producer_->flush(50ms);
    publisher_->work();
    collect_positions();
  }
  collect_positions();
  if (consumer_) save_positions_when_idle();
  consumer_.reset();
  detail::log_info("stopped", {{"executed", std::to_string(statistics_.executed)},
                               {"compensated", std::to_string(statistics_.compensated)},
                               {"repeated", std::to_string(statistics_.repeated)}});
}

void Service::State::wait(std::chrono::milliseconds timeout) {
  if (publisher_) return publisher_->wait(std::min<std::chrono::milliseconds>(timeout, kPollTimeout));
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, std::min<std::chrono::milliseconds>(timeout, kPollTimeout));
}

}  // namespace skald::participant
