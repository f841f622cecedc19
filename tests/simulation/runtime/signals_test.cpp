// Signals, updates, cancellations and defects in the storm: sagas that wait for signals with and without patience, race
// a step against them, are updated and cancelled over the API, and get stuck until their code is mended. Goal: whatever
// strikes, each signal and update counts once and none that a saga needs is lost, debts are paid (P5, P6), and every
// history replays (P7). Method: as faults_test.cpp; what the API has not acknowledged is asked again under its id.
#include "engine/event.hpp"
#include "engine/instance.hpp"
#include "storm.hpp"
#include "wire/signal.hpp"

namespace skald::runtime {
namespace {

constexpr int kEach = 15;  ///< sagas of each kind
constexpr int kSignals = 3;
constexpr int kUpdates = 2;

struct Notes {
  std::vector<std::string> notes;
};
SKALD_FIELDS(Notes, notes)

/// What the sagas below have in common: notes, by updates.
class Noting : public Saga<Order, Notes> {
 public:
  Notes note(const Done& note) {
    notes_.push_back(note.id);
    return {notes_};
  }
  Notes notes() const { return {notes_}; }

 protected:
  std::vector<std::string> notes_;
};

/// Ends only when it has got every signal and every update.
class Collects final : public Noting {
 public:
  static constexpr std::string_view name = "collects";
  static constexpr std::array signals{signal<Done>("go"), signal<Done>("stop")};
  static constexpr std::array queries{query<&Collects::notes>("notes")};
  static constexpr std::array updates{update<&Collects::note>("note")};
  Task<Notes> run(Context& saga, Order order) override {
    Notes got;
    for (int number = 0; number < kSignals; ++number)
      got.notes.push_back((co_await saga.signal<Done>("go")).id);
    co_await saga.wait_until([this] { return notes_.size() >= kUpdates; });
    co_await saga.step<Ship>(saga.uuid(), order.cents);
    co_return got;
  }
};

/// A step against a signal against time; patience for signals; a last step behind a shield.
class Races final : public Noting {
 public:
  static constexpr std::string_view name = "races";
  static constexpr SagaOptions options{.deadline = 90s};
  static constexpr std::array signals{signal<Done>("go"), signal<Done>("stop")};
  static constexpr std::array queries{query<&Races::notes>("notes")};
  static constexpr std::array updates{update<&Races::note>("note")};
  Task<Notes> run(Context& saga, Order order) override {
    co_await saga.step<Reserve>(order);
    const auto charged = saga.start<Charge>(order);
    const auto stop = saga.expect<Done>("stop");
    const auto slow = saga.timer(10s);
    const std::size_t first = co_await saga.any(charged, stop, slow);
    saga.cancel(stop);
    saga.cancel(slow);
    if (first == 0)
      static_cast<void>(charged.get());
    else
      saga.cancel(charged);
    Notes got;
    for (int number = 0; number < kSignals; ++number) {
      const auto go = co_await saga.signal<Done>("go", 8s);
      if (go) got.notes.push_back(go->id);
    }
    if (got.notes.empty()) throw SagaFailed("nobody", "nobody said go");
    const auto shield = saga.shield();
    co_await saga.step<Ship>(order);
    co_return got;
  }
};

/// Has a defect, once it is told to stop while its step is under way.
class Breaks final : public Noting {
 public:
  static constexpr std::string_view name = "breaks";
  static inline bool mended = false;
  static constexpr std::array signals{signal<Done>("go"), signal<Done>("stop")};
  static constexpr std::array queries{query<&Breaks::notes>("notes")};
  static constexpr std::array updates{update<&Breaks::note>("note")};
  Task<Notes> run(Context& saga, Order order) override {
    const auto go = saga.expect<Done>("go");
    const auto reserved = saga.start<Reserve>(order);
    const auto stop = saga.expect<Done>("stop");
    const std::size_t first = co_await saga.any(reserved, stop);
    if (first == 1 && !mended) {
      saga.cancel(go);
      saga.cancel(reserved);
      throw std::runtime_error("a bug");
    }
    co_await reserved;
    co_return Notes{{(co_await go).id}};
  }
};

struct RunResult {
  std::string histories;
  std::map<SagaStatus, std::size_t> ended;
  std::size_t abandoned = 0;
  std::size_t mended = 0;
  std::size_t late = 0;
  int kills = 0;
};

class SignalStorm final : Storm {
 public:
  explicit SignalStorm(std::uint64_t seed) : Storm(seed) {
    Breaks::mended = false;
    const std::vector<std::string> topics{"begun", "begun-dlt", "signals", "signals-dlt"};
    EXPECT_TRUE(world_.bus.create_topics(topics, 4).ok());
    add<Collects>("collects-");
    add<Races>("races-");
    add<Breaks>("breaks-");
  }

