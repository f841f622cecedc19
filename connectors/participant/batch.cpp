// Running a batch. Commands are judged in their order; those to be executed wait in a wave of different keys, so that
// a batch handler may take them together, and a key that comes again closes the wave.
#include "batch.hpp"

#include <unordered_set>
#include <utility>

#include "wire/payload.hpp"

namespace skald::participant::detail {
namespace {

using wire::Command;
using wire::Phase;
using wire::Reply;

wire::Failure failure_of(std::string code, std::string message, bool retryable,
                         std::optional<std::chrono::milliseconds> retry_after = {}) {
  if (!wire::is_valid_name(code)) code = "invalid-code";
  constexpr std::chrono::milliseconds kShortest{0}, kLongest{std::chrono::hours{24 * 365}};
  if (retry_after) retry_after = std::clamp(*retry_after, kShortest, kLongest);
  return {std::move(code), std::move(message), retryable, retry_after};
}

class Round {
 public:
  Round(Connection& connection, const BatchContext& context, std::span<const Command> commands,
        std::span<CommandLimits::Ticket> tickets, OnConflict on_conflict)
      : connection_(connection),
        context_(context),
        commands_(commands),
        tickets_(tickets),
        on_conflict_(on_conflict),
        transaction_(connection),
        executed_commands_(commands.size()) {}

  std::vector<Executed> run(std::span<const ReadPosition> positions) {
    loaded_ = context_.unsafe_without_inbox ? begin_without_inbox(connection_)
                                            : begin_with_inbox(connection_, commands_);
    for (std::size_t index = 0; index < commands_.size(); ++index) take(index);
    close_wave();
    std::vector<InboxUpdate> updates;
    updates.reserve(changed_.size());
    for (auto& key : changed_) updates.push_back({key, loaded_.entries[key]});
    if (context_.unsafe_without_inbox) {
      updates.clear();
      remembered_.clear();
    }
    settle_and_commit(connection_, updates, remembered_, context_.reader, positions);
    return std::move(executed_commands_);
  }

  void count_into(Statistics& statistics) const {
    statistics.executed += executed_;
    statistics.compensated += compensated_;
    statistics.cancelled += cancelled_;
    statistics.refused += refused_;
    statistics.retryable += retryable_;
    statistics.repeated += repeated_;
    statistics.expired += expired_;
    ++statistics.batches;
  }

 private:
  struct Waiting {
    std::size_t index;
    Verdict verdict;
  };

  InboxEntry entry_of(const Command& command) const {
    if (context_.unsafe_without_inbox)
      return {command.phase == Phase::kCompensation ? Settled::kDone : Settled::kOpen, {}};
    const auto found = loaded_.entries.find(command.idempotency_key);
    return found == loaded_.entries.end() ? InboxEntry{} : found->second;
  }

  void take(std::size_t index) {
    const auto& command = commands_[index];
    if (wave_keys_.contains(command.idempotency_key)) close_wave();
    const auto entry = entry_of(command);
    const auto remembered = loaded_.failures.find(command.id);
    const bool is_expired = command.expiry && *command.expiry < loaded_.now;
    const auto verdict = judge(entry, command.phase, remembered != loaded_.failures.end(), is_expired);
    switch (verdict) {
      case Verdict::kExecute:
      case Verdict::kCompensate:
        wave_.push_back({index, verdict});
        wave_keys_.insert(command.idempotency_key);
        return;
      case Verdict::kCancel:
        ++cancelled_;
        settle(index, Settled::kCancelled, {});
        return succeed(index, "{}");
      case Verdict::kExpired:
        ++expired_;
        return fail_for_now(index,
                            failure_of("expired", "it came after its expiry and was not executed", true));
      case Verdict::kStored: ++repeated_; return succeed(index, entry.reply);
      case Verdict::kStoredFailure: ++repeated_; return fail(index, stored_failure(entry.reply));
      case Verdict::kCancelled:
        ++repeated_;
        return fail(index, failure_of("cancelled", "its compensation came before it", false));
      case Verdict::kNothingToUndo: ++repeated_; return succeed(index, "{}");
      case Verdict::kRemembered: ++repeated_; return fail(index, stored_failure(remembered->second));
      case Verdict::kSilent: ++repeated_; return keep_silent(index);
    }
  }

  // --- executing -------------------------------------------------------------------------------------------------

