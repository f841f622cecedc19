// A batch as the arrays that its statements unnest.
#include "postgres/batch_parameters.hpp"

#include <algorithm>

namespace skald::postgres {
namespace {

// Bytes of an element with its comma, as most are: text is empty, sequences are short.
constexpr std::size_t kKey = 20, kTime = 16, kSmall = 4, kId = 40;

}  // namespace

shim::Parameters update_parameters(const Batch& batch) {
  const std::size_t count = batch.writes.size();
  ArrayLiteral keys(count * kKey), judged_at(count * kSmall), sequences(count * kSmall),
      statuses(count * kSmall), wake_ups(count * kTime), reasons(count * kSmall), steps(count * kSmall),
      runs(count * kSmall);
  for (const SagaWrite& write : batch.writes) {
    if (write.judged_at == 0) continue;
    keys.add(write.key);
    judged_at.add(write.judged_at);
    sequences.add(write.sequence);
    statuses.add(static_cast<std::int64_t>(write.status));
    wake_ups.add(write.wake_at);
    reasons.add_text(write.stuck_reason);
    steps.add_text(write.stuck_step);
    runs.add(write.run_from);
  }
  return {std::move(keys).finish(),     std::move(judged_at).finish(), std::move(sequences).finish(),
          std::move(statuses).finish(), std::move(wake_ups).finish(),  std::move(reasons).finish(),
          std::move(steps).finish(),    std::move(runs).finish()};
}

std::vector<const SagaWrite*> starts_of(const Batch& batch) {
  std::vector<const SagaWrite*> starts;
  for (const SagaWrite& write : batch.writes)
    if (write.judged_at == 0) starts.push_back(&write);
  std::sort(starts.begin(), starts.end(),
            [](const SagaWrite* left, const SagaWrite* right) { return left->address < right->address; });
  return starts;
}

shim::Parameters insert_parameters(const std::vector<const SagaWrite*>& starts,
                                   const std::map<std::string, std::int32_t, std::less<>>& definitions) {
  const std::size_t count = starts.size();
  ArrayLiteral keys(count * kKey), definition_ids(count * kSmall), ids(count * kId),
      revisions(count * kSmall), routes(count * kSmall * 3), sequences(count * kSmall),
      statuses(count * kSmall), wake_ups(count * kTime), hashes(count * kKey), reasons(count * kSmall),
      steps(count * kSmall);
  for (const SagaWrite* write : starts) {
    keys.add(write->key);
    definition_ids.add(definitions.at(write->address.definition));
    ids.add_text(write->address.saga_id);
    revisions.add(write->revision);
    routes.add(write->route);
    sequences.add(write->sequence);
    statuses.add(static_cast<std::int64_t>(write->status));
    wake_ups.add(write->wake_at);
    hashes.add(static_cast<std::int64_t>(write->input_hash));
    reasons.add_text(write->stuck_reason);
    steps.add_text(write->stuck_step);
  }
  return {std::move(keys).finish(),      std::move(definition_ids).finish(), std::move(ids).finish(),
          std::move(revisions).finish(), std::move(routes).finish(),         std::move(sequences).finish(),
          std::move(statuses).finish(),  std::move(wake_ups).finish(),       std::move(hashes).finish(),
          std::move(reasons).finish(),   std::move(steps).finish()};
}

std::string number_array(const std::vector<std::int64_t>& numbers) {
  ArrayLiteral array;
  for (const std::int64_t number : numbers) array.add(number);
  return std::move(array).finish();
}

void mark_winners(const pqxx::result& rows, const Batch& batch, std::vector<bool>& won) {
  for (const auto& row : rows) {
    if (row[0].is_null()) continue;
    const auto key = row[0].as<SagaKey>();
    const auto found =
        std::lower_bound(batch.writes.begin(), batch.writes.end(), key,
                         [](const SagaWrite& write, SagaKey sought) { return write.key < sought; });
    won[static_cast<std::size_t>(found - batch.writes.begin())] = true;
  }
}

void take_messages(Batch& batch, const std::vector<bool>& won, CommitResult& result) {
  if (!result.outbox_id) return;
  const auto take = [&](std::vector<Message>& messages) {
    for (Message& message : messages) result.messages.push_back(std::move(message));
    messages.clear();
  };
  for (std::size_t index = 0; index < batch.writes.size(); ++index)
    if (won[index]) take(batch.writes[index].messages);
  take(batch.messages);
}

}  // namespace skald::postgres
