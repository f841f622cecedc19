// World: everything around a Runtime, in memory and on one thread: a clock that only tests move, the memory
// store and bus, scripted participants with an inbox, and any number of orchestrator processes that can be
// killed. A test runs the world until something holds; nothing waits for real time.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "memory/memory_bus.hpp"
#include "memory/memory_store.hpp"
#include "runtime/runtime.hpp"
#include "skald/skald.hpp"
#include "wire/cloud_events.hpp"

namespace skald::runtime {

using namespace std::chrono_literals;

struct Order {
  std::string id;
  std::int64_t cents = 0;
};
SKALD_FIELDS(Order, id, cents)
struct Done {
  std::string id;
};
SKALD_FIELDS(Done, id)

template <const char* kName>
struct OrderStep : CommandStep<Order, Done> {
  static constexpr std::string_view name = kName;
  static constexpr std::string_view topic = "commands";
  static constexpr StepOptions options{.schedule_to_close = 60s, .retry = {.maximum_attempts = 3}};
  static Order compensation(const Order& order, const std::optional<Done>&) { return order; }
};
inline constexpr char kReserve[] = "reserve";
inline constexpr char kCharge[] = "charge";
inline constexpr char kShip[] = "ship";
using Reserve = OrderStep<kReserve>;
using Charge = OrderStep<kCharge>;
using Ship = OrderStep<kShip>;

class Book : public LocalStep<Order, Done> {
 public:
  static constexpr std::string_view name = "book";
  static constexpr StepOptions options{.retry = {.initial_interval = 100ms}};
  explicit Book(int& executions) : executions_(executions) {}
  Done execute(const Order& order, StepContext&) override {
    ++executions_;
    return {order.id};
  }
  void compensate(const Order&, const std::optional<Done>&, StepContext&) override { --executions_; }

 private:
  int& executions_;
};

struct ThreeSteps : Saga<Order, Done> {
  static constexpr std::string_view name = "three-steps";
  Task<Done> run(Context& saga, Order order) override {
    auto reserved = co_await saga.step<Reserve>(order);
    auto charged = co_await saga.step<Charge>(reserved.id, order.cents);
    co_return co_await saga.step<Ship>(charged.id, order.cents);
  }
};

struct WithLocal : Saga<Order, Done> {
  static constexpr std::string_view name = "with-local";
  Task<Done> run(Context& saga, Order order) override {
    auto booked = co_await saga.step<Book>(order);
    co_return co_await saga.step<Ship>(booked.id, order.cents);
  }
};

/// Sleeps for as many seconds as it has cents, between two steps.
struct Sleeps : Saga<Order, Done> {
  static constexpr std::string_view name = "sleeps";
  Task<Done> run(Context& saga, Order order) override {
    auto reserved = co_await saga.step<Reserve>(order);
    co_await saga.sleep(std::chrono::seconds(order.cents));
    co_return co_await saga.step<Ship>(reserved.id, order.cents);
  }
};

class VirtualClock final : public Clock {
 public:
  std::chrono::nanoseconds monotonic() const override { return now_; }
  Time wall() const override {
    return Time(std::chrono::sys_days(std::chrono::year{2026} / 11 / 21)) +
           std::chrono::duration_cast<std::chrono::milliseconds>(now_);
  }
  void advance(std::chrono::nanoseconds by) { now_ += by; }

 private:
  std::chrono::nanoseconds now_{1s};
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {
    state_ += 0x9e3779b97f4a7c15ull;
    std::uint64_t mixed = (state_ ^ (state_ >> 30)) * 0xbf58476d1ce4e5b9ull;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
    return mixed ^ (mixed >> 31);
  }
  /// True once in `n`.
  bool one_in(std::uint64_t n) { return next() % n == 0; }