  /// Commands of one step and phase together, in the order they came.
  void close_wave() {
    std::map<std::pair<std::string_view, Verdict>, std::vector<std::size_t>> groups;
    for (const auto& waiting : wave_)
      groups[{commands_[waiting.index].step, waiting.verdict}].push_back(waiting.index);
    for (const auto& [what, indices] : groups) execute_group(what.first, what.second, indices);
    wave_.clear();
    wave_keys_.clear();
  }

  void execute_group(std::string_view name, Verdict verdict, const std::vector<std::size_t>& indices) {
    const auto found = context_.steps.find(name);
    const One* handler = nullptr;
    if (found != context_.steps.end())
      handler = verdict == Verdict::kExecute ? &found->second.execute : &found->second.compensate;
    if (handler == nullptr || !*handler) {
      // Retryable, since a deploy may bring it; certain, since nothing was executed.
      for (const auto index : indices)
        fail_for_now(index, failure_of(found == context_.steps.end() ? "unknown-step" : "no-compensation",
                                       "this participant has no handler for it", true));
      return;
    }
    if (verdict == Verdict::kExecute && found->second.execute_batch && indices.size() > 1 &&
        may_execute(indices.front()) && execute_together(found->second.execute_batch, indices))
      return;
    for (const auto index : indices)
      if (may_execute(index)) execute_alone(*handler, index);
  }

  /// A breaker that opened in this batch keeps the rest of it back: not executed, not answered.
  bool may_execute(std::size_t index) const {
    return context_.limits.still_lets_through(commands_[index].step, tickets_[index]);
  }

  RawItem item_of(std::size_t index) const {
    const auto& command = commands_[index];
    return {command.data, command.idempotency_key, command.saga_id, command.attempt};
  }

  /// False: undone, each is to be executed alone.
  bool execute_together(const Many& handler, const std::vector<std::size_t>& indices) {
    std::vector<RawItem> items;
    items.reserve(indices.size());
    for (const auto index : indices) items.push_back(item_of(index));
    std::vector<Answer> answers;
    transaction_.begin_handler({}, {}, 0, {});
    try {
      answers = handler(items, transaction_);
    } catch (const ConnectionLost&) {
      throw;
    } catch (...) {
      answers.clear();
    }
    if (answers.size() != indices.size() || !transaction_.end_handler()) {
      transaction_.undo_handler();
      return false;
    }
    for (std::size_t place = 0; place < indices.size(); ++place)
      finish(indices[place], std::move(answers[place]));
    return true;
  }

  void execute_alone(const One& handler, std::size_t index) {
    const auto& command = commands_[index];
    Answer answer;
    transaction_.begin_handler(
        command.idempotency_key, command.saga_id, command.attempt,
        command.phase == Phase::kAction ? std::string_view(command.id) : std::string_view());
    try {
      answer.data = handler(item_of(index), transaction_);
      if (!transaction_.end_handler())
        answer = {Answer::Kind::kRetry, {}, "exception", "the handler went on after a failed statement"};
    } catch (const ConnectionLost&) {
      throw;
    } catch (const Refused& refused) {
      answer = {Answer::Kind::kRefused, {}, refused.code(), refused.what()};
    } catch (const Retry& retry) {
      answer = {Answer::Kind::kRetry, {}, retry.code(), retry.what(), retry.after()};
    } catch (const SqlError& error) {
      if (is_transient(error) && on_conflict_ == OnConflict::kThrow) throw;
      answer = {
          Answer::Kind::kRetry, {}, "database", "SQLSTATE " + error.state()};  // its text may quote data
    } catch (const std::exception& error) {
      answer = {Answer::Kind::kRetry, {}, "exception", error.what()};
    } catch (...) {
      answer = {Answer::Kind::kRetry, {}, "exception", "not a std::exception"};
    }
    if (answer.kind != Answer::Kind::kSucceeded)
      transaction_.undo_handler();
    else if (transaction_.completes_later())
      answer.kind = Answer::Kind::kLater;
    if (answer.code == "exception" || answer.code == "database") report(command, answer);
    finish(index, std::move(answer));
  }

  /// What the author of the handler did not foresee.
  void report(const Command& command, const Answer& answer) {
    if (context_.handler_broke.pass())
      log_warning("a handler broke; its effect was undone and the command may be tried again",
                  {{"step", command.step},
                   {"saga_id", command.saga_id},
                   {"code", answer.code},
                   {"reason", answer.message},
                   {"kept_back", context_.handler_broke.kept_back()}});
  }

