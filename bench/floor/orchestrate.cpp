// The floor's orchestrator: what happens to an order is a switch over four numbers. Each lane reads its partitions,
// writes one transaction a batch, produces after the commit, and deletes the outbox row in a later transaction, once
// Kafka has acknowledged. No replay, no timers, no retries, no fencing against others: a restart starts from nothing.
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "floor.hpp"
#include "kafka.hpp"
#include "rows.hpp"
#include "topics.hpp"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPositionsEvery{200};

struct Saga {
  std::int64_t key = 0;
  std::int64_t sequence = 0;
  int step = 0;
  bool undoing = false;
  std::string order;  ///< JSON
};

/// One outbox row under way.
struct Row {
  std::atomic<std::size_t> open{0};
  std::int64_t id = 0;
  class Lane* lane = nullptr;
};

class Lane {
 public:
  Lane(const Names& names, Consumer& consumer, Producer& producer, const std::string& postgres,
       std::size_t number, std::size_t batch)
      : names_(names),
        consumer_(consumer),
        producer_(producer),
        rows_(postgres, names.schema),
        number_(number),
        batch_(batch),
        next_id_((std::chrono::system_clock::now().time_since_epoch().count() / 1000 << 8) +
                 static_cast<std::int64_t>(number)) {}

  [[noreturn]] void run() {
    while (true) turn();
  }

  void acknowledged(std::int64_t outbox_id) {
    const std::scoped_lock lock{mutex_};
    done_.push_back(outbox_id);
  }