  RunResult run() {
    script();
    add_process();
    add_process();
    strike_store();
    for (int index = 0; index < kEach; ++index) plan(index);
    say("collects", "collects-nobody", "go", "1");
    for (int rounds = 0; rounds < 2'500; ++rounds) {
      for (int count = 0; count < 2 && dice_.one_in(6); ++count) say_next();
      if (dice_.one_in(4)) ask_next();
      step();
    }
    while (!said_.empty()) say_next();
    heal();
    Breaks::mended = true;
    const bool rests = world_.run_until([this] {
      ask_next();
      mend();
      return asks_.empty() && at_rest();
    });
    EXPECT_TRUE(rests) << unfinished() << " " << world_.store.parked().size() << " parked";
    check();
    return std::move(result_);
  }

 private:
  /// What goes to a topic: the start of a saga, or a signal for it.
  struct Said {
    std::string definition, saga, name, id;
  };
  /// What goes over the API, until it is acknowledged.
  struct Ask {
    SagaAddress saga;
    engine::Input input;
  };

  template <class S>
  void add(const std::string& prefix) {
    world_.registry.add_saga<S>().trigger(
        std::string(S::name) + "-begun",
        [prefix](const Order& order, const Record&) -> std::optional<Start<Order>> {
          if (!order.id.starts_with(prefix)) return std::nullopt;
          return Start<Order>{order.id, order};
        });
  }

  void equip(Runtime::Parts& parts) override {
    for (TriggerRoute& route : parts.triggers)
      if (route.trigger.name.ends_with("-begun")) route.topic = "begun";
    parts.signals.push_back({"signals", [](const Record& record) -> Result<std::optional<AddressedSignal>> {
                               auto signal = wire::signal_from(record);
                               if (!signal) return signal.error();
                               return std::optional(AddressedSignal{
                                   {signal->definition, signal->saga_id},
                                   {signal->name, signal->source, signal->id, signal->data, false}});
                             }});
    environment_ = parts.environment;
    environment_.random = &world_.random;
  }

  /// What shall happen to one saga of each kind, in an order that the dice make.
  void plan(int index) {
    const std::string number = std::to_string(index);
    for (const std::string definition : {"collects", "races", "breaks"}) {
      const std::string saga = definition + "-" + number;
      said_.push_back({definition, saga, "", ""});
      for (int go = 1; go <= kSignals; ++go) said_.push_back({definition, saga, "go", std::to_string(go)});
      if (definition != "collects" && dice_.one_in(2)) said_.push_back({definition, saga, "stop", "9"});
      for (int update = 1; update <= kUpdates; ++update)
        asks_.push_back({{definition, saga},
                         engine::UpdateInput{"note", "/api", std::to_string(update),
                                             R"({"id":"n)" + std::to_string(update) + "\"}"}});
      if (definition == "races" && dice_.one_in(3))
        asks_.push_back({{definition, saga},
                         engine::OperatorAction{engine::OperatorVerb::cancel, 0, 0, "", "ann", "because"}});
    }
  }

  template <class T>
  T take_near_front(std::vector<T>& from, std::size_t window) {
    const auto place =
        from.begin() + static_cast<std::ptrdiff_t>(dice_.next() % std::min(window, from.size()));
    T taken = std::move(*place);
    from.erase(place);
    return taken;
  }

  void say_next() {
    if (said_.empty()) return;
    const Said said = take_near_front(said_, 20);
    const int copies = dice_.one_in(3) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) say(said.definition, said.saga, said.name, said.id);
    if (!said.name.empty() && dice_.one_in(8)) said_.push_back(said);  // once more, much later
  }

