// Wiring, threads, draining, and the API's way in.
#include "runtime/runtime.hpp"

#include <algorithm>
#include <future>
#include <thread>

#include "runtime/codes.hpp"
#include "runtime/input_codec.hpp"
#include "runtime/lane.hpp"
#include "runtime/retention.hpp"
#include "runtime/thread_pool_executor.hpp"
#include "runtime/timekeeper.hpp"
#include "runtime/waiter.hpp"

namespace skald::runtime {

namespace {
constexpr std::chrono::milliseconds kLaneWait{200};
constexpr std::chrono::milliseconds kPublisherWait{20};
constexpr std::chrono::milliseconds kIngressPause{50};
constexpr std::chrono::milliseconds kDrainInterval{5};
constexpr std::chrono::milliseconds kLeavePatience{2'000};
constexpr std::size_t kMaximumWaiters = 10'000;  ///< API calls waiting for an answer
}  // namespace

struct Runtime::Body {
  explicit Body(Runtime& self, Parts given);

  [[nodiscard]] Pressure pressure() const;
  [[nodiscard]] bool quiet() const;
  void loop_ingress();
  void loop_timekeeper();
  void loop_retention();
  void end_threads();
  void observe() const;
  std::function<void(const Settlement&)> take_waiter(std::int64_t parked_id);
  Result<void> park(ParkedInput input);

  Parts parts;
  std::atomic<Incarnation> incarnation{0};
  KeyMaker keys;
  StoreClock store_clock;
  Decoder decoder;
  PositionTracker tracker;
  ReplyProgress progress;
  Pauses pauses;
  std::atomic<std::size_t> local_bytes{0};  ///< of attempts of local steps waiting or running
  std::unique_ptr<StepExecutor> own_executor;
  StepExecutor& executor;
  OutboxPublisher publisher;
  std::vector<std::unique_ptr<Lane>> lanes;
  Ingress ingress;
  Timekeeper timekeeper;
  Retention retention;
  Waiter ingress_waiter;
  Waiter timekeeper_waiter;
  Waiter retention_waiter;
  std::chrono::nanoseconds observed_at{0};
  std::chrono::nanoseconds retention_at{0};  ///< of run_once()

  std::mutex api_mutex;  ///< guards api_link, through calls of its session
  StoreLink api_link;
  std::mutex waiters_mutex;  ///< guards waiters: who waits for which parked input
  std::unordered_map<std::int64_t, std::function<void(const Settlement&)>> waiters;