 private:
  std::uint64_t state_;
};

class CapturingLogger final : public Logger {
 public:
  void write(LogLevel level, std::string_view sentence, std::span<const LogField> fields) override {
    std::string line(sentence);
    for (const LogField& field : fields) line += " " + field.name + "=" + field.value;
    if (level >= LogLevel::kWarning) warnings.push_back(line);
    lines.push_back(std::move(line));
  }
  std::vector<std::string> lines;
  std::vector<std::string> warnings;
};

class CountingObserver final : public Observer {
 public:
  void saga_started(std::string_view) override { ++started; }
  void history_grew(std::string_view) override { ++long_histories; }
  void saga_ended(std::string_view, SagaStatus outcome, std::chrono::milliseconds) override {
    ++ended[outcome];
  }
  void sequence_conflicts(std::size_t sagas) override { conflicts += sagas; }
  void input_applied(std::string_view kind) override { ++applied[std::string(kind)]; }
  void input_ignored(std::string_view kind, engine::Judgement) override { ++ignored[std::string(kind)]; }
  void dead_letter(std::string_view, std::string_view code) override { ++dead_letters[std::string(code)]; }
  void parked(ParkReason reason) override { ++parks[reason]; }
  void batch_committed(std::size_t inputs, std::chrono::nanoseconds) override { batches.push_back(inputs); }
  void replayed(std::int64_t) override { ++replays; }
  void cache_size(std::size_t lane, std::size_t sagas, std::size_t) override { cached[lane] = sagas; }
  void record_consumed(std::string_view) override { ++consumed; }
  void incarnation_lost() override { ++incarnations_lost; }
  void paused_partitions(std::size_t partitions) override { paused = partitions; }
  void message_refused(std::string_view) override { ++refused; }
  void saga_stuck(std::string_view, std::string_view step, std::string_view reason) override {
    stuck.push_back(std::string(step) + ": " + std::string(reason));
  }
  void assigned_partitions(const std::map<std::string, std::size_t>& by_topic) override {
    assigned = by_topic;
  }
  void topic_partitions(const std::map<std::string, std::int32_t>& by_topic) override { topics = by_topic; }
  void consumer_lags(const std::map<TopicPartition, std::int64_t>& records) override { lags = records; }
  void partition_stopped(const TopicPartition& partition) override { stopped.insert(partition); }
  void partition_resumed(const TopicPartition& partition) override { stopped.erase(partition); }
  void removed_by_retention(std::string_view what, std::size_t sagas) override {
    removed[std::string(what)] += sagas;
  }
  void schedule_started(std::string_view schedule) override { ++schedule_starts[std::string(schedule)]; }
  void schedule_skipped(std::string_view, std::string_view reason, std::size_t ticks) override {
    schedule_skips[std::string(reason)] += ticks;
  }
  void gauges(bool held, const Gauges&) override { gauges_told += held ? 1 : 0; }

  int started = 0;
  int long_histories = 0;
  std::map<SagaStatus, int> ended;
  std::size_t conflicts = 0;
  std::map<std::string, int> applied;
  std::map<std::string, int> ignored;
  std::map<std::string, int> dead_letters;
  std::map<ParkReason, int> parks;
  std::vector<std::size_t> batches;
  int replays = 0;
  std::map<std::size_t, std::size_t> cached;  ///< sagas by lane
  int consumed = 0;
  int incarnations_lost = 0;
  std::size_t paused = 0;
  int refused = 0;
  int gauges_told = 0;
  std::vector<std::string> stuck;
  std::map<std::string, std::size_t> assigned;
  std::map<std::string, std::int32_t> topics;
  std::map<TopicPartition, std::int64_t> lags;
  std::set<TopicPartition> stopped;
  std::map<std::string, std::size_t> removed;
  std::map<std::string, int> schedule_starts;
  std::map<std::string, std::size_t> schedule_skips;
};

/// Runs attempts when the world says so.
class QueuedExecutor final : public StepExecutor {
 public:
  void submit(std::vector<LocalTask> tasks) override {
    for (LocalTask& task : tasks) tasks_.push_back(std::move(task));
  }
  std::size_t backlog() const override { return tasks_.size(); }
  void request_stop() override {}
  bool run_one() {
    if (tasks_.empty() || held) return false;
    LocalTask task = std::move(tasks_.front());
    tasks_.erase(tasks_.begin());
    StepContext context(std::move(task.context));
    task.done(task.compensation
                  ? task.executor->compensate(task.input, task.output ? &*task.output : nullptr, context)
                  : task.executor->execute(task.input, context));
    return true;
  }
  bool held = false;

 private:
  std::vector<LocalTask> tasks_;
};

/// All participants: they answer commands as their script says, and apply each idempotency key once.
class Participants : private RebalanceListener {
 public:
  using Command = wire::Command;
  /// nullopt: no answer. The default succeeds.
  using Script = std::function<std::optional<wire::Reply>(const Command&)>;

  explicit Participants(Bus& bus) : producer_(bus.producer().value()) {
    consumer_ = bus.consumer({{"commands"}, "participants", true}, *this).value();
  }
  std::map<std::string, Script> scripts;  ///< by step
  std::map<std::string, int> actions;     ///< effects by idempotency key
  std::map<std::string, int> compensations;
  std::vector<Command> received;
  int copies = 1;  ///< of each reply

  static wire::Reply succeeded(const Command& command) {
    wire::Reply reply;
    reply.step = command.step;
    reply.saga_id = command.saga_id;
    reply.causation_id = command.id;
    reply.source = "/participants";
    reply.succeeded = true;
    reply.data = command.phase == wire::Phase::kAction ? R"({"id":")" + command.saga_id + R"("})" : "{}";
    return reply;
  }
  static wire::Reply refused(const Command& command, const std::string& code, bool retryable = false) {
    wire::Reply reply = succeeded(command);
    reply.succeeded = false;
    reply.data.clear();
    reply.failure = {code, "scripted", retryable};
    return reply;
  }