  void finish(std::size_t index, Answer answer) {
    const bool is_action = commands_[index].phase == Phase::kAction;
    context_.limits.tell(commands_[index].step, tickets_[index], answer.kind == Answer::Kind::kRetry,
                         context_.now());
    switch (answer.kind) {
      case Answer::Kind::kSucceeded:
        ++(is_action ? executed_ : compensated_);
        settle(index, is_action ? Settled::kDone : Settled::kCancelled,
               is_action ? answer.data : std::string());
        return succeed(index, std::move(answer.data));
      case Answer::Kind::kLater:
        ++executed_;
        settle(index, Settled::kLater, {});
        return keep_silent(index);
      case Answer::Kind::kRefused: {
        auto failure = failure_of(std::move(answer.code), std::move(answer.message), false);
        ++refused_;
        // A compensation stays owed, whoever asks for it again does so under the same key.
        if (!is_action) return fail_for_now(index, std::move(failure));
        settle(index, Settled::kRefused, wire::write_failure(failure));
        return fail(index, std::move(failure));
      }
      case Answer::Kind::kRetry:
        ++retryable_;
        return fail_for_now(
            index, failure_of(std::move(answer.code), std::move(answer.message), true, answer.retry_after));
    }
  }

  // --- answers ---------------------------------------------------------------------------------------------------

  void settle(std::size_t index, Settled settled, std::string reply) {
    const auto& key = commands_[index].idempotency_key;
    if (changed_set_.insert(key).second) changed_.push_back(key);
    loaded_.entries[key] = {settled, std::move(reply)};
  }

  Reply& reply_to(std::size_t index) {
    const auto& command = commands_[index];
    executed_commands_[index].put_off = false;
    auto& reply = executed_commands_[index].reply.emplace();
    reply.id = command.id.size() + 2 <= wire::kMaximumIdBytes ? command.id + "/r" : command.id;
    reply.step = command.step;
    reply.source = context_.source;
    reply.saga_id = command.saga_id;
    reply.causation_id = command.id;
    reply.trace = command.trace;
    return reply;
  }

  void keep_silent(std::size_t index) { executed_commands_[index].put_off = false; }

  void succeed(std::size_t index, std::string data) {
    auto& reply = reply_to(index);
    reply.succeeded = true;
    reply.data = std::move(data);
  }

  void fail(std::size_t index, wire::Failure failure) {
    auto& reply = reply_to(index);
    reply.succeeded = false;
    reply.failure = std::move(failure);
  }

  void fail_for_now(std::size_t index, wire::Failure failure) {
    auto text = wire::write_failure(failure);
    loaded_.failures.emplace(commands_[index].id, text);
    remembered_.push_back({commands_[index].id, std::move(text)});
    fail(index, std::move(failure));
  }

  static wire::Failure stored_failure(const std::string& text) {
    auto failure = wire::read_failure(text);
    return failure ? std::move(failure).value()
                   : failure_of("unreadable", "the stored reply cannot be read", true);
  }

  Connection& connection_;
  const BatchContext& context_;
  std::span<const Command> commands_;
  std::span<CommandLimits::Ticket> tickets_;
  OnConflict on_conflict_;
  Transaction transaction_;
  std::vector<Executed> executed_commands_;
  LoadedInbox loaded_;
  std::vector<Waiting> wave_;
  std::unordered_set<std::string_view> wave_keys_;
  std::vector<std::string> changed_;
  std::unordered_set<std::string> changed_set_;
  std::vector<RememberedFailure> remembered_;
  std::uint64_t executed_ = 0, compensated_ = 0, cancelled_ = 0, refused_ = 0;
  std::uint64_t retryable_ = 0, repeated_ = 0, expired_ = 0;
};

}  // namespace

std::vector<Executed> execute_batch(Connection& connection, const BatchContext& context,
                                    std::span<const wire::Command> commands,
                                    std::span<CommandLimits::Ticket> tickets,
                                    std::span<const ReadPosition> positions, OnConflict on_conflict) {
  try {
    Round round(connection, context, commands, tickets, on_conflict);
    auto executed = round.run(positions);
    round.count_into(context.statistics);
    return executed;
  } catch (const ConnectionLost&) {
    throw;
  } catch (...) {
    if (!connection.roll_back()) throw ConnectionLost("the connection was lost while rolling back");
    throw;
  }
}

bool is_transient(const SqlError& error) {
  const std::string_view state = error.state();
  return state.starts_with("40") || state.starts_with("53") || state.starts_with("57") ||
         state.starts_with("58") || state == "55P03" || state == "25P03" || state == "25006" || state.empty();
}

}  // namespace skald::participant::detail
