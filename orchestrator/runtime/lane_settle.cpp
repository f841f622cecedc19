// What follows a lane's commit: winners are settled, the overtaken judged again, refused data traced to its
// culprit.
#include <unordered_set>
#include <utility>

#include "ports/footprint.hpp"
#include "runtime/codes.hpp"
#include "runtime/heartbeat_writer.hpp"
#include "runtime/input_codec.hpp"
#include "runtime/lane.hpp"
#include "wire/command_id.hpp"

namespace skald::runtime {

namespace {

/// Of an attempt until it has returned, its place in the executor and the strings of its context included.
std::size_t bytes_of(const LocalTask& task) {
  return block_bytes(sizeof(LocalTask)) + heap_bytes(task.step) + heap_bytes(task.input) +
         heap_bytes(task.output) + 2 * heap_bytes(task.context.saga_id) +
         heap_bytes(task.context.idempotency_key) + 2 * heap_bytes(task.context.token) +
         heap_bytes(task.context.checkpoint) + HeartbeatWriter::kHeapBytes;
}

}  // namespace

void Lane::settle(std::vector<Turn> turns, CommitResult result) {
  if (result.now != Time{}) services_.store_clock.tell(result.now);
  publish_result(result);
  const std::unordered_set<SagaKey> lost(result.lost.begin(), result.lost.end());
  std::unordered_map<SagaKey, const SagaRow*> conflicts;
  for (const StartConflict& conflict : result.conflicts) conflicts[conflict.key] = &conflict.existing;

  std::vector<Turn> again;
  for (Turn& turn : turns) {
    const bool asked = turn.write || turn.fence;
    const auto conflict = turn.write ? conflicts.find(turn.key) : conflicts.end();
    if (conflict != conflicts.end()) {
      settle_conflict(turn, *conflict->second);
      if (!turn.works.empty()) again.push_back(std::move(turn));
    } else if (asked && lost.contains(turn.key)) {
      if (turn.started)
        for (Work& work : turn.works)
          if (work.is_start()) std::get<StartRequest>(work.what).key = 0;
      // A wake-up of a saga that moved meanwhile is about the past: whoever moved it set its next deadline.
      std::erase_if(turn.works, [this](const Work& work) {
        const bool wake = kind_of(work) == "wake";
        if (wake) let_go(work);
        return wake;
      });
      again.push_back(std::move(turn));
    } else {
      settle_won(turn, result.now);
    }
  }
  if (!again.empty()) services_.seams.observer.sequence_conflicts(again.size());
  judge_again(std::move(again));
  hand_over();
  services_.tracker.done(marks_);
  marks_.clear();
}

void Lane::publish_result(CommitResult& result) {
  if (result.outbox_id) services_.publisher.publish({*result.outbox_id, std::move(result.messages)});
}

void Lane::settle_conflict(Turn& turn, const SagaRow& existing) {
  // The start found its address taken. If that row is of an earlier try of this very start, whose commit was
  // in doubt, the saga is ours; else the first input decides.
  cache_.erase(turn.address);
  std::vector<Work> rest;
  bool answered = false;
  for (Work& work : turn.works) {
    if (answered || !work.is_start()) {
      rest.push_back(std::move(work));
      continue;
    }
    answered = true;
    const auto& request = std::get<StartRequest>(work.what);
    if (request.input.parent) {  // the saga itself says what its parent is told
      work.what = engine::Input(*request.input.parent);
      rest.push_back(std::move(work));
      continue;
    }
    if (existing.input_hash != request.input_hash && work.record) {
      work.what =
          DeadLetterRequest{std::string(code::kOtherInput), "the saga was started with another input"};
      work.address = {};
      rest.push_back(std::move(work));
      continue;
    }
    WorkVerdict verdict;
    verdict.settlement.kind = Settlement::Kind::kDuplicate;
    if (existing.key == request.key) verdict.settlement.kind = Settlement::Kind::kApplied;
    if (existing.input_hash != request.input_hash) {
      verdict.settlement.kind = Settlement::Kind::kRefused;
      verdict.settlement.reason = "the saga was started with another input";
    }
    verdict.judgement = engine::Judgement::kDuplicate;
    turn.key = existing.key;
    settle_work(turn, work, verdict);
  }
  turn.works = std::move(rest);
}

/// Nothing will ask for it soon.
bool Lane::sleeps_long(const CachedSaga& saga) const {
  return saga.instance && !saga.problem && saga.instance->asleep() &&
         saga.instance->next_deadline() > services_.store_clock.now() + services_.settings.cache_sleep;
}

void Lane::settle_won(Turn& turn, Time now) {
  auto& observer = services_.seams.observer;
  CachedSaga* saga = turn.write ? turn.saga : nullptr;
  if (saga != nullptr) {
    saga->stored_sequence = turn.write->sequence;
    saga->stored_wake = turn.write->wake_at;
  }
  if (turn.started) observer.saga_started(turn.address.definition);
  for (const engine::StepObservation& step : turn.observations)
    observer.step_settled(turn.address.definition, step);
  if (turn.stuck) {
    observer.saga_stuck(turn.address.definition, turn.write->stuck_step, turn.write->stuck_reason);
    services_.seams.logger.error("A saga is stuck and waits for an operator.",
                                 {{"definition", turn.address.definition},
                                  {"saga_id", turn.address.saga_id},
                                  {"sequence", turn.write->sequence},
                                  {"step", turn.write->stuck_step},
                                  {"reason", turn.write->stuck_reason}});
  }
  if (turn.history_grew) {
    observer.history_grew(turn.address.definition);
    services_.seams.logger.warning("A saga's history grows long; at its limit the saga becomes stuck.",
                                   {{"definition", turn.address.definition},
                                    {"saga_id", turn.address.saga_id},
                                    {"sequence", turn.write->sequence},
                                    {"bytes", saga->instance->history_bytes()}});
  }
  if (turn.write && is_ended(turn.write->status) && !turn.write->history.empty())
    observer.saga_ended(turn.address.definition, turn.write->status, now - turn.started_at);
  // A stuck saga's frame may be gone: the operator's decision finds it rebuilt from history.
  const bool stands = saga != nullptr && (is_ended(saga->status) || saga->status == SagaStatus::kStuck);
  const bool spent = saga != nullptr && saga->instance && saga->instance->spent();
  if (stands || spent || (turn.saga != nullptr && sleeps_long(*turn.saga))) cache_.erase(turn.address);
  run_locally(turn.address, std::move(turn.attempts));
  for (std::size_t index = 0; index < turn.verdicts.size(); ++index)
    settle_work(turn, turn.works[index], turn.verdicts[index]);
  for (std::size_t index = turn.verdicts.size(); index < turn.works.size(); ++index)
    again_.push_back(std::move(turn.works[index]));
}

void Lane::settle_work(const Turn& turn, Work& work, const WorkVerdict& verdict) {
  auto& observer = services_.seams.observer;
  Settlement settlement = verdict.settlement;
  settlement.key = turn.key;
  if (!verdict.dead_letter_code.empty()) {
    observer.dead_letter(work.record ? work.record->topic : "", verdict.dead_letter_code);
    if (work.record)
      dead_letters_.tell(*work.record, verdict.dead_letter_code, settlement.reason,
                         services_.seams.clock.monotonic());
  } else if (verdict.parked) {
    observer.parked(*verdict.parked);
  } else if (settlement.kind == Settlement::Kind::kForwarded) {
    observer.record_forwarded(work.record->topic);
  } else if (settlement.kind == Settlement::Kind::kApplied) {
    observer.input_applied(kind_of(work));
  } else if (settlement.kind != Settlement::Kind::kDropped && settlement.kind != Settlement::Kind::kParked) {
    observer.input_ignored(kind_of(work), verdict.judgement.value_or(engine::Judgement::kDuplicate));
  }
  if (work.mark) marks_.push_back(*work.mark);
  if (work.claimed && settlement.kind != Settlement::Kind::kParked) parked_done_.push_back(work.parked_id);
  if (work.settled) work.settled(settlement);
  let_go(work);
}

void Lane::let_go(const Work& work) {
  --held_;
  held_bytes_ -= work.bytes;
}

void Lane::run_locally(const SagaAddress& address, std::vector<engine::LocalAttempt> attempts) {
  for (engine::LocalAttempt& attempt : attempts) {
    LocalTask task;
    task.executor = services_.registry.executor(attempt.step->name);
    task.step = attempt.step->name;
    task.compensation = attempt.id.phase == engine::Phase::kCompensation;
    task.input = std::move(attempt.input);
    task.output = std::move(attempt.output);
    task.context.saga_id = address.saga_id;
    task.context.idempotency_key = std::move(attempt.idempotency_key);
    task.context.attempt = attempt.id.attempt;
    task.context.deadline = attempt.deadline;
    task.context.token =
        wire::format(wire::CommandId{services_.environment.name_space, address.definition, address.saga_id,
                                     attempt.id.ordinal, attempt.id.phase, attempt.id.attempt});
    task.context.checkpoint = std::move(attempt.checkpoint);
    task.heartbeat = attempt.heartbeat;
    if (!task.compensation)
      task.context.heartbeat =
          HeartbeatWriter(services_.router, services_.seams.clock, address, attempt.id, attempt.heartbeat);
    if (attempt.deadline) task.stop_at = services_.store_clock.monotonic_at(*attempt.deadline);
    const std::size_t bytes = bytes_of(task);
    services_.local_bytes += bytes;
    task.done = [&router = services_.router, &local_bytes = services_.local_bytes, bytes, address,
                 id = attempt.id](LocalOutcome outcome) {
      Work work;
      work.address = address;
      work.what = engine::Input(engine::LocalResult{id, std::move(outcome)});
      std::vector<Work> works;
      works.push_back(std::move(work));
      router.route(std::move(works));
      local_bytes -= bytes;
    };
    tasks_.push_back(std::move(task));
    ++held_;
  }
}

void Lane::hand_over() {
  if (tasks_.empty()) return;
  const std::size_t count = tasks_.size();
  services_.executor.submit(std::exchange(tasks_, {}));
  held_ -= count;  // after it, so that at every moment they are seen here or there
}

void Lane::split(std::vector<Turn> turns, const Error& error) {
  for (const Turn& turn : turns) cache_.erase(turn.address);
  const auto works_of = [](auto first, auto last) {
    std::vector<Work> works;
    for (auto turn = first; turn != last; ++turn)
      for (Work& work : turn->works) works.push_back(std::move(work));
    return works;
  };
  const auto push_front = [this](std::vector<Work> works) { splits_.push_front(std::move(works)); };
  if (turns.empty()) return;  // only deletions: they are tried again
  if (turns.size() > 1) {
    const auto middle = turns.begin() + static_cast<std::ptrdiff_t>(turns.size() / 2);
    auto late = works_of(middle, turns.end());
    auto early = works_of(turns.begin(), middle);
    push_front(std::move(late));
    push_front(std::move(early));
    return;
  }
  std::vector<Work>& works = turns.front().works;
  if (works.size() == 1) return culprit(std::move(works.front()), error);
  for (auto work = works.rbegin(); work != works.rend(); ++work) {
    std::vector<Work> alone;
    alone.push_back(std::move(*work));
    push_front(std::move(alone));
  }
}

void Lane::culprit(Work work, const Error& error) {
  services_.seams.logger.error("The database refuses an input's data.",
                               {{"kind", std::string(kind_of(work))},
                                {"definition", work.address.definition},
                                {"saga_id", work.address.saga_id},
                                {"code", std::string(code::kStoreRefuses)},
                                {"reason", error.message}});
  const auto* input = std::get_if<engine::Input>(&work.what);
  const bool poison = input != nullptr && std::holds_alternative<engine::Poison>(*input);
  if (input != nullptr && !poison) {
    std::string bytes = work.record ? encode_input(*work.record) : encode_input(*input);
    work.what = engine::Input(engine::Poison{"refused-by-database", error.message, std::move(bytes)});
  } else if (auto* start = std::get_if<StartRequest>(&work.what); start != nullptr && start->input.parent) {
    work.what = RefuseChildRequest{std::move(*start->input.parent), error.message};
  } else if (work.record && !work.passes_through()) {
    work.what = DeadLetterRequest{std::string(code::kStoreRefuses), error.message};
    work.address = {};
  } else {
    Turn turn;
    turn.address = work.address;
    WorkVerdict verdict;
    verdict.settlement.kind = Settlement::Kind::kRefused;
    verdict.settlement.reason = error.message;
    verdict.judgement = engine::Judgement::kRefused;
    settle_work(turn, work, verdict);
    services_.tracker.done(marks_);
    marks_.clear();
    return;
  }
  std::vector<Work> alone;
  alone.push_back(std::move(work));
  splits_.push_front(std::move(alone));
}

}  // namespace skald::runtime