  bool run_once() {
    auto records = consumer_->poll(100, std::chrono::milliseconds(0));
    if (!records || records->empty()) return false;
    for (const Record& record : *records) {
      auto command = wire::command_from(record);
      EXPECT_TRUE(command.ok());
      if (command.ok()) answer(*command);
    }
    return true;
  }
  void send(wire::Reply reply, const std::string& topic = "replies") {
    reply.id = "reply-" + std::to_string(++replies_);
    static_cast<void>(
        producer_->produce(wire::to_message(reply, topic), [](Delivery, const std::string&) {}));
  }

 private:
  void answer(const Command& command) {
    received.push_back(command);
    auto reply = command.phase == wire::Phase::kAction ? act(command) : undo(command);
    for (int copy = 0; reply && copy < copies; ++copy) send(*reply);
  }
  /// The inbox: an effect, a final refusal and a cancellation are final for the key; a repeated command is
  /// answered by what was decided, naming the command just received.
  std::optional<wire::Reply> act(const Command& command) {
    const std::string& key = command.idempotency_key;
    const auto decided = decided_.find(key);
    if (decided != decided_.end()) {
      wire::Reply again = decided->second;
      again.causation_id = command.id;
      return again;
    }
    if (const auto failed = failed_.find(command.id); failed != failed_.end()) return failed->second;
    const auto script = scripts.find(command.step);
    auto reply = script == scripts.end() ? std::optional(succeeded(command)) : script->second(command);
    if (!reply || reply->succeeded) {
      actions[key] = 1;
      decided_[key] = succeeded(command);
    } else if (reply->failure.retryable) {
      failed_[command.id] = *reply;
    } else {
      decided_[key] = *reply;
    }
    return reply;
  }
  wire::Reply undo(const Command& command) {
    const std::string& key = command.idempotency_key;
    if (actions[key] > 0) compensations[key] = 1;
    if (actions[key] == 0) decided_[key] = refused(command, "cancelled");
    return succeeded(command);
  }
  std::vector<PartitionOffset> assigned(const std::vector<TopicPartition>& partitions) override {
    std::vector<PartitionOffset> starts;
    for (const auto& partition : partitions) starts.push_back({partition, PartitionOffset::kBeginning});
    return starts;
  }
  void revoked(const std::vector<TopicPartition>&) override {}

  std::unique_ptr<Producer> producer_;
  std::unique_ptr<Consumer> consumer_;
  std::map<std::string, wire::Reply> decided_;  ///< by idempotency key
  std::map<std::string, wire::Reply>
      failed_;  ///< retryable, by command id: the same command is answered the same
  int replies_ = 0;
};

/// One orchestrator process.
struct Process {
  Process(Store& store, Bus& bus, Clock& clock, Random& random, const Registry& registry,
          const std::string& build, const std::function<void(Runtime::Parts&)>& change) {
    engine::Environment environment;
    environment.name_space = "test";
    environment.reply_topic = "replies";
    environment.lifecycle_topic = "lifecycle";
    environment.build = build;
    for (const auto* step : {&step_definition<Reserve>(), &step_definition<Charge>(),
                             &step_definition<Ship>(), &step_definition<Book>()})
      environment.steps[std::string(step->name)] = {std::string(step->topic), step->options, step};
    Settings settings;
    settings.lanes = 2;
    std::vector<TriggerRoute> routes;
    for (const TriggerDefinition& trigger : registry.triggers()) routes.push_back({"orders", trigger});
    Runtime::Parts parts{
        {store, bus, clock, random, logger, observer}, registry, environment, routes, settings, &executor};
    if (change) change(parts);
    runtime = std::make_unique<Runtime>(std::move(parts));
  }
  CapturingLogger logger;
  CountingObserver observer;
  QueuedExecutor executor;
  std::unique_ptr<Runtime> runtime;
};

class World {
 public:
  explicit World(std::uint64_t seed = 1) : random(seed), store(clock), bus(options(clock)) {
    const std::vector<std::string> topics{"replies",     "orders",   "orders-dlt",
                                          "replies-dlt", "commands", "lifecycle"};
    EXPECT_TRUE(bus.create_topics(topics, 4).ok());
    participants = std::make_unique<Participants>(bus);
    producer_ = bus.producer().value();
    registry.add_step<Book>(book_effects);
    registry.add_saga<ThreeSteps>().trigger(
        "order-placed", [](const Order& order, const Record&) -> std::optional<Start<Order>> {
          if (order.cents < 0 || order.id.starts_with("nap-")) return std::nullopt;
          return Start<Order>{order.id, order};
        });
    registry.add_saga<WithLocal>();
    registry.add_saga<Sleeps>().trigger("nap-ordered",
                                        [](const Order& order, const Record&) -> std::optional<Start<Order>> {
                                          if (!order.id.starts_with("nap-")) return std::nullopt;
                                          return Start<Order>{order.id, order};
                                        });
  }