  void say(const std::string& definition, const std::string& saga, const std::string& name,
           const std::string& id) {
    if (name.empty()) return world_.produce("begun", saga, R"({"id":")" + saga + R"(","cents":5})");
    world_.produce("signals", saga, R"({"id":"g)" + id + "\"}",
                   {{"ce_specversion", "1.0"},
                    {"ce_type", name},
                    {"ce_sagadefinition", definition},
                    {"ce_correlationid", saga},
                    {"ce_source", "/sim"},
                    {"ce_id", id}});
  }

  /// As a client does that wants an answer: once the saga is there, again until it is acknowledged.
  void ask_next() {
    if (asks_.empty()) return;
    Ask ask = take_near_front(asks_, 12);
    const auto& runtime = *world_.processes[dice_.next() % world_.processes.size()]->runtime;
    const bool there = runtime.incarnation() != 0 && world_.row(ask.saga.saga_id).has_value();
    const auto answer = there ? send(ask) : std::nullopt;
    if (!answer || dice_.one_in(10)) asks_.push_back(std::move(ask));
  }
  std::optional<InputAnswer> send(const Ask& ask) {
    auto& runtime = *world_.processes[dice_.next() % world_.processes.size()]->runtime;
    auto answer = runtime.send(ask.saga, ask.input, 0ms);
    return answer ? std::optional(*answer) : std::nullopt;
  }

  /// The operator, once the code is mended: every stuck saga is tried again.
  void mend() {
    for (const StoredSaga& saga : world_.store.sagas()) {
      if (saga.row.status != SagaStatus::kStuck || retried_.contains({saga.row.key, saga.row.sequence}))
        continue;
      EXPECT_EQ(saga.row.stuck_reason, "exception") << saga.row.address.saga_id;
      const Ask retry{saga.row.address, engine::OperatorAction{engine::OperatorVerb::retry, saga.row.sequence,
                                                               0, "", "ann", "mended"}};
      if (send(retry)) retried_.insert({saga.row.key, saga.row.sequence});
      ++result_.mended;
    }
  }

  bool at_rest() const {
    if (!world_.store.outbox().empty() || !world_.store.parked().empty()) return false;
    const auto sagas = world_.store.sagas();
    return sagas.size() == 3 * kEach && std::all_of(sagas.begin(), sagas.end(), [](const StoredSaga& saga) {
             return is_ended(saga.row.status);
           });
  }

  void check() {
    for (const StoredSaga& saga : world_.store.sagas()) {
      SCOPED_TRACE(saga.row.address.saga_id);
      ++result_.ended[saga.row.status];
      check_replay(saga);
      check_inputs(saga);
      check_effects(saga);
    }
    check_outcomes(3 * kEach);
    EXPECT_TRUE(world_.bus.records("begun-dlt").empty());
    EXPECT_TRUE(world_.bus.records("replies-dlt").empty());
    const auto unclaimed = world_.bus.records("signals-dlt");
    EXPECT_FALSE(unclaimed.empty());
    for (const Record& record : unclaimed) EXPECT_EQ(record.key, "collects-nobody");
    result_.histories = histories();
    result_.kills = kills_;
  }

  void check_replay(const StoredSaga& saga) {
    std::int64_t sequence = 0;
    for (const HistoryRow& row : saga.history) EXPECT_EQ(row.sequence, ++sequence);
    EXPECT_EQ(saga.row.sequence, sequence);
    const auto* definition = world_.registry.saga(saga.row.address.definition);
    const auto replayed = engine::Instance::replay(environment_, *definition, saga);
    EXPECT_FALSE(replayed.problem) << "P7: " << replayed.problem->message;
  }

  /// Each signal and update at most once; what a saga cannot do without is there, and its members say the same.
  void check_inputs(const StoredSaga& saga) {
    std::map<std::string, int> times;
    std::string notes;
    for (const HistoryRow& row : saga.history) {
      const auto entry = engine::read_entry(row.events);
      ASSERT_TRUE(entry.ok());
      for (const engine::Event& event : entry->events) {
        if (event.kind == engine::EventKind::kSignal || event.kind == engine::EventKind::kUpdate)
          ++times[event.who + " " + event.id];
        if (event.kind == engine::EventKind::kAnswered) notes = event.data;
      }
    }
    for (const auto& [id, count] : times) EXPECT_EQ(count, 1) << id;
    if (saga.row.address.definition == "collects") {
      EXPECT_EQ(times.size(), static_cast<std::size_t>(kSignals + kUpdates));
    } else {
      result_.late += static_cast<std::size_t>(kSignals + kUpdates) > times.size() ? 1 : 0;
    }
    if (notes.empty()) return;
    const auto answer = world_.processes.front()->runtime->query(saga, "notes", "{}");
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(*answer, notes);
  }

  void check_effects(const StoredSaga& saga) {
    const auto& address = saga.row.address;
    const std::string name = address.definition + "/" + address.saga_id;
    const bool completed = saga.row.status == SagaStatus::kCompleted;
    bool abandoned = false;
    for (const HistoryRow& row : saga.history)
      abandoned = abandoned || row.events.find(R"({"type":"abandoned","ordinal":2)") != std::string::npos;
    result_.abandoned += abandoned ? 1 : 0;
    for (int ordinal = 1; ordinal <= (address.definition == "races" ? 3 : 1); ++ordinal) {
      const bool stands = completed && !(abandoned && ordinal == 2);
      EXPECT_EQ(effect(name, ordinal), stands ? 1 : 0) << "P5, P6: step " << ordinal;
    }
  }

  std::vector<Said> said_;
  std::vector<Ask> asks_;
  std::set<std::pair<SagaKey, std::int64_t>> retried_;
  engine::Environment environment_;
  RunResult result_;
};

TEST(SignalSimulation, EachSignalAndUpdateCountsOnceAndDebtsArePaid) {
  RunResult total;
  const bool all = for_each_seed([&total](std::uint64_t seed) {
    const RunResult run = SignalStorm(seed).run();
    for (const auto& [status, sagas] : run.ended) total.ended[status] += sagas;
    total.kills += run.kills;
    total.abandoned += run.abandoned;
    total.mended += run.mended;
    total.late += run.late;
  });
  if (!all) return;
  EXPECT_GT(total.kills, 0) << "the faults were reached";
  for (const SagaStatus status : {SagaStatus::kCompleted, SagaStatus::kCompensated, SagaStatus::kCancelled})
    EXPECT_GT(total.ended[status], 0u) << to_string(status);
  EXPECT_GT(total.abandoned, 0u);
  EXPECT_GT(total.mended, 0u);
  EXPECT_GT(total.late, 0u);
}

TEST(SignalSimulation, ASeedGivesTheSameHistoryByteForByte) {
  EXPECT_EQ(SignalStorm(3).run().histories, SignalStorm(3).run().histories);
}

}  // namespace
}  // namespace skald::runtime
