// Judging the works of one saga.
#include "runtime/judge.hpp"

#include "runtime/codes.hpp"
#include "runtime/input_codec.hpp"
#include "wire/dead_letter.hpp"
#include "wire/murmur2.hpp"

namespace skald::runtime {

namespace {

using Kind = Settlement::Kind;

std::string bytes_of(const Work& work) {
  if (work.record) return encode_input(*work.record);
  if (const auto* input = std::get_if<engine::Input>(&work.what)) return encode_input(*input);
  return {};
}

template <class T>
const T* as(const Work& work) {
  const auto* input = std::get_if<engine::Input>(&work.what);
  return input == nullptr ? nullptr : std::get_if<T>(input);
}

}  // namespace

CachedSaga& Judge::admit(const StoredSaga& stored) {
  CachedSaga saga;
  saga.address = stored.row.address;
  saga.key = stored.row.key;
  saga.revision = stored.row.revision;
  saga.stored_sequence = stored.row.sequence;
  saga.run_from = stored.row.run_from;
  saga.stored_wake = stored.row.wake_at;
  saga.status = stored.row.status;
  saga.stuck_reason = stored.row.stuck_reason;
  saga.stuck_step = stored.row.stuck_step;
  saga.input_hash = stored.row.input_hash;
  saga.started_at = stored.row.started_at;
  saga.history_removed = stored.history_removed();
  const auto* definition = parts_.registry.saga(saga.address.definition, saga.revision);
  if (definition != nullptr && !saga.history_removed) {
    auto replayed = engine::Instance::replay(parts_.environment, *definition, stored);
    saga.instance = std::move(replayed.instance);
    saga.problem = std::move(replayed.problem);
    parts_.observer.replayed(stored.row.sequence);
    if (saga.problem) parts_.observer.divergence(definition->name);
  }
  return parts_.cache.put(std::move(saga));
}

void Judge::judge(Turn& turn, const engine::Moment& moment) {
  turn.verdicts.reserve(turn.works.size());
  for (Work& work : turn.works) {
    judge_one(turn, work, moment);
    if (turn.saga != nullptr && turn.saga->instance && turn.saga->instance->spent()) break;
  }
  if (turn.saga != nullptr) parts_.cache.measure(*turn.saga);
}

void Judge::judge_one(Turn& turn, Work& work, const engine::Moment& moment) {
  if (const auto* request = std::get_if<DeadLetterRequest>(&work.what))
    return dead_letter(turn, work, nullptr, request->code, request->reason);
  if (const auto* request = std::get_if<ForwardRequest>(&work.what)) {
    const Record& record = *work.record;
    turn.messages.push_back({request->topic, {}, record.key, record.value, record.headers, {}});
    return settle(turn, Kind::kForwarded);
  }
  if (const auto* request = std::get_if<RefuseChildRequest>(&work.what)) {
    turn.messages.push_back(
        engine::refusal_of_child(parts_.environment, work.address, request->command, request->reason));
    settle(turn, Kind::kRefused, request->reason);
    turn.verdicts.back().judgement = engine::Judgement::kRefused;  // no duplicate, as metrics would have it
    return;
  }
  if (std::holds_alternative<ParkRequest>(work.what)) return park(turn, work, ParkReason::kNoCode, 0);
  if (moment.pauses != nullptr && moment.pauses->definitions.contains(turn.address.definition))
    return hold_back(turn, work);
  if (work.is_start()) return start(turn, work, moment);
  return input(turn, work, moment);
}

void Judge::hold_back(Turn& turn, Work& work) {
  if (as<engine::Wake>(work) != nullptr) {
    if (turn.saga != nullptr) touch(turn, *turn.saga);  // writes nothing new, and so gives the claim back
    return settle(turn, Kind::kDropped, "its definition is paused");
  }
  if (work.is_start() && !work.record) return settle(turn, Kind::kHeld, "its definition is paused");
  park(turn, work, work.is_start() ? ParkReason::kPausedStart : ParkReason::kPaused,
       turn.saga == nullptr ? 0 : turn.saga->revision);
}

void Judge::start(Turn& turn, Work& work, const engine::Moment& moment) {
  auto& request = std::get<StartRequest>(work.what);
  if (CachedSaga* saga = turn.saga) {
    if (request.input.parent) {
      work.what = engine::Input(*request.input.parent);
      return input(turn, work, moment);
    }
    if (saga->input_hash != request.input_hash)
      return dead_letter(turn, work, saga, code::kOtherInput, "the saga was started with another input");
    hold(turn, *saga);
    return settle(turn, Kind::kDuplicate, "the saga exists");
  }
  if (request.key == 0) request.key = parts_.keys.next();
  auto started = engine::Instance::start(parts_.environment, *request.definition, turn.address, request.key,
                                         request.input, moment);
  CachedSaga saga;
  saga.address = turn.address;
  saga.key = request.key;
  saga.revision = request.definition->revision;
  saga.input_hash = request.input_hash;
  saga.started_at = moment.now;
  saga.instance = std::move(started.instance);
  CachedSaga& cached = parts_.cache.put(std::move(saga));
  turn.saga = &cached;
  SagaWrite& write = touch(turn, cached);
  write.address = turn.address;
  write.revision = cached.revision;
  write.route = wire::route_of(turn.address.saga_id);
  write.input_hash = request.input_hash;
  turn.started = true;
  absorb(turn, cached, std::move(started.transition));
  settle(turn, Kind::kApplied);
}

void Judge::input(Turn& turn, Work& work, const engine::Moment& moment) {
  CachedSaga* saga = turn.saga;
  if (saga == nullptr) return absent(turn, work, moment);
  if (saga->history_removed) {
    hold(turn, *saga);
    settle(turn, Kind::kIgnored, "the saga has ended and its history was removed");
    turn.verdicts.back().judgement = engine::Judgement::kEnded;
    return;
  }
  if (!saga->instance) {
    if (as<engine::Wake>(work) != nullptr)
      return settle(turn, Kind::kDropped, "no code for this revision here");
    return park(turn, work, ParkReason::kNoCode, saga->revision);
  }
  const bool decided = as<engine::OperatorAction>(work) != nullptr || as<engine::Poison>(work) != nullptr;
  if (saga->problem && !decided) return diverged(turn, work, *saga, moment);
  advance(turn, work, *saga, std::get<engine::Input>(work.what), moment);
}

void Judge::absent(Turn& turn, Work& work, const engine::Moment& moment) {
  const auto* signal = as<engine::SignalInput>(work);
  const bool by_token = !work.record && (as<engine::ReplyInput>(work) != nullptr ||
                                         as<engine::HeartbeatInput>(work) != nullptr);
  const bool answered =
      by_token || as<engine::OperatorAction>(work) != nullptr || as<engine::UpdateInput>(work) != nullptr;
  if (answered || (signal != nullptr && !work.record)) return settle(turn, Kind::kRefused, "no such saga");
  if (signal != nullptr && signal->may_be_for_nobody)
    return settle(turn, Kind::kIgnored, "no such saga, and none is expected");
  if (as<engine::Wake>(work) != nullptr) return settle(turn, Kind::kDropped, "no such saga");
  // While nobody ran, or its definition was paused, its saga could not come.
  const Time awaited =
      std::max(work.waiting_since,
               moment.pauses == nullptr ? Time{} : moment.pauses->runs_since(turn.address.definition));
  if (work.claimed && moment.now - awaited < parts_.settings.parked_saga_absent_after)
    return settle(turn, Kind::kParked, "still no such saga");  // its row stays as it is
  const bool poison = as<engine::Poison>(work) != nullptr;
  if (work.claimed || poison) return dead_letter(turn, work, nullptr, code::kNoSuchSaga, "no such saga");
  park(turn, work, ParkReason::kNoSaga, 0);
}

void Judge::diverged(Turn& turn, Work& work, CachedSaga& saga, const engine::Moment& moment) {
  const engine::ReplayProblem problem = *saga.problem;
  const bool wake = as<engine::Wake>(work) != nullptr;
  const bool foreign = !problem.corrupt && problem.build != parts_.environment.build;
  // A wake-up and a claimed input know since when they wait; anything else has just come.
  const bool waited = work.waiting_since != Time{} &&
                      moment.now - work.waiting_since >= parts_.settings.parked_divergence_after;
  if (saga.status != SagaStatus::kStuck && (!foreign || waited)) {
    parts_.logger.error("A saga's history does not fit this binary's code; it is stuck.",
                        {{"definition", saga.address.definition},
                         {"saga_id", saga.address.saga_id},
                         {"sequence", problem.sequence},
                         {"code", std::string(code::kDiverged)},
                         {"difference", problem.message}});
    engine::Poison poison{problem.corrupt ? "history-corrupt" : "nondeterminism", problem.message, {}};
    auto verdict = saga.instance->advance(engine::Input(std::move(poison)), moment);
    if (verdict.transition) absorb(turn, saga, std::move(*verdict.transition));
  }
  hold(turn, saga);
  if (wake) return settle(turn, Kind::kDropped, "history and code differ");
  // Kept for the code that fits, or for the operator's decision.
  park(turn, work, ParkReason::kDivergence, saga.revision);
}

void Judge::advance(Turn& turn, Work& work, CachedSaga& saga, const engine::Input& input,
                    const engine::Moment& moment) {
  using engine::Judgement;
  engine::Verdict verdict = saga.instance->advance(input, moment);
  const auto finish = [&](Kind kind) {
    settle(turn, kind, std::move(verdict.reason));
    turn.verdicts.back().judgement = verdict.judgement;
    turn.verdicts.back().settlement.sequence = saga.instance->sequence();
    turn.verdicts.back().settlement.answer = std::move(verdict.answer);
  };
  if (verdict.transition) {
    absorb(turn, saga, std::move(*verdict.transition));
  } else {
    hold(turn, saga);
  }
  switch (verdict.judgement) {
    case Judgement::kApplied: return finish(Kind::kApplied);
    case Judgement::kDuplicate: return finish(Kind::kDuplicate);
    case Judgement::kLate:
    case Judgement::kEnded: return finish(Kind::kIgnored);
    case Judgement::kRefused: return finish(Kind::kRefused);
    case Judgement::kUnknown: return dead_letter(turn, work, &saga, code::kNoSuchAttempt, verdict.reason);
    case Judgement::kMismatch: return dead_letter(turn, work, &saga, code::kMismatch, verdict.reason);
  }
}

/// With this row, and not before it.
bool Judge::crosses_warning(const CachedSaga& saga, const HistoryRow& row) const {
  const Settings& settings = parts_.settings;
  const std::size_t bytes = saga.instance->history_bytes();
  const std::int64_t transitions = row.sequence - saga.instance->run_from() + 1;
  const bool by_bytes =
      bytes > settings.history_warning_bytes && bytes - row.events.size() <= settings.history_warning_bytes;
  return by_bytes || static_cast<std::size_t>(transitions) == settings.history_warning_transitions;
}

void Judge::absorb(Turn& turn, CachedSaga& saga, engine::Transition transition) {
  SagaWrite& write = touch(turn, saga);
  if (transition.row) {
    turn.history_grew = turn.history_grew || crosses_warning(saga, *transition.row);
    write.sequence = transition.row->sequence;
    write.run_from = saga.run_from = transition.run_from;
    write.history.push_back(std::move(*transition.row));
  }
  turn.stuck = turn.stuck || (transition.status == SagaStatus::kStuck && saga.status != SagaStatus::kStuck);
  write.status = saga.status = transition.status;
  write.stuck_reason = saga.stuck_reason = std::move(transition.stuck_reason);
  write.stuck_step = saga.stuck_step = transition.stuck_step;
  write.wake_at = transition.wake_at;
  const auto append = [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  append(write.messages, transition.messages);
  append(turn.attempts, transition.local_attempts);
  append(turn.observations, transition.observations);
}

void Judge::park(Turn& turn, Work& work, ParkReason reason, std::int32_t revision) {
  if (work.claimed) return settle(turn, Kind::kParked);  // its row stays; it is claimed again after its lease
  if (work.parked_id == 0) work.parked_id = parts_.keys.next();
  turn.park.push_back({work.parked_id, turn.address, revision, reason, bytes_of(work), {}});
  settle(turn, Kind::kParked);
  turn.verdicts.back().parked = reason;
}

void Judge::dead_letter(Turn& turn, Work& work, CachedSaga* saga, std::string_view code, std::string reason) {
  if (work.record) {
    Message message = wire::dead_letter(*work.record, code, reason);
    (saga == nullptr ? turn.messages : touch(turn, *saga).messages).push_back(std::move(message));
  } else {
    if (saga != nullptr) hold(turn, *saga);
    const bool of_the_api = as<engine::SignalInput>(work) != nullptr ||
                            as<engine::ReplyInput>(work) != nullptr ||
                            as<engine::HeartbeatInput>(work) != nullptr;
    if (of_the_api) return settle(turn, Kind::kRefused, std::move(reason));
    parts_.logger.warning("An input fits nothing and came from no topic; it is given up.",
                          {{"kind", std::string(kind_of(work))},
                           {"definition", turn.address.definition},
                           {"saga_id", turn.address.saga_id},
                           {"code", std::string(code)},
                           {"reason", reason}});
  }
  settle(turn, work.is_start() && !work.record ? Kind::kRefused : Kind::kDeadLetter, std::move(reason));
  turn.verdicts.back().dead_letter_code = code;
}

SagaWrite& Judge::touch(Turn& turn, const CachedSaga& saga) {
  turn.key = saga.key;
  turn.started_at = saga.started_at;
  turn.fence.reset();
  if (!turn.write) {
    SagaWrite write;
    write.key = saga.key;
    write.judged_at = write.sequence = saga.stored_sequence;
    write.run_from = saga.run_from;
    write.status = saga.status;
    write.wake_at = saga.stored_wake;
    write.stuck_reason = saga.stuck_reason;
    write.stuck_step = saga.stuck_step;
    turn.write = std::move(write);
  }
  return *turn.write;
}

void Judge::hold(Turn& turn, const CachedSaga& saga) {
  turn.key = saga.key;
  if (!turn.write) turn.fence = Fence{saga.key, saga.stored_sequence};
}

void Judge::settle(Turn& turn, Settlement::Kind kind, std::string reason) {
  WorkVerdict verdict;
  verdict.settlement.kind = kind;
  verdict.settlement.reason = std::move(reason);
  turn.verdicts.push_back(std::move(verdict));
}

}  // namespace skald::runtime