  std::atomic<bool> taking_in{true};
  std::atomic<bool> keeping_time{true};
  std::atomic<bool> running{true};
  std::vector<std::thread> threads;
  std::thread ingress_thread;
  std::thread timekeeper_thread;
};

namespace {

std::unique_ptr<StepExecutor> make_pool(const Runtime::Parts& parts) {
  if (parts.executor != nullptr) return nullptr;
  StepLimitsByName limits;
  for (const auto& [name, step] : parts.environment.steps) limits[name] = step.options.limits;
  const auto overrun = [&parts](const std::string& step) {
    parts.seams.logger.error("A local step outlived its deadline and the grace; the process ends.",
                             {{"step", step}});
    std::_Exit(70);
  };
  return std::make_unique<ThreadPoolExecutor>(parts.seams, parts.settings, overrun, limits);
}

Runtime::Parts completed(Runtime::Parts parts) {
  if (parts.environment.random == nullptr) parts.environment.random = &parts.seams.random;
  return parts;
}

}  // namespace

Runtime::Body::Body(Runtime& self, Parts given)
    : parts(completed(std::move(given))),
      keys(parts.seams.clock),
      store_clock(parts.seams.clock),
      decoder(parts.registry, parts.environment.name_space, parts.environment.reply_topic, parts.triggers,
              parts.signals, parts.territory, parts.child_topic),
      own_executor(make_pool(parts)),
      executor(own_executor ? *own_executor : *parts.executor),
      publisher(parts.seams, parts.settings, store_clock, self),
      ingress({parts.seams, parts.settings, decoder, tracker, progress, self, pauses,
               [this] { return pressure(); }}),
      timekeeper({parts.seams, parts.settings, parts.registry, decoder, parts.environment.build, keys,
                  store_clock, progress, publisher, self, pauses, incarnation, [this] { return pressure(); },
                  [this](std::int64_t parked_id) { return take_waiter(parked_id); }}),
      retention(
          {parts.seams, parts.settings, parts.environment.name_space, parts.territory.slots, incarnation}),
      api_link(parts.seams, parts.settings, "api") {
  const LaneServices services{parts.seams, parts.settings, parts.environment, parts.registry, keys,
                              store_clock, publisher,      executor,          tracker,        self,
                              local_bytes, pauses,         decoder,           incarnation};
  for (std::size_t index = 0; index < parts.settings.lanes; ++index)
    lanes.push_back(std::make_unique<Lane>(services, index));
}

Pressure Runtime::Body::pressure() const {
  Pressure pressure;
  for (const auto& lane : lanes) {
    const auto load = lane->load();
    pressure.starts = std::max(pressure.starts, load.starts);
    pressure.urgent = std::max(pressure.urgent, load.urgent);
    pressure.bytes = std::max(pressure.bytes, load.bytes);
  }
  pressure.outbox = publisher.backlog();
  pressure.outbox_bytes = publisher.backlog_bytes();
  pressure.local = executor.backlog();
  pressure.local_bytes = local_bytes;
  return pressure;
}

void Runtime::Body::observe() const {
  for (std::size_t index = 0; index < lanes.size(); ++index) {
    const auto load = lanes[index]->load();
    parts.seams.observer.lane_queue(index, load.urgent + load.starts, load.bytes);
  }
  parts.seams.observer.outbox_backlog(publisher.backlog(), publisher.backlog_bytes());
}

std::function<void(const Settlement&)> Runtime::Body::take_waiter(std::int64_t parked_id) {
  const std::scoped_lock lock(waiters_mutex);
  const auto place = waiters.find(parked_id);
  if (place == waiters.end()) return {};
  auto waiter = std::move(place->second);
  waiters.erase(place);
  return waiter;
}

Result<void> Runtime::Body::park(ParkedInput input) {
  const std::scoped_lock lock(api_mutex);
  Session* session = api_link.session();
  if (session == nullptr) return Error{ErrorKind::kUnavailable, "", "the database is away"};
  Batch batch;
  batch.incarnation = incarnation;
  batch.park.push_back(std::move(input));
  auto stored = session->commit(batch);
  if (stored) {
    api_link.succeeded();
    return {};
  }
  api_link.failed(stored.error());
  return stored.error();
}

Runtime::Runtime(Parts parts) : body_(std::make_unique<Body>(*this, std::move(parts))) {}

Runtime::~Runtime() {
  body_->end_threads();
  body_->own_executor.reset();  // its last results go to lanes that nobody runs any more
}

void Runtime::route(std::vector<Work> works) {
  auto& lanes = body_->lanes;
  const auto lane_for = [&lanes](const Work& work) {
    return work.passes_through() ? static_cast<std::size_t>(work.record->partition) % lanes.size()
                                 : lane_of(work.address.saga_id, lanes.size());
  };
  if (works.size() == 1) {
    const std::size_t lane = lane_for(works.front());
    return lanes[lane]->push(std::move(works));
  }
  std::vector<std::vector<Work>> by_lane(lanes.size());
  for (auto& part : by_lane) part.reserve(works.size() / lanes.size() + 1);
  for (Work& work : works) {
    const std::size_t lane = lane_for(work);
    by_lane[lane].push_back(std::move(work));
  }
  for (std::size_t index = 0; index < lanes.size(); ++index) lanes[index]->push(std::move(by_lane[index]));
}

// --- threads ---

void Runtime::start() {
  Body& body = *body_;
  body.timekeeper_thread = std::thread([&body] { body.loop_timekeeper(); });
  for (auto& lane : body.lanes)
    body.threads.emplace_back([&body, &lane = *lane] {
      while (body.running) lane.run_once(kLaneWait);
    });
  body.threads.emplace_back([&body] {
    while (body.running) body.publisher.run_once(kPublisherWait);
  });
  if (body.retention.wanted()) body.threads.emplace_back([&body] { body.loop_retention(); });
  body.ingress_thread = std::thread([&body] { body.loop_ingress(); });
}

void Runtime::Body::loop_ingress() {
  while (taking_in) {
    const bool worked = ingress.run_once(parts.settings.poll_timeout);
    if (!worked && !ingress.reached()) ingress_waiter.wait(kIngressPause);
    const auto now = parts.seams.clock.monotonic();
    if (now >= observed_at) {
      observed_at = now + std::chrono::seconds(1);
      observe();
    }
  }
}

void Runtime::Body::loop_timekeeper() {
  while (keeping_time) timekeeper_waiter.wait(timekeeper.run_once());
}

void Runtime::Body::loop_retention() {
  while (keeping_time) retention_waiter.wait(retention.run_once());
}

bool Runtime::Body::quiet() const {
  // In the order in which work moves on; drain asks twice, since it may move from a later one to an earlier.
  return executor.backlog() == 0 && publisher.idle() &&
         std::all_of(lanes.begin(), lanes.end(), [](const auto& lane) { return lane->idle(); });
}

std::size_t Runtime::running_steps() const { return body_->executor.backlog(); }

bool Runtime::drain() {
  Body& body = *body_;
  const auto until = body.parts.seams.clock.monotonic() + body.parts.settings.shutdown_grace;
  body.taking_in = false;
  body.ingress_waiter.wake();
  if (body.ingress_thread.joinable()) body.ingress_thread.join();
  body.timekeeper.quiesce();
  body.executor.request_stop();
  body.publisher.hurry();
  Waiter pause;
  // Once what was read is applied somebody else may read on: a member that does not poll holds up the whole group.
  const auto leave_by = body.parts.seams.clock.monotonic() + kLeavePatience;
  bool left = false;
  const auto leave = [&](bool now) {
    if (left || !(now || body.tracker.pending() == 0 || body.parts.seams.clock.monotonic() >= leave_by))
      return;
    body.ingress.finish();
    left = true;
  };
  bool clean = body.quiet() && body.quiet();
  while (!clean && body.parts.seams.clock.monotonic() < until) {
    leave(false);
    if (body.threads.empty()) {
      run_once();
    } else {
      pause.wait(kDrainInterval);
    }
    clean = body.quiet() && body.quiet();
  }
  leave(true);
  body.end_threads();
  // With a local step still running, our lease has to end by itself: until then nobody else may run it.
  if (body.executor.backlog() == 0) body.timekeeper.retire();
  return clean;
}

void Runtime::Body::end_threads() {
  taking_in = false;
  keeping_time = false;
  running = false;
  ingress_waiter.wake();
  timekeeper_waiter.wake();
  retention_waiter.wake();
  publisher.wake();
  for (auto& lane : lanes) lane->wake();
  if (ingress_thread.joinable()) ingress_thread.join();
  if (timekeeper_thread.joinable()) timekeeper_thread.join();
  for (std::thread& thread : threads) thread.join();
  threads.clear();
}

bool Runtime::run_once() {
  constexpr std::chrono::milliseconds kNoWait{0};
  Body& body = *body_;
  body.timekeeper.run_once();
  bool worked = body.taking_in && body.ingress.run_once(kNoWait);
  for (auto& lane : body.lanes) worked = lane->run_once(kNoWait) || worked;
  const std::size_t before = body.publisher.backlog();
  body.publisher.run_once(kNoWait);
  if (const auto now = body.parts.seams.clock.monotonic();
      body.retention.wanted() && now >= body.retention_at)
    body.retention_at = now + body.retention.run_once();
  return worked || before > 0;
}

// --- the API ---

Result<StartAnswer> Runtime::start_saga(std::string_view definition, std::string saga_id,
                                        std::string_view input, wire::TraceContext trace, std::string origin,
                                        std::chrono::milliseconds timeout) {
  auto work =
      body_->decoder.start(definition, std::move(saga_id), input, std::move(trace), std::move(origin));
  if (!work) return work.error();
  if (body_->pauses.now()->definitions.contains(definition))
    return Error{ErrorKind::kUnavailable, std::string(code::kPaused),
                 "saga " + std::string(definition) + " is paused: nothing starts until it is resumed"};
  auto answered = std::make_shared<std::promise<StartAnswer>>();
  auto answer = answered->get_future();
  work->settled = [answered](const Settlement& settlement) {
    StartAnswer answer{StartAnswer::Kind::kConflict, settlement.key, settlement.reason};
    if (settlement.kind == Settlement::Kind::kApplied) answer.kind = StartAnswer::Kind::kStarted;
    if (settlement.kind == Settlement::Kind::kDuplicate) answer.kind = StartAnswer::Kind::kDuplicate;
    answered->set_value(std::move(answer));
  };
  const Pressure pressure = body_->pressure();
  if (pressure.starts > body_->parts.settings.queue_high ||
      pressure.bytes > body_->parts.settings.queue_bytes_high)
    return Error{ErrorKind::kUnavailable, "", "too much is waiting; try again later"};
  std::vector<Work> works;
  works.push_back(std::move(work).value());
  route(std::move(works));
  if (answer.wait_for(timeout) != std::future_status::ready)
    return Error{ErrorKind::kUnavailable, "", "not answered in time; ask again with the same input"};
  return answer.get();
}

namespace {

InputAnswer answer_of(const Settlement& settlement) {
  InputAnswer answer{InputAnswer::Kind::kRefused, settlement.sequence, settlement.reason, settlement.answer};
  if (settlement.kind == Settlement::Kind::kApplied) answer.kind = InputAnswer::Kind::kApplied;
  if (settlement.kind == Settlement::Kind::kDuplicate) answer.kind = InputAnswer::Kind::kDuplicate;
  if (settlement.kind == Settlement::Kind::kParked) answer.kind = InputAnswer::Kind::kAccepted;
  return answer;
}

}  // namespace

Result<InputAnswer> Runtime::send(const SagaAddress& saga, const engine::Input& input,
                                  std::chrono::milliseconds timeout) {
  Body& body = *body_;
  const std::int64_t parked_id = body.keys.next();
  auto answered = std::make_shared<std::promise<InputAnswer>>();
  auto answer = answered->get_future();
  {
    const std::scoped_lock lock(body.waiters_mutex);
    if (body.waiters.size() >= kMaximumWaiters)
      return Error{ErrorKind::kUnavailable, "", "too many callers are waiting; try again later"};
    body.waiters[parked_id] = [answered](const Settlement& settlement) {
      answered->set_value(answer_of(settlement));
    };
  }
  auto stored = body.park({parked_id, saga, 0, ParkReason::kOrdered, encode_input(input), {}});
  if (!stored) {
    static_cast<void>(body.take_waiter(parked_id));
    return stored.error();
  }
  body.timekeeper.expect_parked();
  body.timekeeper_waiter.wake();
  if (answer.wait_for(timeout) == std::future_status::ready) return answer.get();
  static_cast<void>(body.take_waiter(parked_id));
  return InputAnswer{InputAnswer::Kind::kAccepted, 0, "stored; it is applied in its turn", {}};
}

namespace {

Result<const SagaDefinition*> code_of(const Registry& registry, const StoredSaga& saga) {
  const SagaRow& row = saga.row;
  if (saga.history_removed())
    return Error{ErrorKind::kRefused, std::string(code::kNoCode),
                 "the saga has ended and its history was removed"};
  if (const SagaDefinition* definition = registry.saga(row.address.definition, row.revision))
    return definition;
  return Error{ErrorKind::kRefused, std::string(code::kNoCode),
               "this process has no code for revision " + std::to_string(row.revision) + " of " +
                   row.address.definition};
}

}  // namespace

Result<std::vector<engine::ResetStep>> Runtime::plan_reset(const StoredSaga& saga,
                                                           const engine::OperatorAction& action) const {
  const auto definition = code_of(body_->parts.registry, saga);
  if (!definition) return definition.error();
  return engine::Instance::plan_reset(body_->parts.environment, **definition, saga, action);
}

Result<std::string> Runtime::query(const StoredSaga& saga, std::string_view name,
                                   std::string_view input) const {
  const auto definition = code_of(body_->parts.registry, saga);
  if (!definition) return definition.error();
  const auto replayed = engine::Instance::replay_to_ask(body_->parts.environment, **definition, saga);
  if (replayed.problem)
    return Error{ErrorKind::kRefused, std::string(code::kDiverged),
                 "history and code differ at sequence " + std::to_string(replayed.problem->sequence) + ": " +
                     replayed.problem->message};
  auto answer = replayed.instance->query(name, input);
  if (answer) return answer;
  Error error = answer.error();
  if (error.code.empty()) error.code = code::kQuery;
  return error;
}

Result<void> Runtime::accept_position(const Position& position, const std::string& who,
                                      const std::string& why) {
  Body& body = *body_;
  const std::string cluster = body.progress.cluster_id();
  if (cluster.empty()) return Error{ErrorKind::kUnavailable, "", "Kafka was not reached yet"};
  const std::scoped_lock lock(body.api_mutex);
  Session* session = body.api_link.session();
  if (session == nullptr) return Error{ErrorKind::kUnavailable, "", "the database is away"};
  auto accepted = session->accept_position(cluster, position, who, why);
  if (!accepted) {
    body.api_link.failed(accepted.error());
    return accepted;
  }
  body.ingress.recheck();
  return {};
}

std::vector<StoppedPartition> Runtime::stopped_partitions() const { return body_->ingress.stopped(); }
std::string Runtime::cluster_id() const { return body_->progress.cluster_id(); }
Incarnation Runtime::incarnation() const { return body_->incarnation; }

Health Runtime::health() const {
  const Body& body = *body_;
  Health health;
  health.draining = !body.taking_in;
  const auto overdue = body.parts.seams.clock.monotonic() - 2 * body.parts.settings.broker_timeout;
  health.bus = body.ingress.reached() && body.ingress.progressed_at() >= overdue;
  health.assigned = body.progress.assigned();
  health.store = body.incarnation != 0;
  const auto oldest = body.parts.seams.clock.monotonic() - body.parts.settings.liveness_limit;
  for (std::size_t index = 0; index < body.lanes.size(); ++index) {
    const Lane& lane = *body.lanes[index];
    if (lane.waits_for_store()) {
      health.store = false;
    } else if (lane.progressed_at() < oldest) {
      health.alive = false;
      health.not_alive = "lane " + std::to_string(index);
    }
  }
  return health;
}

}  // namespace skald::runtime
