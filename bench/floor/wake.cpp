// The floor of sagas that wake up: claim, load, write, publish, in a loop on each connection. No replay, no judgement, no
// fencing against others but the claim itself: what is woken ends.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "floor.hpp"
#include "kafka.hpp"
#include "rows.hpp"
#include "topics.hpp"

namespace bench {
namespace {

constexpr std::chrono::milliseconds kIdle{20};

/// One outbox row under way.
struct Row {
  std::atomic<std::size_t> open{0};
  std::int64_t id = 0;
  class Waker* waker = nullptr;
};

class Waker {
 public:
  Waker(const Names& names, Producer& producer, const std::string& postgres, std::size_t number, int batch)
      : names_(names),
        producer_(producer),
        rows_(postgres, names.schema),
        batch_(batch),
        next_id_((std::chrono::system_clock::now().time_since_epoch().count() / 1000 << 8) +
                 static_cast<std::int64_t>(number)) {}

  [[noreturn]] void run() {
    while (true)
      if (!turn()) wait();
  }

  void acknowledged(std::int64_t outbox_id) {
    const std::scoped_lock lock{mutex_};
    done_.push_back(outbox_id);
  }

 private:
  bool turn() {
    const std::vector<DueSaga> due = rows_.claim(batch_);
    RowBatch batch;
    {
      const std::scoped_lock lock{mutex_};
      batch.outbox_done.swap(done_);
    }
    if (due.empty() && batch.outbox_done.empty()) return false;
    batch.outbox_id = next_id_ += 256;
    std::vector<OutMessage> outcomes;
    for (const DueSaga& saga : due) {
      const std::string data = R"({"saga_id":")" + saga.saga_id + R"(","outcome":"completed"})";
      std::string history = R"({"type":"fired","ordinal":1})"
                            "\n"
                            R"({"type":"returned","bytes":)" +
                            std::to_string(data.size()) + "}\n" + data + "\n" + R"({"type":"ended"})";
      batch.writes.push_back({saga.key, {}, saga.sequence, 10, std::move(history)});
      outcomes.push_back(outcome(saga.saga_id, data));
    }
    for (const OutMessage& message : outcomes) encode(message, batch.outbox);
    rows_.commit(batch);
    publish(batch.outbox_id, outcomes);
    return true;
  }

  void wait() {
    std::unique_lock lock{mutex_};
    idle_.wait_for(lock, kIdle);
  }

  OutMessage outcome(const std::string& id, const std::string& data) const {
    return {names_.lifecycle.c_str(),
            id,
            data,
            {{{"ce_specversion", "1.0"},
              {"ce_id", "floor/sleeper/" + id + "/outcome"},
              {"ce_type", "saga.completed"},
              {"ce_source", "/skald/floor/sleeper"},
              {"ce_subject", id},
              {"ce_correlationid", id},
              {"content-type", "application/json"},
              {"ce_time", "2026-01-01T00:00:00.000Z"}}}};
  }

  void publish(std::int64_t outbox_id, const std::vector<OutMessage>& outcomes) {
    if (outcomes.empty()) return;
    auto* row = new Row;  // owned by its last acknowledgement
    row->open = outcomes.size();
    row->id = outbox_id;
    row->waker = this;
    for (const OutMessage& message : outcomes) producer_.produce(message, row);
  }

  const Names& names_;
  Producer& producer_;
  Rows rows_;
  int batch_;
  std::int64_t next_id_;
  std::mutex mutex_;  ///< guards done_
  std::condition_variable idle_;
  std::vector<std::int64_t> done_;
};

}  // namespace

void wake(const std::string& servers, const std::string& postgres, const Names& names, int lanes, int batch) {
  Producer producer{servers, names.linger_ms, [](void* opaque) {
                      auto* row = static_cast<Row*>(opaque);
                      if (row->open.fetch_sub(1) != 1) return;
                      row->waker->acknowledged(row->id);
                      delete row;
                    }};
  std::vector<std::thread> threads;
  for (std::size_t number = 0; number < static_cast<std::size_t>(lanes); ++number)
    threads.emplace_back([&, number] {
      Waker waker{names, producer, postgres, number, batch};
      waker.run();
    });
  for (auto& thread : threads) thread.join();
  give_up("no lane is left");
}

}  // namespace bench