  Process& add_process(const std::function<void(Runtime::Parts&)>& change = {}) {
    return add_process_of(registry, "build-1", change);
  }
  Process& add_process_of(const Registry& code, const std::string& build,
                          const std::function<void(Runtime::Parts&)>& change = {}) {
    processes.push_back(std::make_unique<Process>(store, bus, clock, random, code, build, change));
    return *processes.back();
  }
  /// A saga started as the API does it, without waiting for it.
  void start(Process& process, const std::string& definition, const std::string& id, std::int64_t cents = 5) {
    const std::string input = R"({"id":")" + id + R"(","cents":)" + std::to_string(cents) + "}";
    static_cast<void>(process.runtime->start_saga(definition, id, input, {}, "test", 0ms));
  }
  /// A participant's reply to attempt 1 of a step's action, given to one process without the bus.
  static Work reply(const std::string& saga_id, const std::string& step, int ordinal,
                    const std::string& definition = "three-steps") {
    Work work;
    work.address = {definition, saga_id};
    engine::ReplyInput input;
    input.id = {ordinal, wire::Phase::kAction, 1};
    input.step = step;
    input.succeeded = true;
    input.data = R"({"id":"x"})";
    work.what = engine::Input(std::move(input));
    auto record = std::make_shared<Record>();
    record->topic = "replies";
    record->value = "{}";
    work.record = std::move(record);
    return work;
  }
  static void give(Process& process, Work work) {
    std::vector<Work> works;
    works.push_back(std::move(work));
    process.runtime->route(std::move(works));
  }
  /// As kill -9: nothing is flushed, nothing retired.
  void kill(std::size_t index) {
    processes[index]->runtime.reset();
    processes.erase(processes.begin() + static_cast<std::ptrdiff_t>(index));
  }

  void produce(const std::string& topic, const std::string& key, std::optional<std::string> value,
               std::vector<Header> headers = {}) {
    Message message;
    message.topic = topic;
    message.key = key;
    message.value = std::move(value);
    message.headers = std::move(headers);
    static_cast<void>(producer_->produce(message, [](Delivery, const std::string&) {}));
  }
  void order(const std::string& id, std::int64_t cents = 100) {
    produce("orders", id, R"({"id":")" + id + R"(","cents":)" + std::to_string(cents) + "}");
  }

  /// One round of everything. False: all was quiet.
  bool round() {
    bool worked = false;
    for (auto& process : processes) {
      worked = process->runtime->run_once() || worked;
      worked = process->executor.run_one() || worked;
    }
    return participants->run_once() || worked;
  }
  /// Runs until it holds, moving the clock on when all is quiet; false after an hour of the world's time.
  bool run_until(const std::function<bool()>& holds) {
    const auto limit = clock.monotonic() + 1h;
    for (int rounds = 0; clock.monotonic() < limit && rounds < 200'000; ++rounds) {
      if (holds()) return true;
      clock.advance(round() ? 1ms : 50ms);
    }
    return holds();
  }
  void run_for(std::chrono::milliseconds time) {
    const auto limit = clock.monotonic() + time;
    while (clock.monotonic() < limit) clock.advance(round() ? 1ms : 50ms);
  }

  std::optional<SagaRow> row(const std::string& saga_id) const {
    for (const StoredSaga& saga : store.sagas())
      if (saga.row.address.saga_id == saga_id) return saga.row;
    return std::nullopt;
  }
  bool has(const std::string& saga_id, SagaStatus status) const {
    const auto found = row(saga_id);
    return found && found->status == status;
  }
  std::size_t count(SagaStatus status) const {
    std::size_t count = 0;
    for (const StoredSaga& saga : store.sagas()) count += saga.row.status == status ? 1 : 0;
    return count;
  }
  std::map<std::string, int> outcomes() const {
    std::map<std::string, int> found;  // by saga id
    for (const Record& record : bus.records("lifecycle")) ++found[record.key.value_or("")];
    return found;
  }

  VirtualClock clock;
  SeededRandom random;
  memory::MemoryStore store;
  memory::MemoryBus bus;
  int book_effects = 0;
  Registry registry;
  std::unique_ptr<Participants> participants;
  std::vector<std::unique_ptr<Process>> processes;

 private:
  static memory::MemoryBusOptions options(VirtualClock& clock) {
    memory::MemoryBusOptions options;
    options.clock = &clock;
    options.spend = [&clock](std::chrono::milliseconds timeout) { clock.advance(timeout); };
    return options;
  }
  std::unique_ptr<Producer> producer_;
};

}  // namespace skald::runtime