 private:
  void turn() {
    consumer_.poll(number_, 20, messages_, batch_);
    RowBatch batch;
    for (rd_kafka_message_t* message : messages_) {
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) take(message, batch);
      rd_kafka_message_destroy(message);
    }
    {
      const std::scoped_lock lock{mutex_};
      batch.outbox_done.swap(done_);
    }
    if (batch.writes.empty() && batch.outbox_done.empty()) return;
    if (const auto now = Clock::now(); now >= next_positions_) {
      batch.positions.swap(positions_);
      next_positions_ = now + kPositionsEvery;
    }
    batch.outbox_id = next_id();
    for (const OutMessage& message : out_) encode(message, batch.outbox);
    rows_.commit(batch);
    publish(batch.outbox_id);
  }

  std::int64_t next_id() { return next_id_ += 256; }

  void take(const rd_kafka_message_t* message, RowBatch& batch) {
    const std::string topic = rd_kafka_topic_name(message->rkt);
    positions_[{topic, message->partition}] = message->offset + 1;
    const std::string id{key_of(message)};
    if (topic == names_.orders)
      start(id, message, batch);
    else if (const auto found = sagas_.find(id); found != sagas_.end())
      go_on(id, found->second, header(message, "ce_type"), value_of(message), batch);
  }

  void start(const std::string& id, const rd_kafka_message_t* message, RowBatch& batch) {
    Saga saga;
    saga.key = next_id();
    saga.order = value_of(message);
    saga.sequence = 1;
    const auto command = send(id, saga, "action");
    batch.writes.push_back({saga.key, id, 0, 0,
                            R"({"type":"started","bytes":)" + std::to_string(saga.order.size()) + "}\n" +
                                saga.order + "\n" + event("step", saga.step, command)});
    sagas_.emplace(id, std::move(saga));
  }

  void go_on(const std::string& id, Saga& saga, std::string_view type, std::string_view data,
             RowBatch& batch) {
    const bool failed = type.ends_with(".failed");
    std::string history = event(failed         ? "failed"
                                : saga.undoing ? "compensated"
                                               : "succeeded",
                                saga.step, data);
    if (failed) saga.undoing = true;
    saga.step += saga.undoing ? -1 : 1;
    int status = saga.undoing ? 1 : 0;
    if (saga.step >= 0 && saga.step < 3) {
      const auto command = send(id, saga, saga.undoing ? "compensation" : "action");
      history += event(saga.undoing ? "compensating" : "step", saga.step, command);
    } else {
      status = saga.undoing ? 11 : 10;
      history += event("returned", saga.step, data) + R"({"type":"ended"})";
      end(id, saga.undoing ? "saga.compensated" : "saga.completed", data);
    }
    batch.writes.push_back({saga.key, {}, saga.sequence, status, std::move(history)});
    ++saga.sequence;
    if (status >= 10) sagas_.erase(id);
  }

  static std::string event(const char* type, int step, std::string_view data) {
    std::string text = R"({"type":")";
    text += type;
    text += R"(","ordinal":)" + std::to_string(step) + R"(,"step":")";
    if (step >= 0 && step < 3) text += kSteps[static_cast<std::size_t>(step)];
    text += R"(","attempt":1,"bytes":)" + std::to_string(data.size()) + "}\n";
    return text.append(data) + "\n";
  }

  std::string send(const std::string& id, const Saga& saga, const char* phase) {
    const auto step = static_cast<std::size_t>(saga.step);
    std::string key = "floor/place-order/" + id + "/" + std::to_string(saga.step);
    std::string command = key + "/" + phase + "/1";
    out_.push_back({names_.commands[step].c_str(),
                    id,
                    saga.order,
                    {{{"ce_specversion", "1.0"},
                      {"ce_id", std::move(command)},
                      {"ce_type", kSteps[step]},
                      {"ce_source", "/skald/floor/place-order"},
                      {"ce_subject", id},
                      {"ce_correlationid", id},
                      {"content-type", "application/json"},
                      {"ce_idempotencykey", std::move(key)},
                      {"ce_sagaphase", phase},
                      {"ce_sagaattempt", "1"},
                      {"ce_sagareplyto", names_.replies}}}});
    return saga.order;
  }

  void end(const std::string& id, const char* type, std::string_view data) {
    out_.push_back({names_.lifecycle.c_str(),
                    id,
                    std::string(data),
                    {{{"ce_specversion", "1.0"},
                      {"ce_id", "floor/place-order/" + id + "/outcome"},
                      {"ce_type", type},
                      {"ce_source", "/skald/floor/place-order"},
                      {"ce_subject", id},
                      {"ce_correlationid", id},
                      {"content-type", "application/json"},
                      {"ce_time", "2026-01-01T00:00:00.000Z"}}}});
  }

  void publish(std::int64_t outbox_id) {
    if (out_.empty()) return;
    auto* row = new Row;  // owned by its last acknowledgement
    row->open = out_.size();
    row->id = outbox_id;
    row->lane = this;
    for (const OutMessage& message : out_) producer_.produce(message, row);
    out_.clear();
  }

  const Names& names_;
  Consumer& consumer_;
  Producer& producer_;
  Rows rows_;
  std::size_t number_;
  std::size_t batch_;
  std::int64_t next_id_;
  std::vector<rd_kafka_message_t*> messages_;
  std::unordered_map<std::string, Saga> sagas_;
  std::vector<OutMessage> out_;
  std::map<std::pair<std::string, int>, std::int64_t> positions_;
  Clock::time_point next_positions_{};
  std::mutex mutex_;  ///< guards done_
  std::vector<std::int64_t> done_;
};

}  // namespace

void orchestrate(const std::string& servers, const std::string& postgres, const Names& names, int lanes,
                 int batch) {
  Producer producer{servers, names.linger_ms, [](void* opaque) {
                      auto* row = static_cast<Row*>(opaque);
                      if (row->open.fetch_sub(1) != 1) return;
                      row->lane->acknowledged(row->id);
                      delete row;
                    }};
  const auto count = static_cast<std::size_t>(lanes);
  Consumer consumer{servers, {names.orders, names.replies}, count};
  std::vector<std::thread> threads;
  for (std::size_t number = 0; number < count; ++number)
    threads.emplace_back([&, number] {
      Lane lane{names, consumer, producer, postgres, number, static_cast<std::size_t>(batch)};
      lane.run();
    });
  for (auto& thread : threads) thread.join();
  give_up("no lane is left");
}

}  // namespace bench
