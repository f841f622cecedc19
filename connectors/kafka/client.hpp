// One librdkafka client: its configuration, its callbacks and its errors in our words. Internal to this folder.
#pragma once

#include <librdkafka/rdkafka.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "kafka/options.hpp"
#include "ports/bus.hpp"

namespace skald::kafka {

struct Destroy {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
  void operator()(rd_kafka_conf_t* configuration) const { rd_kafka_conf_destroy(configuration); }
  void operator()(rd_kafka_topic_partition_list_t* list) const {
    rd_kafka_topic_partition_list_destroy(list);
  }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(rd_kafka_error_t* error) const { rd_kafka_error_destroy(error); }
  void operator()(rd_kafka_headers_t* headers) const { rd_kafka_headers_destroy(headers); }
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
  void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
  void operator()(rd_kafka_AdminOptions_t* options) const { rd_kafka_AdminOptions_destroy(options); }
  void operator()(const rd_kafka_metadata_t* metadata) const { rd_kafka_metadata_destroy(metadata); }
};

template <class T>
using Owned = std::unique_ptr<T, Destroy>;

using Log = std::function<void(int severity, const std::string& line)>;

/// What a client tells its owner. Errors, rebalances and deliveries come on the thread that polls it.
class ClientEvents {
 public:
  virtual ~ClientEvents() = default;
  virtual void on_error(rd_kafka_resp_err_t code, const std::string& reason) = 0;
  virtual void on_rebalance(rd_kafka_resp_err_t, const rd_kafka_topic_partition_list_t&) {}
  virtual void on_delivery(const rd_kafka_message_t&) {}
};

enum class Role { kConsumer, kProducer, kQuestions };

/// What librdkafka hands back to every callback. Shared with the client, which may outlive its owner.
struct CallbackTarget {
  CallbackTarget(ClientEvents* owner, Log sink) : events(owner), log_(std::move(sink)) {}
  void log(int severity, const std::string& line);
  void mute();

  ClientEvents* const events;

 private:
  std::mutex mutex_;  ///< guards log_, which librdkafka's threads call
  Log log_;
};

/// Starts a client. `group` is empty but for consumers.
Result<Owned<rd_kafka_t>> start_client(const Options& options, Role role, const std::string& group,
                                       const std::shared_ptr<CallbackTarget>& target);

/// Destroys a client. librdkafka 2.0.2 waits for ever when a topic the client read was deleted: after a few
/// seconds such a client is left behind, mute, with its threads.
void destroy_client(Owned<rd_kafka_t> client, std::shared_ptr<CallbackTarget> target, int flags = 0);

/// The log of these options, or standard error.
Log log_of(const Options& options);

/// Wrong credentials or certificates: trying again will not help.
bool is_authentication(rd_kafka_resp_err_t code, const std::string& reason);

/// An answer of librdkafka or the cluster as an Error; `doing` says what was asked.
Error to_error(rd_kafka_resp_err_t code, const std::string& doing, const std::string& reason = {});

/// What a delivery report, or a refusal to queue, means for the message.
Delivery classify(rd_kafka_resp_err_t code, rd_kafka_msg_status_t status);

inline int milliseconds(std::chrono::milliseconds timeout) { return static_cast<int>(timeout.count()); }

}  // namespace skald::kafka
