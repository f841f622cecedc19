// The floor's hold on librdkafka: one producer and one consumer with the settings Skald uses, as thin as can be.
// What fails ends the program: a floor that limps measures nothing.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

struct Headers {
  std::vector<std::pair<std::string_view, std::string>> list;
};

struct OutMessage {
  const char* topic = nullptr;  ///< lives as long as the program
  std::string key;
  std::string value;
  Headers headers;
};

/// As an outbox row holds it.
void encode(const OutMessage& message, std::string& into);

[[noreturn]] void give_up(const std::string& what);

/// Delivery reports come from its own thread; the opaque is given back with each acknowledgement.
class Producer {
 public:
  using Acknowledged = std::function<void(void* opaque)>;
  Producer(const std::string& servers, const std::string& linger_ms, Acknowledged acknowledged);
  void produce(const OutMessage& message, void* opaque);

 private:
  static void report(rd_kafka_t*, const rd_kafka_message_t* message, void* self);

  rd_kafka_t* client_;
  Acknowledged acknowledged_;
};

/// Reads all partitions of some topics from their beginning, each into the queue of its lane (partition % lanes).
class Consumer {
 public:
  Consumer(const std::string& servers, const std::vector<std::string>& topics, std::size_t lanes);
  /// What there is for this lane, at most `maximum`, waiting for the first one; the caller destroys the messages.
  std::size_t poll(std::size_t lane, int timeout_ms, std::vector<rd_kafka_message_t*>& into,
                   std::size_t maximum);

 private:
  rd_kafka_t* client_;
  std::vector<rd_kafka_queue_t*> lanes_;
};

/// "" if there is none.
std::string_view header(const rd_kafka_message_t* message, const char* name);

inline std::string_view key_of(const rd_kafka_message_t* message) {
  return {static_cast<const char*>(message->key), message->key_len};
}
inline std::string_view value_of(const rd_kafka_message_t* message) {
  return {static_cast<const char*>(message->payload), message->len};
}

}  // namespace bench
