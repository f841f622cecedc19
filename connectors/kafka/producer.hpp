// The idempotent producer on librdkafka, with its own thread for delivery reports. Internal to this folder.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "kafka/client.hpp"

namespace skald::kafka {

class KafkaProducer final : public Producer, private ClientEvents {
 public:
  explicit KafkaProducer(Options options);
  ~KafkaProducer() override;

  /// Connects lazily; an error is one of configuration.
  Result<void> start();

  Result<void> produce(const Message& message, Callback callback) override;
  bool flush(std::chrono::milliseconds timeout) override;

  void raise_fatal_error();

 private:
  /// One life of the client; whoever produces holds it, so that it is not destroyed under him.
  struct Client {
    Client(Owned<rd_kafka_t> made, std::shared_ptr<CallbackTarget> events)
        : handle(std::move(made)), target(std::move(events)) {}
    ~Client();
    rd_kafka_topic_t* topic(const std::string& name);
    Owned<rd_kafka_t> handle;
    std::shared_ptr<CallbackTarget> target;
    std::mutex mutex;  ///< guards topics
    std::unordered_map<std::string, Owned<rd_kafka_topic_t>> topics;
  };

  struct Refusal {
    Callback callback;
    std::string reason;
  };

  void on_error(rd_kafka_resp_err_t code, const std::string& reason) override;
  void on_delivery(const rd_kafka_message_t& message) override;

  [[nodiscard]] std::shared_ptr<Client> current();
  Result<std::shared_ptr<Client>> make_client();
  Result<void> take_refusal(rd_kafka_resp_err_t code, Callback callback);
  void run();
  void answer_refusals();
  void answered();
  void rebuild();
  /// Answers everything this client holds and destroys it.
  void retire(std::shared_ptr<Client> client);

  const Options options_;
  const std::shared_ptr<CallbackTarget> target_;
  std::atomic<bool> fatal_{false};
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;  ///< guards what follows
  std::condition_variable settled_;
  std::shared_ptr<Client> client_;  ///< null while it is being built again
  std::deque<Refusal> refusals_;    ///< refused by librdkafka itself, answered on our thread
  std::size_t unanswered_ = 0;

  std::thread thread_;
};

}  // namespace skald::kafka
