// What the Store alone can do: one session, batches of transitions of sagas of five transitions each (a start, three
// updates, an end), with histories and messages of a realistic size, the outbox deleted batch by batch. Prints
// transitions and sagas a second. Usage: commit_bench POSTGRES_URI [SAGAS] [BATCH] [SESSIONS]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "postgres/migrator.hpp"
#include "postgres/postgres_store.hpp"

namespace {

using namespace skald;

constexpr int kTransitions = 5;

SagaWrite transition(SagaKey key, std::int64_t judged_at, const std::string& events,
                     const std::string& payload) {
  SagaWrite write;
  write.key = key;
  write.judged_at = judged_at;
  write.sequence = judged_at + 1;
  write.status = write.sequence == kTransitions ? SagaStatus::kCompleted : SagaStatus::kRunning;
  write.wake_at = Time{std::chrono::milliseconds{1'900'000'000'000}};
  write.history = {{write.sequence, events}};
  const std::string id = "order-" + std::to_string(key);
  if (write.sequence < kTransitions) {
    const std::string command = id + "/" + std::to_string(write.sequence) + "/1/action";
    write.messages = {{"skald.commands.inventory",
                       std::nullopt,
                       id,
                       payload,
                       {{"ce_specversion", "1.0"},
                        {"ce_id", command},
                        {"ce_type", "ReserveStock"},
                        {"ce_source", "/skald/default/PlaceOrder"},
                        {"ce_subject", id},
                        {"ce_correlationid", id},
                        {"ce_idempotencykey", command},
                        {"ce_sagaphase", "action"},
                        {"ce_sagaattempt", "1"},
                        {"ce_sagareplyto", "skald.replies"},
                        {"content-type", "application/json"}},
                       command}};
  }
  if (judged_at == 0) {
    write.address = {"PlaceOrder", id};
    write.revision = 1;
    write.route = static_cast<std::int32_t>(key % 1024);
    write.input_hash = static_cast<std::uint64_t>(key) * 0x9e3779b97f4a7c15u;
  }
  return write;
}

void run_session(postgres::PostgresStore& store, SagaKey first, int sagas, int batch_size) {
  auto opened = store.open();
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    std::exit(1);
  }
  Session& session = **opened;
  const std::string events = "[{\"step\":\"ReserveStock\",\"ordinal\":1,\"output\":{\"warehouse\":\"" +
                             std::string(120, 'w') + "\"}}]";
  const std::string payload = "{\"order\":\"" + std::string(250, 'p') + "\"}";
  std::vector<std::int64_t> done;
  std::int64_t outbox_id = first;
  for (int start = 0; start < sagas; start += batch_size) {
    for (int step = 0; step < kTransitions; ++step) {
      Batch batch;
      batch.outbox_id = ++outbox_id;
      for (int index = 0; index < batch_size; ++index)
        batch.writes.push_back(transition(first + start + index, step, events, payload));
      batch.outbox_done = std::move(done);
      auto committed = session.commit(batch);
      if (!committed || !committed->lost.empty()) {
        std::fprintf(stderr, "%s\n", committed ? "lost a saga" : committed.error().message.c_str());
        std::exit(1);
      }
      done.clear();
      if (committed->outbox_id) done.push_back(*committed->outbox_id);
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return 2;
  const int sagas = count > 2 ? std::atoi(arguments[2]) : 20000;
  const int batch_size = count > 3 ? std::atoi(arguments[3]) : 500;
  const int sessions = count > 4 ? std::atoi(arguments[4]) : 1;
  const std::string schema = "skald_bench";
  if (auto migrated = postgres::Migrator{arguments[1], schema}.migrate(); !migrated) {
    std::fprintf(stderr, "%s\n", migrated.error().message.c_str());
    return 1;
  }
  postgres::StoreOptions options;
  options.uri = arguments[1];
  options.schema = schema;
  postgres::PostgresStore store{options};
  const SagaKey base = std::chrono::system_clock::now().time_since_epoch().count();
  const auto begun = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (int session = 0; session < sessions; ++session)
    threads.emplace_back(
        [&, session] { run_session(store, base + session * 100'000'000LL, sagas, batch_size); });
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const double total = static_cast<double>(sagas) * sessions;
  std::printf("%d sessions, batches of %d: %.0f sagas/s, %.0f transitions/s\n", sessions, batch_size,
              total / seconds, total * kTransitions / seconds);
  return 0;
}
